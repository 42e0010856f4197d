"""The package's one logger, for threads of ours that a logging handler must not be able to end.

Handlers and filters are foreign code: one that raises loses its line and nothing else.
"""

from typing import Final

WARNING: Final = 30
"""The level of `logging`, which is imported by who logs: a process that serves."""


def log(level: int, message: str, *values: object, **extra: object) -> None:
    """Log a constant message with its values; never raises.

    `extra` are further attributes of the record: `code=…` becomes `record.config_code`.
    """
    try:
        import logging

        more = {f"config_{name}": value for name, value in extra.items()}
        logging.getLogger("reloadcheck").log(level, message, *values, stacklevel=2, extra=more)
    except BaseException as error:  # not even a SystemExit of a handler ends the engine
        del error

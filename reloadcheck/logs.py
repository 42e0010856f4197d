"""Which configuration was a line logged under? A filter for `logging`, a processor for structlog.

Both only read the unit of work around the call; where there is none, or on a record that tells its
own version, they change nothing that is known.
"""

import logging
from collections.abc import MutableMapping
from typing import Any, TypeVar

from ._snapshots.unit import SNAPSHOT, unit_of_work

__all__ = ["ConfigVersionFilter", "add_config_version"]

E = TypeVar("E", bound=MutableMapping[str, Any])


class ConfigVersionFilter(logging.Filter):
    """Put `config_version`, `config_digest` and `config_edition` on every record; drops none.

    Add it to a handler, then a format may say `%(config_version)s`. Outside of a unit of work they
    are `outside`, and so is the edition where a store has no number for the version yet. Where
    records are formatted in another thread, add it to the `QueueHandler`.
    """

    def __init__(self, name: str = "", *, outside: object = "-") -> None:
        super().__init__(name)
        self._outside = outside

    def filter(self, record: logging.LogRecord) -> bool:
        """Return the record what it lacks, and let it pass as its name does."""
        version, digest, edition = _current() or (self._outside,) * 3
        if record.__dict__.get("config_version") is not None:  # it tells of another one, perhaps
            edition = None
        edition = self._outside if edition is None else edition
        told = {"config_version": version, "config_digest": digest, "config_edition": edition}
        for attribute, value in told.items():
            if record.__dict__.get(attribute) is None:
                setattr(record, attribute, value)
        return super().filter(record)


def add_config_version(logger: object, method: str, event: E) -> E:
    """Put `config_version` and `config_digest` into a structlog event of a unit of work.

    With a store, `config_edition` too, once the version has a number there.
    """
    current = _current()
    if current is not None:
        version, digest, edition = current
        event.setdefault("config_version", version)
        event.setdefault("config_digest", digest)
        if edition is not None:
            event.setdefault("config_edition", edition)
    return event


def _current() -> tuple[object, object, object] | None:
    unit = unit_of_work.get()
    if unit is None:
        return None
    snapshot = unit[SNAPSHOT]
    return snapshot.version, snapshot.digest, snapshot.edition

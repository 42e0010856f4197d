"""Every log line says which configuration it was written under, as JSON, with structlog.

Run it: `python examples/structlog_orders.py`. It logs inside and outside of a unit of work, and
what the engine itself has to say goes through the same processors.
"""

import logging
import sys
from pathlib import Path

import structlog
from structlog.typing import Processor

from reloadcheck import ReloadCheck
from reloadcheck.logs import add_config_version

SHARED: list[Processor] = [
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.stdlib.add_log_level,
    add_config_version,
]
OWN_FACTS = ("outcome", "version", "digest", "code", "trigger", "seconds", "changed", "built")


def configure() -> None:
    """Send structlog's events and everybody else's records through one formatter."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        # `extra` first: a reload's record tells its own version.
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder([f"config_{name}" for name in OWN_FACTS]),
            *SHARED,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def main() -> None:
    """Log a line before, in and after a unit of work."""
    configure()
    log = structlog.stdlib.get_logger("orders")
    live = ReloadCheck(Path(__file__).with_name("orders.yaml"))
    log.info("starting")
    with live.lease():
        log.info("order placed", order=7)
    live.close()


if __name__ == "__main__":
    main()

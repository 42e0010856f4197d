"""From a live engine to all that its status page may show; looks, and changes nothing."""

import time
from typing import Any

from .._engine.api import ReloadCheck, host_of
from .._observe.identity import identity
from .._observe.status import Status
from .page import View, Wanted
from .values import Leaves, leaves_of


def view_of(live: ReloadCheck[Any], status: Status, wanted: Wanted, find: str = "") -> View:
    """Look at an engine of this process; at its values only for those who read them.

    `find` chooses the values by a part of their key path.

    Finding where each value came from reads the documents again: call it off the event loop.
    """
    engine = host_of(live)
    thread = engine.thread
    checker = None if thread is None else thread.reload.checker
    leaves = Leaves()
    if checker is not None and checker.running is not None and reads_values(wanted):
        options = engine.options
        leaves = leaves_of(checker.running, checker.places, options.secrets, find, options.public)
    who = identity(engine.options.app)
    return View(status, leaves, time.time(), who, _release(), find)


def reads_values(wanted: Wanted) -> bool:
    """Return whether a format shows the values of the configuration."""
    return wanted in (Wanted.JSON, Wanted.HTML)


def _release() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("reloadcheck")
    except PackageNotFoundError:
        return "(not installed)"

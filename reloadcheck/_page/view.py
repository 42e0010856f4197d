"""From a live engine to all that its status page may show; looks, and changes nothing."""

import time
from typing import TYPE_CHECKING, Any

from .._engine.api import ReloadCheck, engine_of
from .._observe.identity import identity
from .._observe.status import Status
from ..seams.store import Companion
from .page import View, Wanted
from .values import Leaves, leaves_of

if TYPE_CHECKING:
    from .._state.fleet import Fleet


def view_of(live: ReloadCheck[Any], status: Status, wanted: Wanted, find: str = "") -> View:
    """Look at an engine of this process; at its values only for those who read them.

    `find` chooses the values by a part of their key path.

    Finding where each value came from reads the documents again: call it off the event loop.
    """
    engine = engine_of(live)
    thread = engine.thread
    checker = None if thread is None else thread.reload.checker
    leaves = Leaves()
    if checker is not None and checker.running is not None and reads_values(wanted):
        options = engine.options
        leaves = leaves_of(checker.running, checker.places, options.secrets, find, options.public)
    who = identity(engine.options.app)
    now = time.time()
    fleet = _fleet_of(engine.companion, now) if reads_values(wanted) else None
    return View(status, leaves, now, who, _release(), find, fleet)


def _fleet_of(companion: Companion | None, now: float) -> "Fleet | None":
    """Return all workers as the store thread knows them; nobody waits for the store here."""
    if companion is None:
        return None
    from .._state.companion import Memory  # loaded already, where there is a store

    return companion.fleet(now) if isinstance(companion, Memory) else None


def reads_values(wanted: Wanted) -> bool:
    """Return whether a format shows the values of the configuration."""
    return wanted in (Wanted.JSON, Wanted.HTML)


def _release() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("reloadcheck")
    except PackageNotFoundError:
        return "(not installed)"

"""What both apps of this rig have in common: an engine, and what a request tells.

Set up by environment variables, because each process of a server imports it anew: SERVERS_CONFIG is
the file, SERVERS_BARE leaves the door off, SERVERS_EARLY starts the engine at import, before a
server that loads the app first forks its workers.
"""

import json
import os
import signal

from reloadcheck import FrozenDict, ReloadCheck

__all__ = ["BARE", "HOLD_SECONDS", "LINE_SECONDS", "engine", "told"]

BARE = "SERVERS_BARE" in os.environ
HOLD_SECONDS = 0.03
LINE_SECONDS = 0.02


def engine() -> ReloadCheck[FrozenDict]:
    """Return the engine, which nobody needs to start."""
    live = ReloadCheck(os.environ["SERVERS_CONFIG"])
    if "SERVERS_EARLY" in os.environ and not BARE:
        live.start()
    return live


def told(path: str, config: FrozenDict | None) -> bytes:
    """Say who answers and from which configuration; -1 without our door."""
    said: dict[str, object] = {
        "pid": os.getpid(),
        "number": -1 if config is None else config["number"],
    }
    if path == "/signals":
        said["signals"] = _dispositions()
    return json.dumps(said).encode() + b"\n"


def _dispositions() -> dict[str, str]:
    """Name what each signal leads to, in words that are the same in another process."""
    found = {one.name: signal.getsignal(one) for one in signal.valid_signals() if one in _named}
    return {name: _in_words(what) for name, what in sorted(found.items())}


_named = set(signal.Signals)


def _in_words(what: object) -> str:
    if isinstance(what, signal.Handlers):
        return what.name
    return f"{getattr(what, '__module__', '')}.{getattr(what, '__qualname__', type(what).__name__)}"

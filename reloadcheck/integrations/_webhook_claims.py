"""Which worker of a host sends a webhook: the first that comes to it, by a file they share.

Where there is no such file to be had, everybody tells: twice is better than never.
"""

import json
import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final

__all__ = ["Claims"]

SAME_SECONDS: Final = 15.0
"""How long after its first telling a state is the same one, though others came after it."""

_MOST_BYTES: Final = 64 * 1024


class Claims:
    """The states that were told under one name, on this host and by this user."""

    def __init__(self, name: str, directory: str | None = None) -> None:
        user = os.getuid() if hasattr(os, "getuid") else "user"
        base = tempfile.gettempdir() if directory is None else directory
        self._directory = os.path.join(base, f"reloadcheck-{user}")
        self._path = os.path.join(self._directory, sha256(name.encode()).hexdigest()[:32])

    def first(self, key: str, now: float) -> bool:
        """Return whether nobody has told of this state yet; `now` is in epoch seconds."""
        try:
            with self._locked() as file:
                known = _read(file)
                recent = {name: at for name, at in known[1].items() if 0 <= now - at < SAME_SECONDS}
                if key == known[0] or key in recent:
                    return False
                _write(file, key, {**recent, key: now})
                return True
        except (OSError, ValueError, ImportError):
            return True

    @contextmanager
    def _locked(self) -> Generator[int]:
        """Open the file in a directory that is ours alone, and hold its lock for a moment."""
        import fcntl

        os.makedirs(self._directory, 0o700, exist_ok=True)
        found = os.lstat(self._directory)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise OSError("the directory is not ours alone")
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _read(file: int) -> tuple[str | None, dict[str, float]]:
    data = os.pread(file, _MOST_BYTES, 0)
    try:
        told: Any = json.loads(data) if data else {}
        recent: dict[Any, Any] = dict(told.get("recent") or {})
        return told.get("last"), {str(key): float(at) for key, at in recent.items()}
    except (ValueError, TypeError, AttributeError):
        return None, {}


def _write(file: int, last: str, recent: dict[str, float]) -> None:
    data = json.dumps({"last": last, "recent": recent}).encode()
    os.ftruncate(file, 0)
    os.pwrite(file, data, 0)

"""How the doctor asks a machine: /proc, cgroups, limits, one inotify watch; tests replace it."""

import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

__all__ = ["NO_LIMIT", "OPEN_FILES", "TASKS", "UWSGI", "Machine"]


def _optional(name: str) -> Any:
    """Import a module that not every system has; None where it is not there."""
    try:
        return import_module(name)
    except ImportError:
        return None


_RESOURCE = _optional("resource")
OPEN_FILES: int = getattr(_RESOURCE, "RLIMIT_NOFILE", 0)
TASKS: int = getattr(_RESOURCE, "RLIMIT_NPROC", 0)
NO_LIMIT: int = getattr(_RESOURCE, "RLIM_INFINITY", -1)


def _limit(number: int) -> tuple[int, int]:
    """Return a limit of this process, soft and hard; none on a system that has no such limits."""
    if _RESOURCE is None:
        return NO_LIMIT, NO_LIMIT
    soft, hard = _RESOURCE.getrlimit(number)
    return soft, hard


def _uid() -> int:
    ask: Callable[[], int] | None = getattr(os, "getuid", None)
    return 0 if ask is None else ask()


def _gids() -> frozenset[int]:
    own: Callable[[], int] | None = getattr(os, "getgid", None)
    all_of: Callable[[], list[int]] | None = getattr(os, "getgroups", None)
    return frozenset([*(all_of() if all_of else ()), *((own(),) if own else ())])


_PATIENCE = 3.0
_CLOEXEC = 0o2000000


@dataclass(frozen=True, slots=True)
class UWSGI:
    """The version of uWSGI that this runs in, and the names of the options that are set."""

    version: str
    options: frozenset[str]


def _answer(command: Sequence[str]) -> str | None:
    """Run a command that only tells; None when it is not there or says no."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _uwsgi() -> UWSGI | None:
    """Ask uWSGI's module, which exists only inside one of its processes."""
    try:
        module: Any = import_module("uwsgi")
    except ImportError:
        return None
    given: Mapping[Any, Any] = getattr(module, "opt", {})
    version: Any = getattr(module, "version", b"")
    return UWSGI(_spelled(version), frozenset(map(_spelled, given)))


def _spelled(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name


def _watch(directory: str) -> int:
    """Make an inotify instance with one watch, and end it; gives the error number, 0 for none."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.inotify_init1(_CLOEXEC)
    if descriptor < 0:
        return ctypes.get_errno()
    try:
        if libc.inotify_add_watch(descriptor, os.fsencode(directory), 0x2) < 0:
            return ctypes.get_errno()
    finally:
        os.close(descriptor)
    return 0


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look: the roots of two file systems of the kernel, and system calls."""

    proc: str = "/proc"
    cgroups: str = "/sys/fs/cgroup"
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    uid: int = field(default_factory=_uid)
    gids: frozenset[int] = field(default_factory=_gids)
    stat: Callable[[str | int], os.stat_result] = os.stat
    limit: Callable[[int], tuple[int, int]] = _limit
    answer: Callable[[Sequence[str]], str | None] = _answer
    uwsgi: Callable[[], UWSGI | None] = _uwsgi
    watch: Callable[[str], int] = _watch
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time

    def text(self, *parts: str) -> str | None:
        """Read a file below `/proc`; None when it is not there or not for us."""
        return _text(os.path.join(self.proc, *parts))

    def number(self, *parts: str) -> int | None:
        """Read a file below `/proc` that holds one number."""
        return _number(self.text(*parts))

    def cgroup_number(self, directory: str, name: str) -> int | None:
        """Read a number of a control group; None for `max` and where there is none."""
        return _number(_text(os.path.join(directory, name)))

    def processes(self) -> Iterator[str]:
        """Return the ids of this user's processes."""
        with suppress(OSError):
            for name in os.listdir(self.proc):
                if name.isdecimal() and self._is_own(name):
                    yield name

    def _is_own(self, pid: str) -> bool:
        try:
            return os.stat(os.path.join(self.proc, pid)).st_uid == self.uid
        except OSError:
            return False


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def _number(text: str | None) -> int | None:
    written = "" if text is None else text.strip()
    return int(written) if written.isdecimal() else None

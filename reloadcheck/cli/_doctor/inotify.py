"""Judges the kernel's limits on watching files, for who runs a watcher beside this package.

Nothing of ours watches; but a development server, a sidecar or `tail -f` that cannot watch any more
is often taken for a reload that did not come. See inotify(7).
"""

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from .finding import Finding, passed, warned
from .machine import Machine

__all__ = ["Use", "inotify", "use_of"]

_ROOT: Final = ("sys", "fs", "inotify")
_LINK: Final = "anon_inode:inotify"
_MUCH: Final = 0.8


@dataclass(frozen=True, slots=True)
class Use:
    """What processes of this user hold, and how much of it processes in our control group do."""

    instances: int
    watches: int
    instances_here: int
    watches_here: int


def inotify(directory: str, machine: Machine) -> list[Finding]:
    """Say how much watching is left to this user, by trying it too."""
    most, watches = _limit("instances", machine), _limit("watches", machine)
    queue = machine.number(*_ROOT, "max_queued_events")
    if most is None or watches is None:
        return [passed("inotify", "this system has none; nothing of reloadcheck needs it")]
    use, error = use_of(machine), machine.watch(directory)
    return [
        _judged("inotify instances", "instances", use.instances, most, use.instances_here)
        if error != errno.EMFILE
        else _used_up("inotify instances", "instances", use.instances, most),
        _judged("inotify watches", "watches", use.watches, watches, use.watches_here)
        if error != errno.ENOSPC
        else _used_up("inotify watches", "watches", use.watches, watches),
        passed("inotify queue", f"{queue} events fit before a watcher misses some"),
    ]


def _limit(what: str, machine: Machine) -> int | None:
    """Return the smaller of the machine's limit and that of this user namespace."""
    limits = (
        machine.number(*_ROOT, f"max_user_{what}"),
        machine.number("sys", "user", f"max_inotify_{what}"),
    )
    return min((limit for limit in limits if limit is not None), default=None)


def use_of(machine: Machine) -> Use:
    """Count what this user's processes hold, as far as this process may look."""
    own = machine.text("self", "cgroup")
    instances = watches = instances_here = watches_here = 0
    for pid in machine.processes():
        held = _watches_of(pid, machine)
        instances += len(held)
        watches += sum(held)
        if held and machine.text(pid, "cgroup") == own:
            instances_here += len(held)
            watches_here += sum(held)
    return Use(instances, watches, instances_here, watches_here)


def _watches_of(pid: str, machine: Machine) -> Sequence[int]:
    """Return, for each inotify instance of a process, how many watches it has."""
    directory = os.path.join(machine.proc, pid, "fd")
    held: list[int] = []
    with suppress(OSError):
        for name in os.listdir(directory):
            with suppress(OSError):
                if os.readlink(os.path.join(directory, name)) == _LINK:
                    told = machine.text(pid, "fdinfo", name) or ""
                    held.append(told.count("inotify wd:"))
    return held


def _judged(check: str, what: str, used: int, most: int, here: int) -> Finding:
    said = f"{used} of {most} in use by this user, {here} of them in this control group"
    if used < most * _MUCH:
        return passed(check, said)
    return warned(check, f"nearly used up: {said}", _remedy(what))


def _used_up(check: str, what: str, used: int, most: int) -> Finding:
    said = (
        f"used up: {used} of {most} are seen in use by this user, and the kernel gives no more; "
        "watchers fail, reloadcheck does without"
    )
    return warned(check, said, _remedy(what))


def _remedy(what: str) -> str:
    return f"end watchers that nobody needs, or raise fs.inotify.max_user_{what} by sysctl"

"""How many files and tasks this process and its control group may have."""

import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from .finding import Finding, passed, warned
from .machine import NO_LIMIT, OPEN_FILES, TASKS, Machine

__all__ = ["limits", "own_groups"]

_FEW_FILES: Final = 256
_FEW_TASKS: Final = 32
_MUCH: Final = 0.9


def limits(machine: Machine) -> list[Finding]:
    """Say whether there is room for two of each pool, and for the threads that build them."""
    return [_open_files(machine), _tasks(machine)]


def own_groups(machine: Machine) -> dict[str, str]:
    """Return the paths of the control groups of this process by controller; version 2 has none."""
    groups: dict[str, str] = {}
    for line in (machine.text("self", "cgroup") or "").splitlines():
        _, controllers, path = [*line.split(":", 2), "", "", ""][:3]
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def _open_files(machine: Machine) -> Finding:
    check = "open files"
    soft, hard = machine.limit(OPEN_FILES)
    said = f"{_spelled(soft)} for a process started from here, {_spelled(hard)} if it asks"
    remedy = "raise it: ulimit -n, LimitNOFILE= in a unit; during a reload two pools are open"
    if soft != NO_LIMIT and soft < _FEW_FILES:
        return warned(check, f"only {said}", remedy)
    used, most = _system_files(machine)
    if most and used >= most * _MUCH:
        return warned(
            check, f"{used} of {most} open on this machine", "raise fs.file-max by sysctl"
        )
    return passed(check, said)


def _system_files(machine: Machine) -> tuple[int, int]:
    told = (machine.text("sys", "fs", "file-nr") or "").split()
    return (int(told[0]), int(told[2])) if len(told) == 3 else (0, 0)


def _tasks(machine: Machine) -> Finding:
    check = "tasks"
    for where, used, most in _task_limits(machine):
        if used >= most * _MUCH or most - used < _FEW_TASKS:
            said = f"{used} of {most} in use {where}: an engine needs a few threads of its own"
            return warned(check, said, "raise it: TasksMax= in a unit, --pids-limit, ulimit -u")
    shown = [f"{used} of {most} in use {where}" for where, used, most in _task_limits(machine)]
    return passed(check, "; ".join(shown) or "not limited")


def _task_limits(machine: Machine) -> Iterator[tuple[str, int, int]]:
    """Return each limit on tasks that holds here: where, how many there are and may be."""
    for directory in _pids_groups(machine):
        most = machine.cgroup_number(directory, "pids.max")
        used = machine.cgroup_number(directory, "pids.current")
        if most is not None and used is not None:
            yield "in this control group", used, most
            break
    soft, _ = machine.limit(TASKS)
    if soft != NO_LIMIT and machine.uid != 0:  # root is not held to it
        yield "by this user", sum(_threads_of(pid, machine) for pid in machine.processes()), soft


def _pids_groups(machine: Machine) -> Iterator[str]:
    """Return the directories that may limit tasks, the innermost first."""
    groups = own_groups(machine)
    root = machine.cgroups if "pids" not in groups else os.path.join(machine.cgroups, "pids")
    inner = PurePosixPath(groups.get("pids", groups.get("", "/")).strip("/"))
    for path in (inner, *inner.parents):
        yield os.path.join(root, path)


def _threads_of(pid: str, machine: Machine) -> int:
    for line in (machine.text(pid, "status") or "").splitlines():
        if line.startswith("Threads:"):
            return int(line.split()[1])
    return 0


def _spelled(limit: int) -> str:
    return "no limit" if limit == NO_LIMIT else str(limit)

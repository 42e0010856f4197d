"""What the doctor says of a machine's limits: inotify, open files, tasks, a systemd service."""

import errno
import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reloadcheck.cli._doctor.finding import Level
from reloadcheck.cli._doctor.inotify import inotify
from reloadcheck.cli._doctor.limits import limits
from reloadcheck.cli._doctor.machine import Machine
from reloadcheck.cli._doctor.surroundings import systemd

from .machines import FAIL, PASS, WARN, always, levels, never


def limited(proc: Path, **numbers: int) -> None:
    """Write the kernel's numbers."""
    for name, number in numbers.items():
        path = proc.joinpath("sys", *name.split("__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n")


def test_a_system_without_inotify_is_fine(machine: Machine) -> None:
    """There is nothing to use up."""
    assert levels(inotify("/", machine)) == {"inotify": PASS}


@pytest.mark.parametrize(
    ("error", "instances", "watches"),
    [(0, PASS, PASS), (errno.EMFILE, WARN, PASS), (errno.ENOSPC, PASS, WARN)],
)
def test_what_the_kernel_refuses_is_used_up(
    machine: Machine, proc: Path, error: int, instances: Level, watches: Level
) -> None:
    """Whatever can be counted: the kernel knows of users that we may not look at."""
    limited(proc, fs__inotify__max_user_instances=128, user__max_inotify_instances=8)
    limited(proc, fs__inotify__max_user_watches=8192, fs__inotify__max_queued_events=16384)
    found = inotify("/", replace(machine, watch=always(error)))
    said = levels(found)
    assert (instances, watches) == (said["inotify instances"], said["inotify watches"])
    assert "0 of 8 " in found[0].said


def test_few_open_files_are_doubtful(machine: Machine) -> None:
    """Two pools are open during a reload; no limit is fine."""
    assert levels(limits(machine))["open files"] == PASS
    few = replace(machine, limit=always((64, 4096)))
    assert levels(limits(few))["open files"] == WARN
    none = replace(machine, limit=always((resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
    assert levels(limits(none))["open files"] == PASS


def test_a_machine_that_has_no_files_left_is_doubtful(machine: Machine, proc: Path) -> None:
    """The limit of the whole machine counts too."""
    (proc / "sys" / "fs").mkdir(parents=True)
    (proc / "sys" / "fs" / "file-nr").write_text("950\t0\t1000\n")
    assert levels(limits(machine))["open files"] == WARN


@pytest.mark.parametrize(
    ("used", "most", "level"),
    [("5", "max", PASS), ("5", "1000", PASS), ("960", "1000", WARN), ("20", "40", WARN)],
)
@pytest.mark.parametrize("version", [1, 2])
def test_the_control_groups_tasks_are_counted(
    machine: Machine, proc: Path, used: str, most: str, level: Level, version: int
) -> None:
    """The innermost group that sets a limit, in both versions of control groups."""
    line, root = ("0::/a/b", "") if version == 2 else ("4:pids:/a/b\n0::/", "pids")
    (proc / "self" / "cgroup").write_text(f"{line}\n")
    outer = Path(machine.cgroups, root, "a")
    (outer / "b").mkdir(parents=True)
    (outer / "b" / "pids.max").write_text("max\n")
    (outer / "b" / "pids.current").write_text(used)
    (outer / "pids.max").write_text(f"{most}\n")
    (outer / "pids.current").write_text(used)
    unlimited = replace(machine, limit=always((resource.RLIM_INFINITY, -1)))
    assert level == levels(limits(unlimited))["tasks"]


def test_the_tasks_of_a_user_are_counted_except_of_root(machine: Machine, proc: Path) -> None:
    """Threads count as tasks; root is not held to the limit."""
    (proc / "12").mkdir()
    (proc / "12" / "status").write_text("Name:\tx\nThreads:\t95\n")
    uid = os.getuid() or 1000
    if uid != os.getuid():
        os.chown(proc / "12", uid, -1)

    def limit(kind: int) -> tuple[int, int]:
        return (100, 100) if kind == resource.RLIMIT_NPROC else (1024, 4096)

    held = replace(machine, uid=uid, limit=limit)
    assert levels(limits(held))["tasks"] == WARN
    tightest = replace(held, limit=always((10, 10)))
    assert levels(limits(tightest))["tasks"] == WARN
    assert levels(limits(replace(tightest, uid=0)))["tasks"] == PASS


def served(machine: Machine, proc: Path, **settings: str) -> Machine:
    """Be run by a systemd service with these settings."""
    (proc / "self" / "cgroup").write_text("0::/system.slice/shop.service\n")
    told = "".join(f"{name}={value}\n" for name, value in settings.items())

    def answer(command: Sequence[str]) -> str:
        assert tuple(command[:3]) == ("systemctl", "show", "shop.service")
        return told

    return replace(machine, answer=answer)


@pytest.mark.parametrize(
    ("path", "settings", "level", "words"),
    [
        ("/tmp/c.yaml", {"PrivateTmp": "yes"}, WARN, "a /tmp of its own"),
        ("/tmp/c.yaml", {"PrivateTmp": "no"}, PASS, "run by shop.service"),
        (
            "/etc/c.yaml",
            {"PrivateTmp": "yes", "ProtectSystem": "strict"},
            PASS,
            "ProtectSystem=strict",
        ),
        ("/home/me/c.yaml", {"ProtectHome": "yes"}, FAIL, "does not see"),
        ("/home/me/c.yaml", {"ProtectHome": "read-only"}, PASS, "ProtectHome=read-only"),
        ("/srv/x/c.yaml", {"InaccessiblePaths": "/opt -/srv/x"}, FAIL, "does not see"),
        ("/srv/xy/c.yaml", {"InaccessiblePaths": "/opt -/srv/x"}, PASS, "run by"),
    ],
)
def test_what_a_systemd_service_hides_is_told(
    machine: Machine, proc: Path, path: str, settings: Mapping[str, str], level: Level, words: str
) -> None:
    """By its settings, as systemctl tells them."""
    (found,) = systemd([path], served(machine, proc, **settings))
    assert (level, True) == (found.level, words in found.said), found


def test_a_credential_of_systemd_is_a_copy(machine: Machine, proc: Path) -> None:
    """It does not change while the service runs."""
    inside = replace(served(machine, proc), environ={"CREDENTIALS_DIRECTORY": "/run/credentials/x"})
    (found,) = systemd(["/run/credentials/x/db"], inside)
    assert (found.level, "is a credential" in found.said) == (WARN, True)


def test_outside_of_a_service_nothing_is_asked(machine: Machine, proc: Path) -> None:
    """A login session and a container are none."""
    for line in ("0::/", "0::/user.slice/user-1.slice/session-1.scope"):
        (proc / "self" / "cgroup").write_text(f"{line}\n")
        (found,) = systemd(["/tmp/c.yaml"], replace(machine, answer=never))
        assert found.level == PASS
    (proc / "self" / "cgroup").write_text("0::/system.slice/shop.service\n")
    (found,) = systemd(["/tmp/c.yaml"], machine)
    assert (found.level, "does not tell its settings" in found.said) == (PASS, True)

"""How `doctor` asks a machine, and what it says where the machine does not tell."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import errno
import os
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reloadcheck.cli._doctor import grain, surroundings
from reloadcheck.cli._doctor.finding import Level
from reloadcheck.cli._doctor.grain import measured
from reloadcheck.cli._doctor.limits import _threads_of
from reloadcheck.cli._doctor.machine import UWSGI, Machine
from reloadcheck.cli._doctor.mounts import Mount, mount_of
from reloadcheck.cli._doctor.paths import _remedy, exposure, links, readable
from reloadcheck.cli._doctor.surroundings import python
from reloadcheck.sources import FileSource


def test_a_command_that_is_asked_answers_or_does_not() -> None:
    """What it prints; None where it says no or is not there."""
    ask = Machine().answer
    assert ask([sys.executable, "-Ic", "print('active')"]) == "active\n"
    assert ask([sys.executable, "-Ic", "raise SystemExit(3)"]) is None
    assert ask(["/nowhere/systemctl"]) is None


def test_inside_uwsgi_its_module_tells_version_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes or as text, as its releases have it; elsewhere there is no such module."""
    assert Machine().uwsgi() is None
    module: Any = ModuleType("uwsgi")
    module.version = b"2.0.26"
    module.opt = {b"enable-threads": True, "lazy-apps": b"true"}
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    assert Machine().uwsgi() == UWSGI("2.0.26", frozenset({"enable-threads", "lazy-apps"}))


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT])
def test_time_stamps_are_measured_where_no_file_can_be_without_a_name(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """On a hidden file then, which is gone afterwards."""
    seen: list[list[str]] = []
    real = os.open

    def open_(path: Any, flags: int, *given: Any, **more: Any) -> int:
        if path == str(tmp_path / "volume"):
            raise OSError(number, os.strerror(number))
        return real(path, flags, *given, **more)

    def stat(path: Any) -> os.stat_result:
        seen.append(os.listdir(tmp_path / "volume"))
        return os.stat_result([0] * 10, {"st_mtime_ns": len(seen) * 10**9})

    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(os, "open", open_)
    grain = measured(str(tmp_path / "volume"), replace(machine, stat=stat))
    assert grain.step == 1.0
    assert [name.startswith(".reloadcheck-") for (name,) in seen] == [True] * len(seen)
    assert os.listdir(tmp_path / "volume") == []


def test_a_coarse_clock_is_not_waited_for_in_a_busy_loop(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first writes it sleeps between them, until its 2.6 s are over: no step is seen."""
    now, naps = [0.0], list[float]()

    def nap(seconds: float) -> None:
        naps.append(seconds)
        now[0] += 1.0

    monkeypatch.setattr("reloadcheck.cli._doctor.grain.time.sleep", nap)
    still = os.stat(tmp_path)
    clocks = replace(machine, stat=lambda _: still, monotonic=lambda: now[0])
    assert measured(str(tmp_path), clocks).step is None
    assert len(naps) == 3


def test_steps_below_a_microsecond_are_told_in_nanoseconds() -> None:
    """As file systems stamp that count each of them."""
    spelled = [grain._spelled(step) for step in (2.0, 0.004, 4e-6, 1e-9)]
    assert spelled == ["2 s", "4 ms", "4 µs", "1 ns"]


def test_a_process_that_ends_while_it_is_counted_has_no_threads(
    machine: Machine, proc: Path
) -> None:
    """Its files are gone, or tell no number."""
    (proc / "7").mkdir()
    (proc / "7" / "status").write_text("Name:\tweb\n")
    (proc / "8").mkdir()
    (proc / "8" / "status").write_text("Name:\tweb\nThreads:\t4\n")
    assert [_threads_of(pid, machine) for pid in ("6", "7", "8")] == [0, 0, 4]


def test_a_line_of_mounts_that_is_cut_off_is_passed_over(machine: Machine, proc: Path) -> None:
    """The others are read all the same."""
    (proc / "self" / "mountinfo").write_text("2 1 0:4\n3 1 8:1 / / rw - ext4 /dev/sda1 rw\n4 1 -\n")
    mount = mount_of("/etc", machine)
    assert mount is not None
    assert (mount.number, mount.kind) == ("3", "ext4")


def test_a_file_that_need_not_be_there_is_well_when_it_is_not(tmp_path: Path) -> None:
    """It is optional, and that is said."""
    found = readable(FileSource(tmp_path / "local.yaml", optional=True), 1000)
    assert (found.level, found.said) == (
        Level.PASS,
        "is not there, which is allowed: it is optional",
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("permission denied", "let the application's user read the file"),
        ("is larger than 9 bytes", "raise max_bytes"),
        ("does not exist", "create it"),
        ("is a dangling link", "create it"),
        ("holds no files", "fill it"),
        ("is a socket", "put a readable file in its place"),
    ],
)
def test_what_cannot_be_read_has_its_remedy(reason: str, words: str) -> None:
    """By what is in the way."""
    assert _remedy(reason).startswith(words)


def test_a_link_that_goes_up_is_followed_up(tmp_path: Path) -> None:
    """A path with `..` in a link leads beside the directory, not into it."""
    (tmp_path / "releases" / "7").mkdir(parents=True)
    (tmp_path / "shared.yaml").write_text("a: 1\n")
    link = tmp_path / "releases" / "7" / "shop.yaml"
    link.symlink_to("../.././shared.yaml")
    found = links(str(link))
    assert found.level is Level.PASS
    assert found.said.endswith(f"it leads to {os.path.realpath(tmp_path / 'shared.yaml')}")
    beside = tmp_path / "releases" / "up.yaml"
    beside.symlink_to("../again.yaml")
    (tmp_path / "again.yaml").symlink_to("shared.yaml")
    assert f"{tmp_path}/again.yaml -> shared.yaml" in links(str(beside)).said


def test_who_else_may_write_is_judged_by_what_can_be_seen(tmp_path: Path, machine: Machine) -> None:
    """What went away meanwhile is passed over, and a read-only mount is nobody's to write."""
    places = {str(tmp_path): 0o40777}

    def stat(path: Any) -> os.stat_result:
        if path not in places:
            raise FileNotFoundError(path)
        return os.stat_result((places[path], *[0] * 9))

    blind = replace(machine, stat=stat)
    path = tmp_path / "shop.yaml"
    assert exposure(str(path), None, blind).level is Level.WARN
    mount = Mount("1", "/", "/", frozenset({"ro"}), "ext4", "/dev/sda1")
    found = exposure(str(path), mount, blind)
    assert (found.level, found.said) == (Level.PASS, "by nobody: it is mounted read-only here")


def test_a_directory_with_very_many_files_is_not_walked_to_its_end(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor looks at a thousand of them at most, and answers in time."""
    walked: list[str] = []

    def walk(real: str) -> Any:
        for number in range(9):
            walked.append(str(number))
            yield os.path.join(real, str(number)), [], [f"f{one}" for one in range(400)]

    looked: list[Any] = []

    def stat(path: Any) -> os.stat_result:
        looked.append(path)
        return os.stat_result((0o644, *[0] * 9))

    monkeypatch.setattr(os, "walk", walk)
    assert exposure(str(tmp_path), None, replace(machine, stat=stat)).level is Level.PASS
    assert walked == ["0", "1", "2"]
    assert len([path for path in looked if path.startswith(f"{tmp_path}/")]) == 1000


def test_a_python_that_is_too_old_and_a_package_that_is_not_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one fails; of the other, run from a checkout, nothing can be required."""

    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    monkeypatch.setattr(surroundings, "requires", requires)
    found = [*python()]
    assert [(one.level, one.check) for one in found][:2] == [
        (Level.FAIL, "python"),
        (Level.PASS, "packages"),
    ]
    told = [
        "reloadcheck[yaml]; extra == 'all'",
        "%",
        "pydantic>=2; extra == 'pydantic'",
        "orjson>=3",
    ]
    monkeypatch.setattr(surroundings, "requires", lambda _: told)
    needed = [*surroundings._requirements()]
    assert needed == [("pydantic", "2", True), ("orjson", "3", False)]

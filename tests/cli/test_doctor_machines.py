"""`doctor` on machines that are not this one: told by files and calls put in the kernel's place."""

import os
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from reloadcheck._engine.options import Options
from reloadcheck._schema.schema import schema_of
from reloadcheck.cli._doctor.finding import Level
from reloadcheck.cli._doctor.grain import time_stamps
from reloadcheck.cli._doctor.machine import UWSGI, Machine
from reloadcheck.cli._doctor.mounts import file_system, mount_of, pinned
from reloadcheck.cli._doctor.reader import reader
from reloadcheck.cli._doctor.surroundings import options, python, uwsgi

from .machines import FAIL, PASS, WARN, always, levels

SURROUNDINGS = "reloadcheck.cli._doctor.surroundings"


def mounted(proc: Path, kind: str, options: str, point: str = "/", root: str = "/") -> None:
    """Have one mount over the root, and another."""
    (proc / "self" / "mountinfo").write_text(
        "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"2 1 0:40 {root} {point} rw,relatime - {kind} server:/export {options}\n"
    )


@pytest.mark.parametrize(
    ("kind", "options", "level", "words"),
    [
        ("nfs4", "rw,vers=4.2", WARN, "60 s late (attribute cache)"),
        ("nfs", "rw,acregmax=30", WARN, "30 s late"),
        ("nfs4", "rw,actimeo=1", PASS, "kept for 1 s"),
        ("nfs4", "rw,noac", PASS, "kept for 0 s"),
        ("cifs", "rw", WARN, "from server:/export: edits made elsewhere show when"),
        ("9p", "rw", WARN, "edits made elsewhere"),
        ("fuse.sshfs", "rw", WARN, "edits made elsewhere"),
        ("fuseblk", "rw", PASS, "fuseblk, mounted at"),
        ("xfs", "rw", PASS, "xfs, mounted at"),
        ("btrfs", "rw", PASS, "btrfs, mounted at"),
        ("aufs", "rw", WARN, "a container's own layer"),
    ],
)
def test_file_systems_are_judged_by_what_edits_do_on_them(
    machine: Machine, proc: Path, tmp_path: Path, kind: str, options: str, level: Level, words: str
) -> None:
    """Networks are late as their options say, a container's layer is lost, the rest is fine."""
    point = str(tmp_path / "with space")
    os.mkdir(point)
    mounted(proc, kind, options, point.replace(" ", "\\040"))
    mount = mount_of(os.path.join(point, "config.yaml"), machine)
    found = file_system(mount)
    assert level == found.level
    assert words in found.said
    beside = mount_of(str(tmp_path / "with space too"), machine)
    assert beside is not None
    assert beside.kind == "ext4"


def test_of_two_mounts_at_one_point_the_later_counts(
    machine: Machine, proc: Path, tmp_path: Path
) -> None:
    """It lies over the earlier."""
    mounted(proc, "tmpfs", "rw", "/")
    mount = mount_of(str(tmp_path), machine)
    assert mount is not None
    assert mount.kind == "tmpfs"


@pytest.mark.parametrize(
    ("root", "level", "words"),
    [
        ("/", PASS, "its directory is mounted"),
        ("/pods/1/volume-subpaths/config/app/0", WARN, "(a subPath)"),
        ("/pods/1/config/..2026_11_20/app.yaml", FAIL, "pinned to one generation"),
        ("/srv/config.yaml//deleted", FAIL, "a pinned inode"),
    ],
)
def test_a_mounted_file_is_judged_by_what_is_mounted(
    machine: Machine, proc: Path, tmp_path: Path, root: str, level: Level, words: str
) -> None:
    """As Kubernetes and container engines mount it."""
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\n")
    mounted(proc, "ext4", "rw", "/" if root == "/" else str(path), root)
    found = pinned(str(path), mount_of(str(path), machine), path.stat())
    assert (level, True) == (found.level, words in found.said)


def test_a_file_that_was_replaced_outside_is_pinned_whatever_the_mounts_say(
    tmp_path: Path,
) -> None:
    """It has no name any more."""
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\n")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        path.unlink()
        found = pinned(str(path), None, os.fstat(descriptor))
    finally:
        os.close(descriptor)
    assert (found.level, "a pinned inode" in found.said) == (FAIL, True)


def test_without_mounts_to_read_nothing_is_doubted(machine: Machine, tmp_path: Path) -> None:
    """Another operating system, a `/proc` that is hidden."""
    assert mount_of(str(tmp_path), machine) is None
    assert [
        file_system(None).level,
        pinned(str(tmp_path), None, tmp_path.stat()).level,
    ] == [PASS, PASS]


class _Disk:
    """A disk whose stamps have coarse steps, seen at a time that passes with each look."""

    def __init__(self, step: float, look: float, ahead: float = 0.0, halts: int = 0) -> None:
        self._step, self._look, self._ahead, self._halts = step, look, ahead, halts
        self.now = 1_000_000.0

    def time(self) -> float:
        """Return the time, which passes."""
        self._halts -= 1
        self.now += self._look + (self._step * 3 if self._halts > 0 else 0)
        return self.now

    def stat(self, path: str | int) -> os.stat_result:
        """Stamp with the last full step."""
        stamp = (self.now + self._ahead) // self._step * self._step
        return os.stat_result(tuple(os.stat(path)), {"st_mtime_ns": int(stamp * 1e9)})


@pytest.mark.parametrize(
    ("step", "level", "words"),
    [
        (0.004, PASS, "in steps of 4 ms, measured"),
        (0.01, PASS, "in steps of 10 ms, measured"),
        (1.0, WARN, "in steps of 1 s, measured"),
        (2.0, WARN, "in steps of 2 s, measured"),
        (100.0, WARN, "in steps of more than 2.6 s"),
    ],
)
def test_time_stamps_are_measured(
    machine: Machine, tmp_path: Path, step: float, level: Level, words: str
) -> None:
    """The smallest step that is seen, for as long as the coarsest takes."""
    disk = _Disk(step, look=0.0005 if step < 1 else 0.05)
    found = time_stamps(
        str(tmp_path), replace(machine, stat=disk.stat, wall=disk.time, monotonic=disk.time)
    )
    assert (level, True) == (found.level, words in found.said), found


def test_a_machine_that_halts_now_and_then_measures_the_same(
    machine: Machine, tmp_path: Path
) -> None:
    """The smallest step counts, not the longest pause."""
    disk = _Disk(0.004, look=0.0005, halts=9)
    found = time_stamps(
        str(tmp_path), replace(machine, stat=disk.stat, wall=disk.time, monotonic=disk.time)
    )
    assert found.said == "in steps of 4 ms, measured"


@pytest.mark.parametrize(("ahead", "words"), [(40.0, "40 s ahead of"), (-3600.0, "3600 s behind")])
def test_a_file_server_with_another_clock_is_told(
    machine: Machine, tmp_path: Path, ahead: float, words: str
) -> None:
    """Its stamps are not those of this machine."""
    disk = _Disk(0.001, look=0.0005, ahead=ahead)
    found = time_stamps(
        str(tmp_path), replace(machine, stat=disk.stat, wall=disk.time, monotonic=disk.time)
    )
    assert (found.level, words in found.said) == (WARN, True), found


@pytest.mark.parametrize(
    ("version", "given", "level", "words"),
    [
        ("2.0.26", "master", FAIL, "without threads"),
        ("2.0.26", "enable-threads", PASS, "without fork hooks"),
        ("2.0.26", "threads lazy-apps", PASS, "loads the application for itself"),
        ("2.0.27", "master", PASS, "without fork hooks"),
        ("2.1", "py-call-uwsgi-fork-hooks", PASS, "with fork hooks"),
    ],
)
def test_uwsgi_without_threads_is_broken(
    machine: Machine, version: str, given: str, level: Level, words: str
) -> None:
    """Before it let threads run unasked, no engine ever did; elsewhere nothing is said."""
    inside = replace(machine, uwsgi=lambda: UWSGI(version, frozenset(given.split())))
    (found,) = uwsgi(inside)
    assert (level, True) == (found.level, words in found.said)
    assert uwsgi(machine) == []


def test_old_and_missing_packages_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what this package's own metadata asks for; an extra may be absent but not old."""
    needs = ["starlette>=1.0", "blake3>=1.0", 'msgspec>=0.19; extra == "msgspec"']
    needs += ['pydantic>=2.10; extra == "pydantic"', 'ruff>=99; extra == "test"']
    have = {"starlette": "0.52.1", "msgspec": "0.18.6"}

    def version(name: str) -> str:
        if name in have:
            return have[name]
        raise PackageNotFoundError(name)

    monkeypatch.setattr(f"{SURROUNDINGS}.requires", always(needs))
    monkeypatch.setattr(f"{SURROUNDINGS}.version", version)
    (found,) = [one for one in python() if one.check == "packages"]
    assert found.level == FAIL
    assert found.said == (
        "starlette 0.52.1 is older than 1.0; blake3 is not installed; msgspec 0.18.6 is older "
        "than 0.19"
    )
    have.update(starlette="1.0", blake3="1.0.5", msgspec="0.19")
    (found,) = [one for one in python() if one.check == "packages"]
    assert (found.level, found.said) == (PASS, "starlette 1.0, blake3 1.0.5, msgspec 0.19")


def test_a_missing_c_loader_is_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML is read all the same, slowly."""
    assert levels(python())["yaml"] == PASS
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert levels(python())["yaml"] == WARN


@pytest.mark.parametrize(
    ("environ", "given", "expected"),
    [
        ({}, None, [PASS]),
        ({"RELOAD_CHECK_ENABLED": "no"}, None, [WARN]),
        ({"RELOAD_CHECK_VERIFY": "none"}, None, [WARN]),
        ({"RELOAD_CHECK_WINDOW": "soon"}, None, [FAIL]),
        ({}, Options(enabled=False, verify=None), [WARN, WARN]),
        ({"RELOAD_CHECK_WINDW": "5"}, None, [WARN]),
        ({"RELOAD_CHECK_WINDW": "5"}, Options(), [WARN]),
        ({"RELOAD_CHECK_STATUS_TOKEN": "a-long-token"}, None, [WARN]),
        ({"RELOAD_CHECK_STATUS_PATH": "/s"}, None, [WARN]),
        ({"RELOAD_CHECK_STATUS_PATH": "/s", "RELOAD_CHECK_STATUS_TOKEN": "short"}, None, [FAIL]),
        ({"RELOAD_CHECK_STATUS_PATH": "/s", "RELOAD_CHECK_STATUS_TOKEN": "t" * 12}, None, [PASS]),
    ],
)
def test_what_is_switched_off_is_told(
    machine: Machine, environ: dict[str, str], given: Options | None, expected: list[Level]
) -> None:
    """By code or by the environment; a variable that does not parse stops an application."""
    found = options(given, replace(machine, environ=environ))
    assert expected == [one.level for one in found]


def _copied(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a copy."""
    return dict(tree)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (None, "no schema"),
        (_copied, "a function"),
        (Machine, "Machine is read by the rules of this package, whatever else is installed"),
    ],
)
def test_who_reads_the_schema_is_told(schema: object, said: str) -> None:
    """Whose rules decide what a file may hold is one of the findings."""
    read_by = reader(schema_of(cast("Any", schema)))
    assert (read_by.level, read_by.check) == (PASS, "schema")
    assert said in read_by.said

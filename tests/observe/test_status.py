"""What `live.status()` tells of a running engine, on real files where it is about files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import DirectorySource, FileSource, Outcome, ReloadCheck
from reloadcheck._observe.history import KEPT
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Text, same, until

CANARY = "canary-41aa"


def volume(directory: Path, generation: str, **files: str) -> Path:
    """Write a volume as Kubernetes does: a directory for each generation, one link swapped."""
    inner = directory / generation
    inner.mkdir(parents=True)
    for name, text in files.items():
        (inner / f"{name}.yaml").write_text(text)
        link = directory / f"{name}.yaml"
        if not link.is_symlink():
            link.symlink_to(f"..data/{name}.yaml")
    beside = directory / "..data_tmp"
    beside.symlink_to(generation)
    os.replace(beside, directory / "..data")
    return inner


def test_sources_tell_where_they_lead(tmp_path: Path) -> None:
    """Path, resolved path and a volume's generation are told, and follow the volume's swap."""
    mounted = tmp_path / "volume"
    first = volume(mounted, "..2026_01", app="a: 1\n")
    plain = tmp_path / "plain.yaml"
    plain.write_text("b: 1\n")
    (tmp_path / "link.yaml").symlink_to("plain.yaml")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "pin").write_text(CANARY)
    sources = (
        mounted / "app.yaml",
        tmp_path / "link.yaml",
        DirectorySource(secrets),
        FileSource(tmp_path / "none.yaml", optional=True),
        Text("c: 1", name="memory.yaml"),
    )
    live: ReloadCheck[Any] = ReloadCheck(*sources, settle=0.0, environ={})
    live.start()
    try:
        app, link, directory, none, memory = live.status().sources
        assert (str(mounted / "app.yaml"), str(first / "app.yaml"), "..2026_01") == (
            app.path,
            app.resolved,
            app.generation,
        )
        assert (str(plain), None) == (link.resolved, link.generation)
        assert (str(secrets), True) == (directory.resolved, directory.confidential)
        assert str(tmp_path / "none.yaml") == none.path
        assert (memory.name, memory.path, memory.resolved) == ("memory.yaml", None, None)
        live.check()
        second = volume(mounted, "..2026_02", app="a: 2\n")
        live.check()
        moved = live.status().sources[0]
        assert (str(second / "app.yaml"), "..2026_02") == (moved.resolved, moved.generation)
    finally:
        live.close()


def test_a_directorys_generation_is_told(tmp_path: Path) -> None:
    """A projected directory, read key by key, has a generation too."""
    inner = tmp_path / "..2026_03"
    inner.mkdir()
    (inner / "key").write_text("value")
    (tmp_path / "..data").symlink_to("..2026_03")
    (tmp_path / "key").symlink_to("..data/key")
    live: ReloadCheck[Any] = ReloadCheck(DirectorySource(tmp_path), settle=0.0, environ={})
    live.start()
    try:
        (place,) = live.status().sources
        assert (str(inner), "..2026_03") == (place.resolved, place.generation)
    finally:
        live.close()


def test_resources_tell_generation_version_and_leases(make: Make, text: Text) -> None:
    """Each resource tells which one of its kind serves, since which version, and for how many."""
    live = make(settle=0.0)
    live.resource("a", name="first")(same)
    live.resource("b", name="second")(same)
    live.start()
    live.check()
    with live.lease() as snapshot:
        assert [*snapshot.resources.values()] == [1, 1]
        text.write("a: 2\nb: 1\n")
        live.check()
        live.check()
        with live.lease():  # joins the unit of work around it, and so the older version
            first, second = live.status().resources
        assert (first.builds, first.version, first.instances) == (2, 2, 2)
        assert (second.builds, second.version, second.instances) == (1, 1, 1)
        assert (first.leases, second.leases) == (1, 1)
    until(lambda: live.status().resources[0].instances == 1)
    assert [one.leases for one in live.status().resources] == [0, 0]


def test_the_first_load_is_no_edit(make: Make, text: Text) -> None:
    """Swaps, edits and rejections are counted apart; phases with how often and how long."""
    live = make(settle=0.0)
    live.start()
    live.check()
    status = live.status()
    assert (status.reloads, status.edits, status.rejections) == (1, 0, 0)
    text.write("a: 2")
    live.check()
    text.write("a: [")
    live.check()
    live.check()
    status = live.status()
    assert (status.reloads, status.edits, status.rejections) == (2, 1, 1)
    counts = {name: count for name, count, _ in status.seconds}
    assert counts == {"read": 3, "parse": 3, "build": 2}
    assert all(total >= 0 for *_, total in status.seconds)


def test_the_history_tells_the_last_attempts(make: Make, text: Text, clock: FakeClock) -> None:
    """Each swap, rejection and recovery is one entry with its time; a repeated cause is not."""
    live = make(settle=0.0)
    live.start()
    live.check()
    clock.advance(5.0)
    text.write(f"a: {CANARY}\nb: 1\n")
    live.check()
    live.check()
    text.write(f"a: [{CANARY}")
    for _ in range(3):
        live.check()
    text.write(f"a: {CANARY}\nb: 1\n")
    live.check()
    history = live.status().history
    assert [one.outcome for one in history] == [
        Outcome.RELOADED,
        Outcome.RELOADED,
        Outcome.REJECTED,
        Outcome.UNCHANGED,
    ]
    assert [one.first for one in history] == [True, False, False, False]
    assert [one.code for one in history] == [None, None, "syntax", None]
    assert [one.version for one in history] == [1, 2, 2, 2]
    assert history[1].changed == ("a",)
    assert history[1].at - history[0].at == 5.0
    assert CANARY not in repr(live.status())


def test_the_history_does_not_grow(make: Make, text: Text) -> None:
    """Only so many attempts are remembered, the newest, and of many changed keys the first."""
    live = make(settle=0.0)
    live.start()
    live.check()
    for number in range(KEPT + 5):
        text.write("".join(f"k{key}: {number}\n" for key in range(50)))
        live.check()
        live.check()
    history = live.status().history
    assert len(history) == KEPT
    assert history[-1].version == KEPT + 6
    assert (len(history[-1].changed), history[-1].changes) == (20, 50)


@pytest.mark.parametrize("given", [str, FileSource])
def test_a_file_is_told_by_its_whole_path(
    given: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path as it was written is told with where it is, whatever the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.yaml").write_text("a: 1\n")
    live: ReloadCheck[Any] = ReloadCheck(given(Path("app.yaml")), settle=0.0, environ={})
    live.start()
    try:
        (place,) = live.status().sources
        assert ("app.yaml", str(tmp_path / "app.yaml")) == (place.name, place.path)
    finally:
        live.close()

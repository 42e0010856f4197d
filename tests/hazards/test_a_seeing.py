"""Every way of writing the file is seen by a running engine, and nothing else makes it reload.

The stamps are old here and content is never hashed for its age (`verify=None`), so that it is the
stamp alone that gives each writer away.

Long because each writer that people use has its row, and each row its way of writing.
"""

import logging
import mmap
import os
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Document, FileSource, FrozenDict, Layer, Outcome, ReloadCheck, ReloadEvent
from reloadcheck.sources import Disk
from reloadcheck.testing import FakeClock
from reloadcheck.types import Pause
from tests.hazards.rig import Plain, Traffic, aged, engine, logged, replace
from tests.support.rig import Call, Text, until

OLD, NEW = "word: one\n", "word: two\n"
THEN = "2020-02-02 02:02:02"
LIVE_SECONDS = 1.0 + 0.25 + 0.1
"""A window, the time to settle, and a little."""


def run(*command: str | Path) -> None:
    """Run a program, as an operator would."""
    subprocess.run([str(word) for word in command], check=True, timeout=30)


def cp(path: Path, other: Path) -> None:
    """Copy with all attributes."""
    run("cp", "-p", other, path)


def dd(path: Path, other: Path) -> None:
    """Do what `rsync -t --inplace` does: write into the file, then give it the other's time."""
    run("dd", f"if={other}", f"of={path}", "conv=notrunc", "status=none")
    run("touch", "-r", other, path)


def tar(path: Path, other: Path) -> None:
    """Unpack an archive over it."""
    archive = path.with_name("archive.tar")
    with tarfile.open(archive, "w") as file:
        file.add(other, path.name)
    run("tar", "-xf", archive, "-C", path.parent)


def mv(path: Path, other: Path) -> None:
    """Move over it."""
    run("mv", other, path)


def touched(when: str) -> Callable[[Path, Path], None]:
    """Write, then set the time."""

    def write(path: Path, other: Path) -> None:
        path.write_bytes(other.read_bytes())
        run("touch", "-d", when, path)

    return write


def relink(path: Path, other: Path) -> None:
    """Put a link in its place."""
    run("ln", "-sfn", other, path)


WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "cp -p": cp,
    "in place, times set": dd,
    "tar x": tar,
    "mv": mv,
    "touch -d the same time": touched(THEN),
    "touch -d an older time": touched("2019-01-01"),
    "mtime 0": touched("@0"),
    "mtime in ten years": touched("now + 10 years"),
    "a link to another file": relink,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file, beside an older one of equal size and mtime with other words."""
    for name, content in (("other.yaml", NEW), ("app.yaml", OLD)):
        (tmp_path / name).write_text(content)
        run("touch", "-d", THEN, tmp_path / name)
    return tmp_path / "app.yaml"


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_every_writer_is_seen_by_the_next_check(
    path: Path, write: Callable[[Path, Path], None]
) -> None:
    """Whatever a program does to size and mtime; also by one that sets the clock wrong."""
    clock = FakeClock(aged(path))
    with engine(path, clock=clock, verify=None, settle=0.25) as live:
        write(path, path.with_name("other.yaml"))
        assert Call(live.check).result(clock) is Outcome.RELOADED
        assert live.snapshot.config.word == "two"


@pytest.mark.parametrize("command", [["touch"], ["chmod", "600"], ["ln"]], ids=lambda c: c[0])
def test_what_changes_no_byte_reloads_nothing(path: Path, command: list[str]) -> None:
    """A bare touch, a chmod, a further link: same snapshot, no event."""
    clock = FakeClock(aged(path))
    events: list[ReloadEvent] = []
    with engine(path, clock=clock, verify=None, settle=0.25) as live:
        live.subscribe(events.append)
        before, stamp = live.snapshot, path.stat()
        more = [path.with_name("link.yaml")] if command == ["ln"] else []
        run(*command, path, *more)
        assert path.stat() != stamp
        assert Call(live.check).result(clock) is Outcome.UNCHANGED
        assert live.snapshot is before
    assert events == []


@pytest.mark.parametrize("tick", [0.01, 1.0, 2.0])
def test_a_write_that_its_tick_hides_is_live_at_the_next_check(path: Path, tick: float) -> None:
    """Equal size, equal file, equal times on a coarse clock: the stamp is too young to be trusted.

    Once it has aged the content is not read again.
    """
    clock = FakeClock(1_000_000.0)
    written = clock.wall()
    reads: list[int] = []

    def coarse(target: str | int) -> os.stat_result:
        at = int(written // tick * tick * 1e9)
        return os.stat_result(tuple(os.stat(target)), {"st_mtime_ns": at, "st_ctime_ns": at})

    def reading(descriptor: int, size: int) -> bytes:
        reads.append(size)
        return os.read(descriptor, size)

    source = FileSource(path, disk=Disk(stat=coarse, lstat=coarse, read=reading))
    with engine(source, clock=clock, verify=None) as live:
        for text, word in ((NEW, "two"), (OLD, "one"), (NEW, "two")):
            path.write_text(text)
            assert live.check() is Outcome.RELOADED
            assert live.snapshot.config.word == word
            assert live.check() is Outcome.UNCHANGED
        clock.advance(3.0)
        assert live.check() is Outcome.UNCHANGED
        read = len(reads)
        assert live.check() is Outcome.UNCHANGED
        assert len(reads) == read


def test_a_write_in_any_gap_of_a_check_is_live_after_the_next(path: Path) -> None:
    """Before each of the calls that a check makes, to its very last, another edit comes.

    The stamp that is kept is from before the read, so the next look finds another one.
    """
    left, word = [0], [""]

    def turn() -> None:
        left[0] -= 1
        if left[0] == 0:
            write()

    def write() -> None:
        word[0] = f"{int(word[0] or '100') + 1}"
        path.write_text(f"word: {word[0]}\n")

    def stat(target: str | int) -> os.stat_result:
        turn()
        return os.stat(target)

    def opening(target: str, flags: int) -> int:
        turn()
        return os.open(target, flags)

    def reading(descriptor: int, size: int) -> bytes:
        turn()
        return os.read(descriptor, size)

    def link(target: str) -> str:
        turn()
        return os.readlink(target)

    disk = Disk(stat=stat, lstat=stat, open=opening, read=reading, readlink=link)
    clock = FakeClock(aged(path))
    with engine(FileSource(path, disk=disk), clock=clock, verify=None) as live:
        for gap in range(1, 200):
            write()
            left[0] = gap
            Call(live.check).result(clock)
            used_up, left[0] = left[0] > 0, 0
            Call(live.check).result(clock)
            assert word[0] == f"{live.snapshot.config.word}", gap
            if used_up:
                break
        else:
            pytest.fail("a check makes two hundred calls")
    assert gap > 20


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """Return a directory where no disk writes back, which would move the times of a mapped file."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="rc-", dir=memory) as name:
        yield Path(name)


def test_stores_through_a_mapping_are_live_within_verify(in_memory: Path) -> None:
    """No stamp tells of them; the content is hashed again every `verify` seconds."""
    path = in_memory / "app.yaml"
    path.write_text(OLD)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
        mapping[0] = mapping[0]  # the first store moves the times, those after it do not
        clock = FakeClock(aged(path))
        with engine(path, clock=clock, verify=30.0) as live:
            stamp = path.stat()
            mapping[:] = NEW.encode()
            assert path.stat() == stamp
            clock.advance(29.0)
            assert live.check() is Outcome.UNCHANGED
            assert live.snapshot.config.word == "one"
            clock.advance(1.5)
            assert live.check() is Outcome.RELOADED
            assert live.snapshot.config.word == "two"


def test_three_hundred_editor_saves_log_no_error(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Renamed away, created, written: the file is missing, empty, half written, each time."""
    caplog.set_level(logging.INFO)
    away = path.with_name("app.yaml~")
    with engine(path, window=0.01, settle=1.0) as live, Traffic(live) as traffic:
        until(lambda: traffic.configs)
        for number in range(300):
            path.rename(away)
            if number % 100 == 50:
                time.sleep(0.05)  # long enough to be found missing, not to be believed
            with path.open("w") as file:
                file.write(f"number: {number}")
                file.flush()
                file.write("000\n")
            away.unlink()
            time.sleep(0.001)
            if number % 100 == 99:  # now and then the user looks whether it is live
                until(lambda: traffic.configs[-1].get("number") == number * 1000)  # noqa: B023
        until(lambda: live.check() is Outcome.UNCHANGED)
        assert live.snapshot.config.number == 299_000
    assert logged(caplog) == []
    numbers = [config.get("number", 0) for config in traffic.configs]
    assert {0, 99_000, 199_000} <= set(numbers) <= set(range(0, 300_000, 1000))


@pytest.mark.parametrize("step", [-3600.0, 10 * 365 * 86400.0], ids=["-1 h", "+10 years"])
def test_setting_the_wall_clock_changes_no_cadence(step: float) -> None:
    """A step of an hour back, or of ten years ahead: an edit is live as soon as ever."""

    def seconds_to_live(stepping: bool) -> float:
        clock = FakeClock()
        text = Text("a: 1\n", clock)
        with engine(text, clock=clock, settle=0.25, window=1.0, verify=None) as live:
            text.write("a: 2\n")
            if stepping:
                clock.set_wall(clock.wall() + step)
            begun = clock.monotonic()
            until(lambda: _ask(live) == 2, clock)
            return clock.monotonic() - begun

    def _ask(live: Plain) -> int:
        with live.lease() as snapshot:
            return int(snapshot.config.a)

    for stepping in (False, True):
        # The best of some: time on this clock also passes while the machine is busy elsewhere.
        found = [seconds_to_live(stepping)]
        while len(found) < 4 and min(found) > LIVE_SECONDS:
            found.append(seconds_to_live(stepping))
        assert min(found) <= LIVE_SECONDS


@pytest.mark.parametrize("step", [-3600.0, 10 * 365 * 86400.0], ids=["-1 h", "+10 years"])
@pytest.mark.parametrize("seen", [False, True], ids=["before a look", "while it settles"])
def test_setting_the_wall_clock_ends_no_wait_early_or_late(step: float, seen: bool) -> None:
    """What was written a moment ago settles, whatever the wall clock makes of its age."""
    clock = FakeClock()
    text = Text("a: 1\n", clock)
    with engine(text, clock=clock, settle=0.25, window=60.0, verify=None) as live:
        looks = text.stamped
        text.write("a: 2\n")
        begun = clock.monotonic()
        if not seen:
            clock.set_wall(clock.wall() + step)
        checking = Call(live.check)
        if seen:
            until(lambda: text.stamped > looks)
            clock.set_wall(clock.wall() + step)
        assert checking.result(clock) is Outcome.RELOADED
        assert 0.25 <= clock.monotonic() - begun < 2.5


class Counted(FileSource):
    """A file that counts how often it is parsed."""

    parsed = 0

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Count, and parse."""
        self.parsed += 1
        return super().layer(documents, below, pause)


def test_there_and_back_again_needs_no_reload(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A, B and A before anybody looked; a comment; a bad edit taken back: one build for all.

    Content that runs is not parsed again, nor validated when only its comments are new.
    """
    caplog.set_level(logging.INFO)
    built: list[str] = []
    validated: list[object] = []

    def schema(tree: dict[str, Any]) -> FrozenDict:
        validated.append(tree)
        return FrozenDict(tree)

    source = Counted(path)
    live = ReloadCheck(source, schema=schema, settle=0.0, environ={})

    @live.resource("word")
    def word(value: str) -> str:
        built.append(value)
        return value

    live.start()
    live.check()
    before = live.snapshot
    replace(path, NEW)
    replace(path, OLD)
    assert live.check() is Outcome.UNCHANGED
    assert source.parsed == 1
    commented = f"# why\n{OLD}# and how\n"
    replace(path, commented)
    assert live.check() is Outcome.UNCHANGED
    assert source.parsed == 2
    replace(path, "word: [\n")
    assert live.check() is Outcome.REJECTED
    assert live.status().error is not None
    replace(path, commented)
    assert live.check() is Outcome.UNCHANGED
    assert (live.status().error, live.status().code) == (None, None)
    assert source.parsed == 3
    replace(path, OLD)
    assert live.check() is Outcome.UNCHANGED
    assert live.snapshot is before
    assert (built, len(validated)) == (["one"], 1)
    assert word.name == "word"
    assert len(logged(caplog)) == 1
    assert (
        logged(caplog, logging.INFO)[-1]
        == "the configuration is good again; version 1 was never interrupted"
    )
    live.close()


def test_what_was_taken_back_is_not_held_against_the_next_edit() -> None:
    """While that settles, the status tells of no error: the last one's cause has gone."""
    clock = FakeClock()
    text = Text("a: 1\n", clock)
    with engine(text, clock=clock, settle=0.25, window=60.0, verify=None) as live:
        text.write("a: [\n")
        assert Call(live.check).result(clock) is Outcome.REJECTED
        text.write("a: 1\n")
        assert Call(live.check).result(clock) is Outcome.UNCHANGED
        checks = live.status().checks
        text.write("a: 2\n")
        checking = Call(live.check)
        until(lambda: live.status().checks > checks and live.status().outcome is Outcome.DEFERRED)
        assert live.status().error is None
        assert checking.result(clock) is Outcome.RELOADED

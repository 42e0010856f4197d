"""Writers that race the reader: no stale content, no content that was not written whole."""

import math
import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reloadcheck._engine.settle import Quiet
from reloadcheck.exceptions import SourceError, TornError
from reloadcheck.sources import Disk, FileSource
from reloadcheck.types import Stamp

LIMIT = 1 << 20
WALL = 1_800_000_000.0


def text(number: int) -> bytes:
    """Return a configuration of three pages that tells its number in each line."""
    return b"%08d\n" % number * 1400


def test_ten_thousand_rewrites_under_the_reader_leave_nothing_stale(tmp_path: Path) -> None:
    """What is held under the present stamp is the present content, after every round."""
    path = tmp_path / "app.yaml"
    path.write_bytes(text(0))
    source = FileSource(path)
    rounds = 10_000
    gate = threading.Barrier(2, timeout=30)

    def writing() -> None:
        for number in range(1, rounds + 1):
            fresh = tmp_path / "fresh"
            fresh.write_bytes(text(number))
            gate.wait()
            fresh.replace(path)
            gate.wait()

    thread = threading.Thread(target=writing, daemon=True)
    thread.start()
    held: tuple[Stamp, bytes] | None = None
    stale = mixed = read = 0
    for number in range(1, rounds + 1):
        gate.wait()
        try:
            stamp = source.stamp()
            (document,) = source.read(stamp, LIMIT)
        except TornError:
            pass
        else:
            held = stamp, document.data
            read += 1
            mixed += document.data not in (text(number - 1), text(number))
        gate.wait()
        stale += held is not None and held[0] == source.stamp() and held[1] != text(number)
    thread.join(30)
    assert (stale, mixed) == (0, 0)
    assert read > 100  # or the race would have been run by the writer alone


class Interrupted:
    """A disk that lets a writer in just before its n-th call."""

    def __init__(self, before: int, write: Callable[[], None]) -> None:
        self.left = before
        self.write = write

    def disk(self) -> Disk:
        """Return the calls, each with the writer before it."""
        real = Disk()

        def turn() -> None:
            self.left -= 1
            if self.left == 0:
                self.write()

        def opening(path: str, flags: int) -> int:
            turn()
            return real.open(path, flags)

        def stat(path: str | int) -> os.stat_result:
            turn()
            return real.stat(path)

        def reading(descriptor: int, size: int) -> bytes:
            turn()
            return real.read(descriptor, min(size, 5000))

        def closing(descriptor: int) -> None:
            turn()
            real.close(descriptor)

        return Disk(open=opening, stat=stat, lstat=stat, read=reading, close=closing)


def _in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(text(2))


def _anew(path: Path) -> None:
    path.write_bytes(text(2))


def _renamed(path: Path) -> None:
    fresh = path.with_name("fresh")
    fresh.write_bytes(text(2))
    fresh.replace(path)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("write", [_in_place, _anew, _renamed, _emptied])
def test_a_write_in_any_gap_between_two_calls_is_seen(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    """Either the read is torn, or it gave the old bytes whole and the stamp has moved since."""
    path = tmp_path / "app.yaml"
    torn = 0
    for gap in range(1, 100):
        path.write_bytes(text(1))
        stamp = FileSource(path).stamp()
        interrupted = Interrupted(gap, lambda: write(path))
        try:
            (document,) = FileSource(path, disk=interrupted.disk()).read(stamp, LIMIT)
        except TornError:
            torn += 1
            assert interrupted.left <= 0
            continue
        assert document.data == text(1)
        if interrupted.left > 0:
            break
    else:
        pytest.fail("the protocol makes a hundred calls")
    # open, fstat, four reads (of at most 5,000 bytes, the last one empty), fstat, close, stat.
    assert torn == gap - 1 == 9


def test_the_open_file_is_asked_again_where_paths_are_cached(tmp_path: Path) -> None:
    """A network file system may answer for a path from memory; the descriptor knows better."""
    path = tmp_path / "app.yaml"
    path.write_bytes(text(1))
    cached = os.stat(path)

    def stat(target: str | int) -> os.stat_result:
        return os.stat(target) if isinstance(target, int) else cached

    def reading(descriptor: int, size: int) -> bytes:
        _in_place(path)
        return os.read(descriptor, size)

    source = FileSource(path, disk=Disk(stat=stat, lstat=stat, read=reading))
    with pytest.raises(TornError):
        source.read(source.stamp(), LIMIT)


def _stepwise(name: str, path: Path, data: bytes) -> Iterator[None]:
    """Write `data` in a writer's way, and stop wherever the writer could be interrupted."""
    if name == "rename":
        fresh = path.with_name("fresh")
        with fresh.open("wb", buffering=0) as file:
            for start in range(0, len(data), 4000):
                file.write(data[start : start + 4000])
                yield
        fresh.replace(path)
        return
    if name == "rename away, create":
        path.replace(path.with_name("app.yaml~"))
        yield
    with path.open("r+b" if name == "in place" else "wb", buffering=0) as file:
        yield
        for start in range(0, len(data), 4000):
            file.write(data[start : start + 4000])
            yield
        file.truncate()


@pytest.mark.parametrize("gap", [0.0, 0.001, 0.1, 0.24])
@pytest.mark.parametrize("name", ["truncate", "in place", "rename", "rename away, create"])
def test_what_has_settled_was_written_whole(tmp_path: Path, name: str, gap: float) -> None:
    """With pieces less than `settle` apart, and looks at any moment, no torn bytes get through."""
    dice = random.Random(f"{name} {gap}")
    path = tmp_path / "app.yaml"
    path.write_bytes(text(0))
    source = FileSource(path)
    quiet = Quiet(0.25)
    whole = {text(0)}
    accepted: list[bytes] = []
    now = 100.0

    def look() -> None:
        try:
            stamp = source.stamp()
            if not quiet.look(stamp.value, int((WALL + now) * 1e9), now, WALL + now):
                return
            (document,) = source.read(stamp, LIMIT)
        except SourceError:
            return
        accepted.append(document.data)

    for number in range(1, 40):
        data = text(number)[: dice.choice([11_000, 12_600])]
        for _ in _stepwise(name, path, data):
            for part in sorted(dice.random() for _ in range(3)):
                at, now = now, now + gap * part
                look()
                now = at
            now += gap
        whole.add(data)
        for _ in range(8):
            now += 0.1
            look()
        assert accepted[-1] == data
    assert [data for data in accepted if data not in whole] == []


@pytest.mark.parametrize("tick", [0.01, 1.0, 2.0])
def test_equal_size_writes_within_a_tick_are_found_by_hashing_again(
    tmp_path: Path, tick: float
) -> None:
    """A stamp too young to be trusted is read again until it has aged; then nothing is stale."""
    path = tmp_path / "app.yaml"
    path.write_bytes(text(0))
    now = written = 1000.0

    def coarse(target: str | int) -> os.stat_result:
        real = os.stat(target)
        time_ns = int((WALL + math.floor(written / tick) * tick) * 1e9)
        times = {"st_mtime_ns": time_ns, "st_ctime_ns": time_ns, "st_atime_ns": time_ns}
        return os.stat_result(tuple(real), times)

    source = FileSource(path, disk=Disk(stat=coarse, lstat=coarse))
    quiet = Quiet(0.0)
    held: Stamp | None = None
    content = b""
    sure = False
    hidden = 0
    dice = random.Random(str(tick))
    for number in range(1, 300):
        with path.open("r+b") as file:
            file.write(text(number))
        written = now
        hidden += held is not None and held == source.stamp()
        for _ in range(dice.choice([1, 1, 1, 30])):
            stamp = source.stamp()
            quiet.look(stamp.value, stamp.newest_ns, now, WALL + now)
            if stamp != held or not sure:
                sure = quiet.trusted(now, WALL + now)
                (document,) = source.read(stamp, LIMIT)
                held, content = stamp, document.data
            now += tick / 7
        assert content == text(number)
    assert hidden > 50


def test_what_replaced_the_file_before_the_open_is_not_read(tmp_path: Path) -> None:
    """Not a byte of it: it has not settled, and may be of any size."""
    path = tmp_path / "app.yaml"
    path.write_bytes(text(1))
    asked: list[int] = []

    def opening(where: str, flags: int) -> int:
        _renamed(path)
        return os.open(where, flags)

    def reading(descriptor: int, size: int) -> bytes:
        asked.append(size)
        return os.read(descriptor, size)

    source = FileSource(path, disk=Disk(open=opening, read=reading))
    stamp = source.stamp()
    with pytest.raises(TornError):
        source.read(stamp, LIMIT)
    assert asked == []

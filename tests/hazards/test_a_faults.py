"""File systems that lie, hang or refuse, and things in the file's place that are no file.

The last good configuration serves on, a check stays short, and what went wrong is named.

Long because each fault is made by the kernel or a library of its own, set up beside its test.
"""

import asyncio
import errno
import os
import resource
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reloadcheck import FileSource, Outcome
from reloadcheck.sources import Disk
from tests.hazards.rig import Traffic, engine, logged, replace, timed_check
from tests.support.lateness import Stopwatch
from tests.support.plain_user import plain_user
from tests.support.rig import until

GOOD = "number: 1\n"
CHECK_SECONDS = 0.1
PATIENCE = 1.0


@pytest.fixture
def path() -> Iterator[Path]:
    """Return a file that another user may read too."""
    with TemporaryDirectory(prefix="rc-") as name:
        Path(name).chmod(0o755)
        path = Path(name, "app.yaml")
        path.write_text(GOOD)
        yield path


def socket_at(path: Path) -> None:
    """Leave a socket that nobody listens on."""
    os.mknod(path, stat.S_IFSOCK | 0o600)  # to bind one, its path would have to be short


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "FIFO": (os.mkfifo, "is a FIFO"),
    "socket": (socket_at, "is a socket"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a character device"),
    "directory": (Path.mkdir, "is a directory"),
    "link loop": (lambda path: path.symlink_to(path.name), "form a loop"),
    "dangling link": (lambda path: path.symlink_to("gone"), "dangling symbolic link to gone"),
    "long name": (lambda path: path.symlink_to("n" * 300 + "/x"), "too long"),
}


def clear(path: Path) -> None:
    """Remove what stands there, if anything."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        path.rmdir()


@pytest.mark.parametrize(("make", "reason"), KINDS.values(), ids=KINDS)
def test_what_is_no_file_is_named_and_heals(
    path: Path, make: Callable[[Path], object], reason: str
) -> None:
    """The check is short, the reason exact; a good file in its place is live at once."""
    with engine(path) as live:
        before = live.snapshot
        control = max(timed_check(live)[1] for _ in range(3))  # what this machine does to a check
        clear(path)
        make(path)
        checks = [timed_check(live) for _ in range(3)]
        assert {outcome for outcome, _ in checks} == {Outcome.DEFERRED}
        assert live.snapshot is before
        assert reason in (live.status().error or "")
        assert min(seconds for _, seconds in checks) < CHECK_SECONDS + control
        clear(path)
        path.write_text("number: 2\n")
        assert live.check() is Outcome.RELOADED


@pytest.mark.parametrize("make", [make for make, _ in KINDS.values()], ids=KINDS)
def test_flips_in_mid_check_never_hang_it(path: Path, make: Callable[[Path], object]) -> None:
    """A file that turns into something else and back between any two calls of a check.

    A reader that waits for what stands there then never answers again: no edit is live later.
    """
    flipping = threading.Event()

    def flip(*, good: bool) -> None:
        """Put the other thing, or the file, in place."""
        if flipping.is_set():
            clear(path)
            if good:
                path.write_text("number: 2\n")
            else:
                make(path)

    def stat(target: str | int) -> os.stat_result:
        flip(good=isinstance(target, str))
        return os.stat(target)

    def opening(target: str, flags: int) -> int:
        flip(good=False)
        return os.open(target, flags)

    def reading(descriptor: int, size: int) -> bytes:
        flip(good=False)
        return os.read(descriptor, size)

    source = FileSource(path, disk=Disk(stat=stat, lstat=stat, open=opening, read=reading))
    with engine(source, verify=0, patience=CHECK_SECONDS) as live, Traffic(live) as traffic:
        flipping.set()
        for _ in range(8):
            live.check()
        flipping.clear()
        live.check()  # a flip that had begun is over then
        clear(path)
        path.write_text("number: 3\n")
        until(lambda: live.check() is Outcome.UNCHANGED)
        assert live.snapshot.config.number == 3
    assert {int(config.number) for config in traffic.configs} <= {1, 2, 3}


FAILURES = {
    "EIO": (errno.EIO, "input/output error"),
    "ESTALE": (errno.ESTALE, "stale handle"),
    "ENOTCONN": (errno.ENOTCONN, "not connected"),
}


@pytest.mark.parametrize(("number", "reason"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("call", ["stat", "open", "read"])
def test_a_failing_disk_is_named_and_heals(
    path: Path, call: str, number: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In any call, the second part of a read included: deferred, one warning, then good again."""
    broken = threading.Event()

    def fail() -> None:
        if broken.is_set():
            raise OSError(number, os.strerror(number))

    def stat(target: str | int) -> os.stat_result:
        if call == "stat":
            fail()
        return os.stat(target)

    def opening(target: str, flags: int) -> int:
        if call == "open":
            fail()
        return os.open(target, flags)

    def reading(descriptor: int, size: int) -> bytes:
        if call == "read" and os.lseek(descriptor, 0, os.SEEK_CUR):
            fail()
        return os.read(descriptor, min(size, 5))

    with engine(
        FileSource(path, disk=Disk(stat=stat, lstat=stat, open=opening, read=reading))
    ) as live:
        before = live.snapshot
        broken.set()
        replace(path, "number: 2\n")
        for _ in range(3):
            assert live.check() is Outcome.DEFERRED
        assert live.snapshot is before
        assert reason in (live.status().error or "")
        broken.clear()
        assert live.check() is Outcome.RELOADED
    assert len(logged(caplog)) == 1


def test_a_hanging_disk_holds_nobody_and_costs_one_thread(path: Path) -> None:
    """The event loop turns, units of work are served, and no second thread is lost to it."""
    hanging, released = threading.Event(), threading.Event()

    def stat(target: str | int) -> os.stat_result:
        if hanging.is_set():
            released.wait(30)
        return os.stat(target)

    source = FileSource(path, disk=Disk(stat=stat, lstat=stat))

    async def longest_turn(outcome: Outcome, seconds: float) -> float:
        """Serve a unit of work each millisecond, and check by name as well."""
        checks = [asyncio.create_task(live.acheck()) for _ in range(5)]
        longest, ends = 0.0, time.monotonic() + seconds
        watch = Stopwatch()
        while time.monotonic() < ends:
            async with live.lease() as snapshot:
                assert snapshot.config.number == 1
            await asyncio.sleep(0.001)
            longest, watch = max(longest, watch.seconds), Stopwatch()
        assert [await check for check in checks] == [outcome] * 5
        return longest

    with engine(source, window=0.05, patience=PATIENCE) as live:
        # What this machine does to a loop anyway: the longest of several times is the control.
        control = max(asyncio.run(longest_turn(Outcome.UNCHANGED, 0.3)) for _ in range(3))
        hanging.set()
        # A check that had begun before knows nothing of it yet.
        until(lambda: bool(live.check()) and "is its disk hanging" in str(live.status().error))
        threads = len(threading.enumerate())
        # Known to hang, it is not waited for again, and nothing queues up behind it.
        assert min(timed_check(live)[1] for _ in range(3)) < PATIENCE
        turns: list[float] = []
        while len(turns) < 3 and min(turns, default=60.0) >= 0.05 + control:
            turns.append(asyncio.run(longest_turn(Outcome.DEFERRED, 1.0)))
        assert min(turns) < 0.05 + control
        assert len(threading.enumerate()) <= threads
        hanging.clear()
        released.set()
        replace(path, "number: 2\n")
        until(lambda: live.check() is Outcome.UNCHANGED)
        assert live.snapshot.config.number == 2


def test_what_is_denied_is_told_file_from_directory(path: Path) -> None:
    """First the file, then its directory: the error says which, and the last good serves on."""
    with plain_user(), engine(path) as live:
        before = live.snapshot
        for denied, words in (
            (path, "permission denied: mode 0000, owned by "),
            (path.parent, f"permission denied for its directory {path.parent}"),
        ):
            with _as_root():
                replace(path, "number: 2\n")
                denied.chmod(0)
            assert live.check() is Outcome.DEFERRED
            assert words in (live.status().error or "")
            assert live.snapshot is before
            with _as_root():
                denied.chmod(0o755)
        assert live.check() is Outcome.RELOADED


@contextmanager
def _as_root() -> Generator[None]:
    was = os.geteuid()
    with suppress(PermissionError):
        os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(was)


CROWDED = """
import os, resource, sys
from reloadcheck import ReloadCheck
path = sys.argv[1]
live = ReloadCheck(path, settle=0, environ={})
live.start()
live.check()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
os.close(taken.pop())
with open(path, "w") as file:
    file.write("number: 2\\n")
taken.append(os.open("/dev/null", os.O_RDONLY))
print(live.check().value, live.snapshot.config.number, live.status().error)
os.close(taken.pop())
print(live.check().value, live.snapshot.config.number, live.status().error)
live.close()
"""


def test_a_process_out_of_descriptors_holds_the_last_good(path: Path) -> None:
    """And goes on as soon as it has one again."""
    run = [sys.executable, "-c", CROWDED, str(path)]
    shown = subprocess.run(run, capture_output=True, text=True, check=True, timeout=30).stdout
    crowded, free = shown.splitlines()
    assert crowded == f"deferred 1 {path}: this process has too many open files"
    assert free == "reloaded 2 None"


@pytest.mark.parametrize("size", [120 * 10**6, 1 << 40], ids=["120 MB", "a sparse TiB"])
def test_a_huge_file_costs_no_memory(path: Path, size: int) -> None:
    """Refused by its size, unread, while the last good one serves on."""
    read: list[int] = []

    def reading(descriptor: int, wanted: int) -> bytes:
        found = os.read(descriptor, wanted)
        read.append(len(found))
        return found

    with engine(FileSource(path, disk=Disk(read=reading))) as live:
        read.clear()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if size < 1 << 30:
            path.write_bytes(b"a: 1\n" * (size // 5))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        else:
            os.truncate(path, size)
        assert live.check() is Outcome.DEFERRED
        assert "is larger than max_bytes" in (live.status().error or "")
        assert read == []
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024
        assert live.snapshot.config.number == 1


def test_a_file_that_grows_and_shrinks_under_the_read_kills_nobody(path: Path) -> None:
    """No mapping of it that could end the process by a signal; it settles when the writer stops."""
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            with path.open("ab") as file:
                file.write(b"# more\n" * 50_000)
            os.truncate(path, 10)

    writer = threading.Thread(target=churn, daemon=True)
    with engine(path, verify=0, max_bytes=1 << 20, patience=0.2) as live:
        writer.start()
        outcomes = {live.check() for _ in range(20)}
        stop.set()
        writer.join(30)
        assert outcomes <= {Outcome.UNCHANGED, Outcome.DEFERRED}
        path.write_text("number: 2\n")
        until(lambda: live.check() is Outcome.UNCHANGED)
        assert live.snapshot.config.number == 2

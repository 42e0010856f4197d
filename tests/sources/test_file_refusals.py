"""Paths that are not readable files now: each says which, at once, and leaves nothing open.

Long because whatever can be in a file's place is put there.
"""

import errno
import os
import resource
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reloadcheck.exceptions import SourceError, TornError
from reloadcheck.sources import Disk, FileSource
from tests.support.plain_user import plain_user

LIMIT = 1 << 20


def _directory(path: Path) -> None:
    path.mkdir()


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)  # to bind one, its path would have to be short


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path.with_name("other.yaml"))
    path.with_name("other.yaml").symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


def _nothing(path: Path) -> None:
    path.unlink(missing_ok=True)


KINDS = [
    pytest.param(_directory, "is a directory, not a file", id="directory"),
    pytest.param(_fifo, "is a FIFO, not a file", id="fifo"),
    pytest.param(_socket, "is a socket, not a file", id="socket"),
    pytest.param(_device, "is a character device, not a file", id="device"),
    pytest.param(_loop, "symbolic links form a loop", id="link loop"),
    pytest.param(_dangling, "is a dangling symbolic link to nowhere.yaml", id="dangling link"),
    pytest.param(_nothing, "does not exist", id="nothing"),
]


@pytest.fixture
def path() -> Iterator[Path]:
    """Return a path that another user may reach."""
    with tempfile.TemporaryDirectory(prefix="rc-") as name:
        os.chmod(name, 0o755)
        yield Path(name) / "app.yaml"


def without_a_wait(call: Callable[[], object]) -> BaseException | None:
    """Make the call in a thread of its own, fail when it waits, and give what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)  # who waits for the other end of a FIFO waits for ever
    assert not thread.is_alive()
    return raised[0] if raised else None


@pytest.mark.parametrize(("make", "reason"), KINDS)
def test_says_what_is_in_the_files_place(
    path: Path, make: Callable[[Path], None], reason: str
) -> None:
    """The reason is exact, the path is named, and looking waits for nobody."""
    make(path)
    error = without_a_wait(FileSource(path).stamp)
    assert isinstance(error, SourceError)
    assert str(error) == f"{path}: {reason}"


@pytest.mark.parametrize(("make", "reason"), KINDS)
@pytest.mark.parametrize("moment", ["before the open", "after the open"])
def test_a_file_that_turns_into_something_else_under_the_reader(
    path: Path, make: Callable[[Path], None], reason: str, moment: str
) -> None:
    """Between stamp and end of the read: an error, never a hang, never other bytes."""
    path.write_text("a: 1\n")

    def turn() -> None:
        path.unlink()
        make(path)

    def opening(where: str, flags: int) -> int:
        if moment == "before the open":
            turn()
            return os.open(where, flags)
        descriptor = os.open(where, flags)
        turn()
        return descriptor

    source = FileSource(path, disk=Disk(open=opening))
    stamp = source.stamp()
    error = without_a_wait(lambda: source.read(stamp, LIMIT))
    assert isinstance(error, SourceError)
    # What is seen of the change depends on the moment; the next look says what it came to.
    again = without_a_wait(source.stamp)
    assert isinstance(again, SourceError)
    assert again.reason == reason


def test_a_name_that_no_file_can_have(path: Path) -> None:
    """Three hundred characters are more than file systems take."""
    with pytest.raises(SourceError, match="the name is too long for the file system"):
        FileSource(path.with_name("x" * 300 + ".yaml")).stamp()


def test_a_missing_directory_is_named(path: Path) -> None:
    """The topmost one that is missing, since that is the one to make or to mount."""
    missing = path.parent / "a" / "b" / "app.yaml"
    with pytest.raises(SourceError) as caught:
        FileSource(missing).stamp()
    assert caught.value.reason == (
        f"does not exist: its directory {path.parent / 'a'} does not exist"
    )


def test_a_dangling_directory_is_named(path: Path) -> None:
    """With where it leads, as an unmounted volume's link does."""
    (path.parent / "a").symlink_to("/nowhere/at/all")
    with pytest.raises(SourceError) as caught:
        FileSource(path.parent / "a" / "app.yaml").stamp()
    assert caught.value.reason == (
        f"does not exist: its directory {path.parent / 'a'} "
        "is a dangling symbolic link to /nowhere/at/all"
    )


def test_a_file_in_a_directorys_place_is_named(path: Path) -> None:
    """A path cannot lead through a file."""
    path.write_text("a: 1\n")
    with pytest.raises(SourceError) as caught:
        FileSource(path / "b" / "app.yaml", optional=True).stamp()
    assert caught.value.reason == f"does not exist: {path} is a file, not a directory"


class TestPermission:
    """What a plain user is denied."""

    def test_the_file(self, path: Path) -> None:
        """It can be looked at, not read."""
        path.write_text("a: 1\n")
        path.chmod(0)
        source = FileSource(path)
        with plain_user():
            stamp = source.stamp()
            with pytest.raises(SourceError) as caught:
                source.read(stamp, LIMIT)
        reason, found = caught.value.reason, path.stat()
        owner = f"owned by {found.st_uid}:{found.st_gid}"
        assert reason.startswith(f"permission denied: mode 0000, {owner}; this process is uid ")
        assert "uid 0," not in reason

    def test_a_directory_above(self, path: Path) -> None:
        """The culprit is named, not the innermost one."""
        inner = path.parent / "locked" / "inner"
        inner.mkdir(parents=True)
        inner.parent.chmod(0)
        with plain_user(), pytest.raises(SourceError) as caught:
            FileSource(inner / "app.yaml").stamp()
        inner.parent.chmod(0o700)
        assert caught.value.reason == f"permission denied for its directory {inner.parent}"

    def test_a_directory_behind_a_link(self, path: Path) -> None:
        """A link may lead where the path as written does not."""
        locked = path.parent / "locked"
        locked.mkdir()
        (locked / "app.yaml").write_text("a: 1\n")
        path.symlink_to(locked / "app.yaml")
        locked.chmod(0)
        with plain_user(), pytest.raises(SourceError) as caught:
            FileSource(path).stamp()
        locked.chmod(0o700)
        assert caught.value.reason == f"permission denied for its directory {locked}"


class TestSize:
    """Files larger than a configuration can be."""

    def test_a_sparse_tebibyte_is_refused_unread(self, path: Path) -> None:
        """By its size, before any byte of it is asked for."""
        path.touch()
        os.truncate(path, 1 << 40)
        asked: list[int] = []

        def reading(descriptor: int, size: int) -> bytes:
            asked.append(size)
            return os.read(descriptor, size)

        source = FileSource(path, disk=Disk(read=reading))
        with pytest.raises(SourceError) as caught:
            source.read(source.stamp(), LIMIT)
        assert str(caught.value) == f"{path}: is larger than max_bytes (1048576 bytes)"
        assert asked == []

    @pytest.mark.parametrize(("size", "fits"), [(64, True), (65, False)])
    def test_the_bound_is_exact(self, path: Path, size: int, fits: bool) -> None:
        """`max_bytes` itself still fits."""
        path.write_bytes(b"#" * size)
        source = FileSource(path)
        if fits:
            (document,) = source.read(source.stamp(), 64)
            assert len(document.data) == size
        else:
            with pytest.raises(SourceError, match="is larger than max_bytes"):
                source.read(source.stamp(), 64)

    def test_a_file_growing_under_the_read_is_torn_at_one_byte_more(self, path: Path) -> None:
        """However much is appended, and also when the file server's clock stands still."""
        path.write_bytes(b"a" * 1000)
        still = os.stat(path)
        got: list[int] = []

        def reading(descriptor: int, size: int) -> bytes:
            with path.open("ab") as file:
                file.write(b"b" * 100_000)
            chunk = os.read(descriptor, min(size, 700))
            got.append(len(chunk))
            return chunk

        source = FileSource(path, disk=Disk(read=reading, stat=lambda _: still))
        with pytest.raises(TornError):
            source.read(source.stamp(), LIMIT)
        assert sum(got) == 1001

    def test_a_file_cut_under_the_read_is_torn(self, path: Path) -> None:
        """Fewer bytes than the size said, though no stat shows it."""
        path.write_bytes(b"a" * 1000)
        still = os.stat(path)

        def reading(descriptor: int, size: int) -> bytes:
            os.truncate(path, 500)
            return os.read(descriptor, size)

        source = FileSource(path, disk=Disk(read=reading, stat=lambda _: still))
        with pytest.raises(TornError):
            source.read(source.stamp(), LIMIT)

    def test_short_reads_are_put_together(self, path: Path) -> None:
        """A file system may give less than was asked for."""
        path.write_bytes(bytes(range(256)) * 4)
        source = FileSource(path, disk=Disk(read=lambda fd, size: os.read(fd, min(size, 100))))
        (document,) = source.read(source.stamp(), LIMIT)
        assert document.data == bytes(range(256)) * 4


FAULTS = [
    (errno.EIO, "the disk reports an input/output error"),
    (errno.ESTALE, "the file server no longer knows this file (stale handle)"),
    (errno.ENOTCONN, "the file system is not connected"),
    (errno.EMFILE, "this process has too many open files"),
    (errno.ENFILE, "this machine has too many open files"),
    (errno.EPROTO, "cannot be read: Protocol error"),
]


@pytest.mark.parametrize(("number", "reason"), FAULTS, ids=[str(reason) for _, reason in FAULTS])
@pytest.mark.parametrize("call", ["stat", "open", "read"])
def test_a_failing_file_system_says_how(path: Path, call: str, number: int, reason: str) -> None:
    """In each call of the protocol, the second piece of a read included."""
    path.write_bytes(b"a" * 100)

    def failing(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    def half(descriptor: int, size: int) -> bytes:
        if os.lseek(descriptor, 0, os.SEEK_CUR):
            failing()
        return os.read(descriptor, min(size, 50))

    def no_stat(_: str | int) -> os.stat_result:
        raise OSError(number, os.strerror(number))

    disks = {"stat": Disk(stat=no_stat), "open": Disk(open=failing), "read": Disk(read=half)}
    stamp = FileSource(path).stamp()
    with pytest.raises(SourceError) as caught:
        FileSource(path, disk=disks[call]).read(stamp, LIMIT)
    assert str(caught.value) == f"{path}: {reason}"
    assert not isinstance(caught.value, TornError)


def test_no_descriptor_left_to_open_one(path: Path) -> None:
    """A process at its limit says so, and reads on when it has one again."""
    path.write_text("a: 1\n")
    source = FileSource(path)
    stamp = source.stamp()
    taken: list[int] = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        with suppress(OSError):
            while len(taken) < 256:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        with pytest.raises(SourceError, match="this process has too many open files"):
            source.read(stamp, LIMIT)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)
    (document,) = source.read(stamp, LIMIT)
    assert document.data == b"a: 1\n"


def test_control_characters_in_a_link_are_escaped(path: Path) -> None:
    """A path cannot forge a line of the log or steer a terminal."""
    path.symlink_to("no\nERROR all is lost\x1b[31m")
    with pytest.raises(SourceError) as caught:
        FileSource(path).stamp()
    assert str(caught.value).endswith(r"dangling symbolic link to no\nERROR all is lost\x1b[31m")

"""The file of a store: private, ours, and found again whatever somebody does to it.

Long because whatever can happen to a file happens to this one.
"""

import logging
import os
import sqlite3
import stat
import subprocess
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from reloadcheck.exceptions import StoreLostError, StoreRefusedError
from reloadcheck.stores import SQLiteStore, _network_mounts, _sqlite_open
from reloadcheck.types import Board

from .inside import opened

TAILS = ("", "-wal", "-shm")


def _text(store: SQLiteStore, key: str) -> str | None:
    board = store.look("")
    assert board is not None
    return board.records[key].value if key in board.records else None


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_it(tmp_path: Path, umask: int) -> None:
    """The file, its log and its index are 0600 and a made directory 0700, whatever the umask."""
    before = os.umask(umask)
    try:
        store = SQLiteStore(tmp_path / "made" / "store.db")
        store.put({"a": "1"})
    finally:
        os.umask(before)
    path = str(tmp_path / "made" / "store.db")
    assert [stat.S_IMODE(os.stat(path + tail).st_mode) for tail in TAILS] == [0o600] * 3
    assert stat.S_IMODE(os.stat(tmp_path / "made").st_mode) == 0o700


def test_its_settings_are_those_of_the_design(tmp_path: Path) -> None:
    """Marks, write-ahead log, vacuum, time-out: as documented, so that other tools can know it."""
    path = tmp_path / "store.db"
    store = SQLiteStore(path)
    store.put({"a": "1"})
    connection = opened(store)
    expected = {
        "application_id": 0x72636B31,
        "user_version": 1,
        "journal_mode": "wal",
        "auto_vacuum": 2,
        "wal_autocheckpoint": 250,
        "journal_size_limit": 2**20,
        "secure_delete": 1,
        "trusted_schema": 0,
        "busy_timeout": 50,
    }
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in expected}
    assert expected == found
    store.put({"a": "1"})
    assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
    store.put({"b": "1"}, same={"b": 0})
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Whoever may write the directory cannot have another file overwritten; so for a FIFO."""
    victim = tmp_path / "victim"
    os.symlink(victim, tmp_path / "store.db")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(StoreRefusedError, match="is a link"):
        SQLiteStore(tmp_path / "store.db").look("")
    with pytest.raises(StoreRefusedError, match="is no ordinary file"):
        SQLiteStore(tmp_path / "fifo").look("")
    assert not victim.exists()


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    """It is left as it was, byte by byte."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders(id)")
    before = path.read_bytes()
    with pytest.raises(StoreRefusedError, match="is a database of something else"):
        SQLiteStore(path).put({"a": "1"})
    assert before == path.read_bytes()


def test_a_newer_schema_is_refused_with_both_numbers(tmp_path: Path) -> None:
    """A worker of an older release leaves it alone; one that has it open goes on."""
    path = tmp_path / "store.db"
    holder = SQLiteStore(path)
    holder.put({"a": "1"})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=2")
    with pytest.raises(StoreRefusedError, match="has schema 2, and this release knows 1"):
        SQLiteStore(path).look("")
    assert holder.put({"a": "2"}) is not None
    assert _text(holder, "a") == "2"


@pytest.mark.parametrize("damage", ["header", "page", "text", "truncated"])
def test_a_corrupt_file_is_moved_aside(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A new one is begun, the old one kept beside it, and one ERROR says so."""
    path = tmp_path / "store.db"
    with closing(SQLiteStore(path)) as store:
        store.put({f"key{number}": "x" * 900 for number in range(60)})
    data = bytearray(path.read_bytes())
    if damage == "header":
        data[:64] = bytes(64)
    elif damage == "page":
        data[4096 * 2 : 4096 * 8] = os.urandom(4096 * 6)
    elif damage == "text":
        data = bytearray(b"greeting: hello\n" * 100)
    else:
        del data[len(data) // 2 :]
    path.write_bytes(data)
    stores = [SQLiteStore(path), SQLiteStore(path)]
    assert stores[0].put({"a": "new"}) is not None
    assert _text(stores[1], "a") == "new"
    aside = [found for found in tmp_path.iterdir() if ".corrupt-" in found.name]
    assert [bytes(data)] == [found.read_bytes() for found in aside]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "was corrupt" in errors[0].getMessage()


def test_an_emptied_file_begins_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its holders close it as they look, and are together again when all of them have."""
    path = tmp_path / "store.db"
    holder, other = SQLiteStore(path), SQLiteStore(path)
    holder.put({"a": "1"})
    other.put({"b": "1"})
    os.truncate(path, 0)
    for store in (holder, other, holder, other):
        try:
            store.look("")
        except StoreLostError:
            continue  # until the other one has closed, too
    assert "was replaced" in caplog.text
    holder.put({"a": "again"})
    assert _text(other, "a") == "again"
    assert _text(SQLiteStore(path), "a") == "again"


def test_a_file_emptied_while_nobody_had_it_open(tmp_path: Path) -> None:
    """It opens as a new one: the revision has gone back, which tells who saw it before."""
    path = tmp_path / "store.db"
    store = SQLiteStore(path)
    store.put({"a": "1"})
    board = store.look("")
    store.close()
    os.truncate(path, 0)
    found = store.look("", board)
    assert found is not None
    assert (found.revision, dict(found.records)) == (0, {})


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_file_that_is_gone_is_opened_anew(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody writes into a file that no newcomer can see."""
    path = tmp_path / "store.db"
    holder, other = SQLiteStore(path), SQLiteStore(path)
    holder.put({"a": "1"})
    assert _text(other, "a") == "1"
    board = holder.look("")
    if how == "replaced":
        with closing(SQLiteStore(tmp_path / "new.db")) as new:
            new.put({"a": "of the new one"})
        os.replace(tmp_path / "new.db", path)
    for tail in TAILS:
        if how == "deleted" or tail:
            os.unlink(f"{path}{tail}")
    found = holder.look("", board)
    assert found is not None
    assert (["a"] if how == "replaced" else []) == list(found.records)
    holder.put({"c": "3"})
    assert _text(other, "c") == "3"
    assert _text(SQLiteStore(path), "c") == "3"
    assert "was replaced" in caplog.text


def test_a_log_that_is_gone_is_noticed(tmp_path: Path) -> None:
    """Where only `-wal` was deleted, holders close and reopen; nothing that they wrote is lost."""
    path = tmp_path / "store.db"
    holders = [SQLiteStore(path), SQLiteStore(path)]
    for number, holder in enumerate(holders):
        holder.put({f"key{number}": "kept"})
    os.unlink(f"{path}-wal")
    for holder in holders * 2:
        try:
            holder.look("")
        except StoreLostError:
            continue  # until the other one has closed, too
    newcomer = SQLiteStore(path)
    for store in (*holders, newcomer):
        assert (_text(store, "key0"), _text(store, "key1")) == ("kept", "kept")
    holders[0].put({"later": "1"})
    assert _text(newcomer, "later") == "1"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_file_system_of_the_network_is_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its locks may do nothing, and rows be lost without an error; nothing is made there."""
    device = os.stat(tmp_path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 0:99 / /x rw - ext4 /dev/y rw\n40 35 {number} / / rw - {kind} s:/ rw")
    monkeypatch.setattr(_network_mounts, "MOUNTS", str(mounts))
    with pytest.raises(StoreRefusedError, match=f"is on {kind}"):
        SQLiteStore(tmp_path / "store.db").look("")
    assert not (tmp_path / "store.db").exists()


@contextmanager
def _small_disk(directory: Path) -> Generator[SQLiteStore]:
    """Make a store on a file system of 2 MB; where none can be mounted, in a file of that size."""
    disk = directory / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)]
    mounted = not subprocess.run(command, capture_output=True, check=False).returncode
    try:
        with closing(SQLiteStore(disk / "store.db")) as store:
            if not mounted:
                opened(store).execute("PRAGMA max_page_count=400").fetchall()
            yield store
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)


def _fill(store: SQLiteStore) -> str:
    """Write until the disk is full, and return what was told then."""
    for number in range(1000):
        try:
            store.put({f"big{number}": str(number) * 9000})
        except StoreLostError as error:
            return str(error)
    return "never full"


def test_a_full_disk_is_lost_and_heals(tmp_path: Path) -> None:
    """A look works, a write raises at once, nothing is half written, and room heals it."""
    with _small_disk(tmp_path) as store:
        store.keep("room", os.urandom(400_000))
        store.put({"a": "1", "m": "x"}, mortal=True)
        assert "full" in _fill(store)
        board = store.look("")
        assert board is not None
        assert board.records["a"].value == "1"
        with pytest.raises(StoreLostError, match="full"):
            store.keep("d", os.urandom(900_000))
        with pytest.raises(StoreLostError, match="full"):
            store.put({"b": "2", "c": "x" * 900_000}, same={"b": 0})
        assert board.records == getattr(store.look(""), "records", None)
        _make_room(store)
        assert store.beat()
        after = store.put({"b": "3"})
        assert after is not None
        assert board.revision < after
        assert _text(store, "b") == "3"


def _make_room(store: SQLiteStore) -> None:
    """Let the disk grow, as an operator would; where it is a file's limit, let that grow."""
    disk = os.path.dirname(store.name)
    if subprocess.run(["mount", "-o", "remount,size=8m", disk], capture_output=True).returncode:
        opened(store).execute("PRAGMA max_page_count=4000").fetchall()


def test_a_disk_that_is_full_from_the_beginning(tmp_path: Path) -> None:
    """A file that could be made and not filled is empty; it works when there is room."""
    path = tmp_path / "store.db"
    path.touch(0o600)
    store = SQLiteStore(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _sqlite_open, "TABLES", ("CREATE TABLE a(b)", "PRAGMA max_page_count=1", *FILLING)
        )
        with pytest.raises(StoreLostError, match="full"):
            store.put({"a": "1"})
    assert store.put({"a": "1"}) is not None


FILLING = ("CREATE TABLE c(d)", "INSERT INTO a VALUES(zeroblob(90000))")


def _without_leave(path: Path, key: str) -> str:
    """Return what a user without leave to write reads, or the error's name."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = "failed"
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            store = SQLiteStore(path)
            text = repr(_text(store, key))
            try:
                store.put({key: "mine"})
                text = "written"
            except StoreLostError as error:
                text = text if "this user may not write it" in str(error) else str(error)
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        finally:
            os.write(into, text.encode())
            os._exit(0)
    os.close(into)
    os.waitpid(pid, 0)
    with open(out, encoding="ascii") as answer:
        return answer.read()


def test_a_reader_who_may_not_write_reads(tmp_path: Path) -> None:
    """With a log beside the file, and without one, where SQLite alone says that it cannot."""
    for above in tmp_path.parents[:3]:
        above.chmod(0o755)
    path = tmp_path / "store.db"
    store = SQLiteStore(path)
    store.put({"a": "1"})
    for tail in TAILS:
        os.chmod(f"{path}{tail}", 0o444)
    tmp_path.chmod(0o555)
    assert _without_leave(path, "a") == "'1'"
    tmp_path.chmod(0o755)
    store.close()
    tmp_path.chmod(0o555)
    assert not os.path.exists(f"{path}-wal")
    assert _without_leave(path, "a") == "'1'"
    path.chmod(0o000)
    assert _without_leave(path, "a") == (
        f"StoreLostError: {path}: cannot be read by this user: ask as the application's"
    )
    tmp_path.chmod(0o755)


def test_what_a_look_that_is_fixed_saw_is_read_anew(tmp_path: Path) -> None:
    """A board of another file, or of the same one after a change, is never taken for unchanged."""
    one, other = SQLiteStore(tmp_path / "one.db"), SQLiteStore(tmp_path / "other.db")
    one.put({"a": "1"})
    other.put({"a": "2"})
    board = one.look("")
    assert isinstance(board, Board)
    assert one.look("", board) is None
    assert other.look("", board) is not None


def test_old_content_gives_its_room_back(tmp_path: Path) -> None:
    """What is kept no longer shrinks the file, though it was the first in it."""
    path = tmp_path / "store.db"
    store = SQLiteStore(path)
    for number in range(20):
        store.keep(f"d{number}", os.urandom(100_000))
    store.close()
    full = path.stat().st_size
    store = SQLiteStore(path)
    for number in range(18):
        store.keep(f"d{number}", None)
    store.close()
    assert path.stat().st_size < full / 4
    assert store.content("d19") is not None


def test_no_content_is_kept_where_none_is_wanted(tmp_path: Path) -> None:
    """`keep_content=False`: history without the documents."""
    store = SQLiteStore(tmp_path / "store.db", keep_content=False)
    store.keep("d", b"secret: x")
    assert store.content("d") is None

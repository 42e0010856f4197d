"""Processes that write one file, and die, stand still, or fork: nothing told as written is lost."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from reloadcheck.stores import SQLiteStore
from tests.support.rig import Call

from .inside import opened


def _writer(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.stores.writers", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _lines(writer: subprocess.Popen[bytes], count: int) -> bytes:
    """Wait until a writer has said so many."""
    assert writer.stdout is not None
    return b"".join(writer.stdout.readline() for _ in range(count))


def _sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("PRAGMA integrity_check").fetchone()
        return bool(row == ("ok",))


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Three writers are killed at random points, again and again: every number is there, once."""
    path = tmp_path / "store.db"
    draw = random.Random(9)
    told: list[tuple[str, int]] = []
    for turn in range(5):
        names = [f"{turn}.{each}" for each in range(3)]
        writers = [_writer("acknowledge", str(path), name) for name in names]
        firsts = [_lines(writer, 3) for writer in writers]
        time.sleep(draw.random() * 0.2)
        for writer in writers:
            time.sleep(draw.random() * 0.02)
            writer.kill()
        for name, writer, begun in zip(names, writers, firsts, strict=True):
            said = (begun + writer.communicate()[0]).decode().split("\n")[:-1]
            told += [(name, int(number)) for number in said]
    board = SQLiteStore(path).look("shop/1/")
    assert board is not None
    assert len(told) > 30
    written = {key: record.value for key, record in board.records.items()}
    assert all(name == written[f"shop/1/entry/{number}"] for name, number in told)
    assert len(told) == len(set(told))
    assert len(written) == max(int(key.rpartition("/")[2]) for key in written)
    assert _sound(path)


def test_many_processes_that_see_the_same_edits_write_each_once(tmp_path: Path) -> None:
    """Twelve workers start at once and see A, B, A, C: four rows, whoever was first."""
    path = tmp_path / "store.db"
    writers = [_writer("first", str(path), "A", "B", "A", "C") for _ in range(12)]
    assert [writer.wait(60) for writer in writers] == [0] * 12
    for writer in writers:
        writer.communicate()
    board = SQLiteStore(path).look("shop/1/")
    assert board is not None
    assert [record.value for record in board.records.values()] == ["A", "B", "A", "C"]


def test_a_forked_child_has_a_connection_of_its_own(tmp_path: Path) -> None:
    """Parent and children write on after forks, with the inherited store: every row is there."""
    store = SQLiteStore(tmp_path / "store.db")
    store.put({"shop/member/parent": "alive"}, mortal=True)
    children: list[int] = []
    for child in range(3):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for number in range(40):
                    store.put({f"shop/entry/{child}/{number}": "x"})
                store.close()
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
        for number in range(40):
            store.put({f"shop/entry/parent/{child}/{number}": "x"})
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
    board = store.look("shop/")
    assert board is not None
    assert len(board.records) == 6 * 40 + 1
    assert "shop/member/parent" in board.records
    assert store.beat()
    assert _sound(tmp_path / "store.db")


def test_a_long_writer_holds_no_call_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody holds the lock, looks succeed; writes wait in naps, and succeed then."""
    path = tmp_path / "store.db"
    store = SQLiteStore(path)
    store.put({"shop/a": "1"})
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            held.set()
            done.wait(30)
            connection.execute("COMMIT")

    monkeypatch.setattr("reloadcheck.stores.sqlite._TRIES_SECONDS", 30.0)
    holder = Call(hold)
    assert held.wait(30)
    assert store.look("shop/") is not None
    writing = Call(lambda: store.put({"shop/a": "2"}))
    writing.join(0.3)
    assert writing.waits
    done.set()
    assert writing.result() is not None
    holder.result()
    with closing(store):
        connection = opened(store)
        (busy,) = connection.execute("PRAGMA busy_timeout").fetchone()
        assert busy == 50


def test_a_reader_that_stands_still_is_told_of(tmp_path: Path) -> None:
    """A process stopped in the middle of reading makes the log grow: one warning, and no stop."""
    path = tmp_path / "store.db"
    store = SQLiteStore(path)
    store.put({"shop/a": "1"})
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN'); c.execute('SELECT * FROM board').fetchall(); print('in', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"in\n"
        reader.send_signal(signal.SIGSTOP)
        for _ in range(400):
            assert store.beat()
            store.put({"shop/a": "2" * 3000})
        grown = os.stat(f"{path}-wal").st_size
        assert grown > 2**20
        reader.send_signal(signal.SIGCONT)
        reader.communicate()
    for _ in range(300):
        store.put({"shop/a": "3"})
    assert os.stat(f"{path}-wal").st_size <= 2 * 2**20


def test_the_last_to_die_is_seen_to_be_dead(tmp_path: Path) -> None:
    """Nobody is left who would take it off the board: a look leaves it out all the same."""
    path = tmp_path / "store.db"
    code = (
        "import os, sys; from reloadcheck.stores import SQLiteStore;"
        "SQLiteStore(sys.argv[1]).put({'shop/member/1': 'x'}, mortal=True); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, path], check=True)
    store = SQLiteStore(path, ttl=1.0)
    board = store.look("shop/")
    assert board is not None
    time.sleep(1.1)
    board = store.look("shop/")
    assert board is not None
    assert dict(board.records) == {}

"""P13. The store is never in the way: whatever is done to its file, edits go live and are told."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from reloadcheck import Orders
from reloadcheck.exceptions import StoreLostError
from reloadcheck.stores import SQLiteStore
from tests.support import config
from tests.support.lateness import watched
from tests.support.load import Load, until, workers
from tests.support.servers import Server, environment, gunicorn, serving

pytestmark = pytest.mark.alone

IN_TIME = 1.8
"""Seconds within which an edit serves: window, settle and 0.5 s, as a busy machine has them.

A worker that waited for its store would take 2 s, which is how long a call to it may take.
"""


class Site:
    """Two workers of one application and their store, under a small load until the end."""

    def __init__(self, server: Server, file: Path, store: Path) -> None:
        self.server, self.file, self.store = server, file, store
        self.everyone = set(workers(server.port))
        self.next = count(2)

    def edit(self, load: Load) -> int:
        """Write another number; see every worker serve it in time, as the machine wakes them."""
        number = next(self.next)
        with watched() as machine:
            config.replace(self.file, config.text(number))
            took = load.reaches(number, self.everyone)
        assert took < IN_TIME + machine.excuses
        return number

    def codes(self) -> set[str | None]:
        """Return what the workers say of the store."""
        return {one.said["store"] for one in workers(self.server.port, "/process").values()}

    def remembers(self, editions: int) -> bool:
        """Return whether the store has so many editions, and nothing else is wrong with it."""
        try:
            with closing(SQLiteStore(self.store)) as store:
                rows = Orders(store, app="shop").history(limit=50, outcome="reloaded")
        except StoreLostError:
            return False
        return len(rows) >= editions and self.codes() == {None}

    @property
    def editions(self) -> int:
        """Return how many editions the store has by now."""
        with closing(SQLiteStore(self.store)) as store:
            return len(Orders(store, app="shop").history(limit=50, outcome="reloaded"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One gunicorn with two workers, which all these tests ask one after another."""
    directory = tmp_path_factory.mktemp("p13")
    file, store = directory / "config.yaml", directory / "private" / "store.db"
    file.write_text(config.text(1))
    more = {"RELOAD_CHECK_STORE": str(store), "RELOAD_CHECK_APP": "shop"}
    environ = environment(file, directory / "journal", **more)
    with serving(gunicorn(), environ, directory) as server:
        site = Site(server, file, store)
        until(lambda: site.remembers(1))
        yield site


@contextmanager
def locked(store: Path) -> Generator[None]:
    """Hold the lock for writing, as a stuck program does."""
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def deleted(store: Path) -> Generator[None]:
    """Take the file away, and leave what lies beside it."""
    store.unlink()
    yield


@contextmanager
def garbage(store: Path) -> Generator[None]:
    """Put something else in its place."""
    other = store.with_name("other")
    other.write_bytes(b"this is no database\n" * 1000)
    other.replace(store)
    yield


@contextmanager
def without_directory(store: Path) -> Generator[None]:
    """Take the directory away, and have a file in its place meanwhile."""
    shutil.rmtree(store.parent)
    store.parent.write_text("")
    yield
    store.parent.unlink()


@contextmanager
def emptied(store: Path) -> Generator[None]:
    """Cut the file to nothing."""
    with store.open("r+b") as file:
        file.truncate()
    yield


FAULTS = [locked, deleted, garbage, without_directory, emptied]
LASTING = (locked, without_directory)
"""What no store heals from before it ends; edits are written down afterwards."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_it_stops_neither_serving_nor_reloading(
    site: Site, fault: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """No request fails, edits are live in time, the workers say so, and the history goes on."""
    before = site.editions if fault is locked else 0
    with Load(site.server.port, clients=3, pace=0.03) as load:
        with fault(site.store):
            site.edit(load)
            if fault in LASTING:
                until(lambda: site.codes() == {"store"})
                site.edit(load)
        edits = 2 if fault in LASTING else 1
        until(lambda: site.remembers(before + edits))
        before = site.editions
        site.edit(load)
        until(lambda: site.remembers(before + 1))
    assert load.failures == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Site]:
    """Two workers whose store lies on a disk of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        file, store = tmp_path / "config.yaml", disk / "store.db"
        file.write_text(config.text(1))
        more = {"RELOAD_CHECK_STORE": str(store), "RELOAD_CHECK_APP": "shop"}
        with serving(gunicorn(), environment(file, tmp_path / "journal", **more), tmp_path) as one:
            site = Site(one, file, store)
            until(lambda: site.remembers(1))
            yield site
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_stops_nothing_and_heals(small: Site) -> None:
    """Edits are live in time and wait to be written down; with room again they are, every one."""
    filler = small.store.with_name("filler")
    with Load(small.server.port, clients=3, pace=0.03) as load:
        with filler.open("wb", buffering=0) as other, suppress(OSError):
            while True:
                other.write(b"x" * 4096)
        for _ in range(3):
            small.edit(load)
        until(lambda: small.codes() == {"store"})
        filler.unlink()
        until(lambda: small.remembers(4))
        small.edit(load)
        until(lambda: small.remembers(5))
    assert load.failures == []
    with closing(sqlite3.connect(small.store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

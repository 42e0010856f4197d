"""`python -m tests.stores.kills [KILLS] [sqlite|postgres|etcd] [SEED]`: kill -9 at random points.

Two workers with an engine each and one that writes rows share a store, while a file is edited,
well and badly, and orders are given. Any of them is killed at any moment and started anew. It ends
with status 1 and says why where something is lost that was told as written, where a worker starts
with a content that was banned by then, or where not all of it heals.

Long because it is one program: what is killed, what is remembered and what must hold.
"""

import os
import random
import select
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from reloadcheck import ReloadCheck
from reloadcheck._config.digest import tree_digest
from reloadcheck._state.orders import Ordered
from reloadcheck._state.store_orders import Orders
from reloadcheck.exceptions import OrderRefusedError, StoreError
from reloadcheck.types import Store

ROWS = "rows/1/"
HEALS = 60.0
"""Seconds in which all workers must serve what they should, on a machine that is busy."""

_REMEMBERED = 20
Opening = Callable[[], Store]


class LieError(Exception):
    """Something that was promised does not hold."""


@dataclass
class Child:
    """One process: what it is, what it has told so far, and how it was when it started.

    `banned` are values that it must not begin with; `accepted`: there was something that it could.
    """

    kind: str
    pid: int
    pipe: int
    banned: frozenset[int]
    accepted: bool = True
    text: bytes = b""
    lines: list[str] = field(default_factory=list)

    def hear(self) -> None:
        """Take what it has told meanwhile; what it was killed in the middle of is not told."""
        while select.select([self.pipe], [], [], 0)[0]:
            data = os.read(self.pipe, 65536)
            if not data:
                break
            *whole, self.text = (self.text + data).split(b"\n")
            self.lines += [line.decode() for line in whole]


def worker(directory: Path, opening: Opening, tell: Callable[[str], None]) -> None:
    """Serve a configuration, and tell of what is served."""
    live: ReloadCheck[Any] = ReloadCheck(
        directory / "config.yaml",
        store=opening(),
        app="shop",
        settle=0,
        window=0.05,
        boot="last-good",
    )
    live.start()
    tell(f"start {live.snapshot.config['a']}")
    before = None
    while True:
        live.check()
        value = live.snapshot.config["a"]
        if value != before:
            tell(f"serve {value}")
            before = value
        time.sleep(0.02)


def writer(name: str, opening: Opening, tell: Callable[[str], None]) -> None:
    """Write rows, and tell of each that the store has taken."""
    store, number = opening(), 0
    while True:
        number += 1
        with suppress(StoreError):
            if store.put({f"{ROWS}{name}/{number}": "x"}, same={f"{ROWS}{name}/{number}": 0}):
                tell(f"wrote {name}/{number}")
        time.sleep(0.005)


class Torture:
    """One run: its processes, what was told as written, and what is banned."""

    together = os.environ.get("RELOAD_CHECK_TOGETHER", "off") != "off"

    def __init__(self, directory: Path, opening: Opening, seed: int) -> None:
        self.directory, self.opening = directory, opening
        self.draw = random.Random(seed)
        self.children: list[Child] = []
        self.value = 0
        self.names = 0
        self.told: list[str] = []
        self.ordered: list[Ordered] = []
        self.kills = 0

    def run(self, kills: int) -> None:
        """Kill so often; raise `LieError`."""
        self.edit(good=True)
        for kind in ("worker", "worker", "writer"):
            self.spawn(kind)
        while self.kills < kills:
            time.sleep(self.draw.random() * 0.25)
            self.act()
            child = self.draw.choice(self.children)
            self.end(child)
            self.kills += 1
            self.look()
            self.spawn(child.kind)
        self.heal()

    # ------------------------------------------------------------------ processes

    def spawn(self, kind: str) -> None:
        """Start a process of a kind; forked, so that its start is quick."""
        self.names += 1
        name = f"{kind}{self.names}"
        with closing(self.opening()) as store:
            orders = Orders(store, app="shop")
            banned, accepted = self.banned(orders), orders.state().active is not None
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            self.be(kind, name, write)
        os.close(write)
        self.children.append(Child(kind, pid, read, banned, accepted))

    def be(self, kind: str, name: str, pipe: int) -> NoReturn:
        """Be that process until it is killed."""
        status = 1
        try:

            def tell(line: str) -> None:
                os.write(pipe, f"{line}\n".encode())

            if kind == "worker":
                worker(self.directory, self.opening, tell)
            writer(name, self.opening, tell)
        except BaseException as error:
            os.write(pipe, f"ended {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)

    def end(self, child: Child) -> None:
        """Kill it, and judge what it has told."""
        os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)
        child.hear()
        os.close(child.pipe)
        self.children.remove(child)
        self.judge(child)

    def judge(self, child: Child) -> None:
        """Raise where it has served at its start what was banned; remember what it has written."""
        decided = self.decided() if self.together else None
        for line in child.lines:
            word, _, rest = line.partition(" ")
            told = word in ("serve", "start") and decided is not None
            if told and tree_digest({"a": int(rest)}) not in (decided or ()):
                raise LieError(f"a worker served {rest}, which was not decided on")
            if word == "ended" and child.accepted:
                raise LieError(f"a {child.kind} ended by itself: {rest}")
            if word == "start" and int(rest) in child.banned:
                raise LieError(f"a worker started with {rest}, which was banned")
            if word == "wrote":
                self.told.append(rest)
        child.lines.clear()

    def decided(self) -> frozenset[str | None]:
        """Return the contents that have been an edition."""
        with closing(self.opening()) as store:
            entries = Orders(store, app="shop").entries()
        return frozenset(entry.content for entry in entries if entry.edition is not None)

    # ------------------------------------------------------------------ what goes on meanwhile

    def edit(self, *, good: bool) -> None:
        """Edit the file; sometimes with a content that was there before."""
        text = "a: ["
        if good:
            again = self.value > 3 and self.draw.random() < 0.2
            self.value += not again
            text = f"a: {self.draw.randint(1, self.value) if again else self.value}"
        beside = self.directory / "beside"
        beside.write_text(text)
        beside.replace(self.directory / "config.yaml")

    def act(self) -> None:
        """Edit, or give an order, which may be refused for a reason."""
        act = self.draw.choice(["good", "good", "good", "bad", "rollback", "pin", "unpin", "no"])
        if act in ("good", "bad"):
            self.edit(good=act == "good")
        elif act != "no":
            with closing(self.opening()) as store:
                orders = Orders(store, app="shop")
                with suppress(OrderRefusedError):
                    order: Callable[..., Ordered] = getattr(orders, act)
                    self.ordered.append(order(why="x", by="dora"))
        del self.ordered[:-_REMEMBERED]

    def banned(self, orders: Orders) -> frozenset[int]:
        """Return the values whose content is banned, whatever comes of it."""
        contents = orders.state().banned
        return frozenset(n for n in range(self.value + 1) if tree_digest({"a": n}) in contents)

    def look(self) -> None:
        """Raise where something is gone that was told as written."""
        with closing(self.opening()) as store:
            board = store.look(ROWS)
            entries = Orders(store, app="shop").entries()
        keys = set[str]() if board is None else {key.removeprefix(ROWS) for key in board.records}
        lost = [row for row in self.told if row not in keys]
        if lost:
            raise LieError(f"{len(lost)} rows are lost: {lost[:3]}")
        known = {(entry.cause, entry.at, entry.edition) for entry in entries}
        for one in self.ordered:
            entry = one.entry
            if (entry.cause, entry.at, entry.edition) not in known:
                raise LieError(f"an order is lost: {one.says}")
        numbers = [entry.edition for entry in entries if entry.edition is not None]
        if len(numbers) != len(set(numbers)):
            raise LieError("an edition is there twice")

    def heal(self) -> None:
        """Leave them in peace: all workers come to serve the next good edit."""
        with closing(self.opening()) as store, suppress(OrderRefusedError):
            Orders(store, app="shop").unpin()
        self.value += 1
        (self.directory / "config.yaml").write_text(f"a: {self.value}")
        workers = [child for child in self.children if child.kind == "worker"]
        until, serves = time.monotonic() + HEALS, dict.fromkeys(range(len(workers)), "")
        while set(serves.values()) != {f"serve {self.value}"}:
            if time.monotonic() > until:
                raise LieError(f"not healed: {serves}, wanted {self.value}")
            for number, child in enumerate(workers):
                child.hear()
                lines = [line for line in child.lines if line.startswith("serve")]
                serves[number] = lines[-1] if lines else serves[number]
            time.sleep(0.05)
        for child in list(self.children):
            self.end(child)
        self.look()


@contextmanager
def sqlite_store(directory: Path) -> Generator[Opening]:
    """Share a file, whose integrity is checked at the end."""
    from reloadcheck.stores import SQLiteStore

    path = directory / "store.db"
    yield lambda: SQLiteStore(path)
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()
    if found != ("ok",):
        raise LieError(f"the file is damaged: {found}")


@contextmanager
def postgres_store(directory: Path) -> Generator[Opening]:
    """Share a table of a real server."""
    from reloadcheck.demo.postgres import PostgresServer
    from reloadcheck.stores import PostgresStore

    del directory
    with PostgresServer.start() as server:
        PostgresStore(server.url()).init()
        yield lambda: PostgresStore(server.url(), ttl=3.0, content=True)


@contextmanager
def etcd_store(directory: Path) -> Generator[Opening]:
    """Share a real etcd."""
    from reloadcheck.stores import EtcdStore
    from tests.support.etcd import etcd_server

    del directory
    with etcd_server() as server:
        yield lambda: EtcdStore(server.url, ttl=3.0, content=True)


STORES = {"sqlite": sqlite_store, "postgres": postgres_store, "etcd": etcd_store}


def main(kills: str = "500", kind: str = "sqlite", seed: str = "") -> int:
    """Run it and say what came of it."""
    number = int(seed) if seed else random.randrange(10**6)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        torture: Torture | None = None
        try:
            with STORES[kind](directory) as opening:
                torture = Torture(directory, opening, number)
                torture.run(int(kills))
        except LieError as error:
            print(f"{kind}, seed {number}, after {torture.kills if torture else 0} kills: {error}")
            return 1
        finally:
            for child in [] if torture is None else torture.children:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
    assert torture is not None
    print(
        f"{kind}, seed {number}: {torture.kills} kills, {len(torture.told)} rows told as written, "
        f"0 lost, {torture.value} contents, {time.monotonic() - begun:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Four gunicorn workers, their pools and their store on a real PostgreSQL, from edit to restart."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from reloadcheck import Orders
from reloadcheck.stores import PostgresStore
from tests.support import config
from tests.support.load import Load, until
from tests.support.postgres import MortalPostgres, mortal_postgres
from tests.support.servers import Server, gunicorn, serving

from .conftest import MEASURED

WINDOW = 0.3
WORKERS = 4


class Shop:
    """A database, an application and its files; started and restarted by a test."""

    def __init__(self, directory: Path, postgres: MortalPostgres) -> None:
        self.directory, self.postgres = directory, postgres
        self.file, self.secrets = directory / "config.yaml", directory / "secrets"
        self.secrets.mkdir()
        self.url = f"postgresql://shop@127.0.0.1:{postgres.server.port}/postgres"
        self._sql("CREATE ROLE shop LOGIN")
        self.rotate("first")
        self.store = PostgresStore(postgres.url)
        self.store.init()
        self.connect()
        self.write(1)

    def connect(self) -> None:
        """Ask the store over a new connection."""
        self.store.close()
        self.store = PostgresStore(self.postgres.url)
        self.orders = Orders(self.store, app="shop")

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def rotate(self, password: str) -> None:
        """Set for the user of the pools another password, and the application the same."""
        self._sql(f"ALTER ROLE shop PASSWORD '{password}'")
        config.replace(self.secrets / "password", password)

    def write(self, number: object, *, database: str | None = None, comment: str = "") -> None:
        """Edit the file."""
        url = self.url if database is None else self.url.replace("/postgres", f"/{database}")
        lines = [f"number: {number}", f"database: {{url: '{url}'}}"]
        text = "\n".join(reversed(lines) if comment else lines)
        config.replace(self.file, f"{comment}{text}\n")

    @contextmanager
    def serving(self) -> Generator[Server]:
        """Serve with four workers, and no request failed from the first to the last."""
        environ = {
            "SERVERS_CONFIG": str(self.file),
            "SERVERS_SECRETS": str(self.secrets),
            "SERVERS_STORE": self.postgres.url,
            "RELOAD_CHECK_WINDOW": str(WINDOW),
            "RELOAD_CHECK_SETTLE": "0.1",
        }
        command = gunicorn("tests.servers.remembering_wsgi:app", "--workers", str(WORKERS))
        with serving(command, environ, self.directory) as server:
            with Load(server.port, clients=3, pace=0.02) as load:
                self.load = load
                until(lambda: len({one.worker for one in load.answers}) == WORKERS, 40.0)
                until(lambda: len(self.orders.members()) == WORKERS, 40.0)
                yield server
            assert load.failures == []
            assert not [answer for answer in load.answers if answer.torn]
            assert server.stop() == 0
        until(lambda: not self.orders.members(), 30.0)

    def reach(self, number: int, since: float) -> float:
        """Wait until all workers serve a number; return the seconds since then."""
        until(lambda: len(self.load.seen(number, since=since)) == WORKERS, 30.0)
        late = [one for one in self.load.answers if one.number != number]
        return max([one.begun for one in late], default=since) - since

    def stay(self, number: int, seconds: float = 2 * WINDOW + 0.3) -> None:
        """See that nothing else is served for a while."""
        begun = time.monotonic()
        until(lambda: time.monotonic() - begun > seconds)
        served = {one.number for one in list(self.load.answers) if one.begun >= begun}
        assert {number} == served

    def rows(self) -> list[tuple[int | None, str, str | None, str | None, str | None]]:
        """Return the history, oldest first: edition, cause, code, who and why."""
        rows = reversed(self.orders.history(limit=99))
        one = [row.entry for row in rows]
        return [(each.edition, each.cause, each.code, each.actor, each.why) for each in one]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose database is up."""
    with mortal_postgres() as postgres:
        shop = Shop(tmp_path, postgres)
        yield shop
        shop.store.close()


@pytest.mark.long
def test_what_was_live_is_remembered(shop: Shop, measured: list[tuple[str, object]]) -> None:
    """Ten edits, three bad; back, and on; pinned and frozen; through restarts of everything."""
    with shop.serving():
        _ten_edits(shop)
        begun = time.monotonic()
        ordered = shop.orders.rollback(why="too new", by="dora")
        took = shop.reach(7, begun)
        measured.append((MEASURED, f"a roll-back was live on four workers after {took:.2f} s"))
        assert (ordered.entry.edition, ordered.entry.of) == (9, 7)
        shop.write(8, comment="# the same\n")
        shop.stay(7)
        shop.rotate("second")
        shop.stay(7)
    shop.postgres.stop()
    shop.postgres.start()
    shop.connect()
    with shop.serving():
        shop.stay(7)
        begun = time.monotonic()
        shop.write(9)
        shop.reach(9, begun)
        until(lambda: shop.orders.state().hold is None)
        shop.write(8)
        shop.stay(9)
        shop.orders.pin(why="a fair", by="otto")
        shop.write(10)
        shop.stay(9)
    with shop.serving():
        shop.stay(9)
        begun = time.monotonic()
        shop.orders.unpin(why="over", by="otto")
        shop.reach(10, begun)
        shop.orders.freeze(why="Black Friday", by="otto")
        shop.write(11)
        shop.stay(10)
    with shop.serving():
        shop.stay(10)
        begun = time.monotonic()
        shop.orders.thaw(why="Monday", by="otto")
        shop.reach(11, begun)
        until(lambda: shop.orders.state().edition == 12)
    rows = shop.rows()
    assert rows[11:] == [
        (9, "rollback", None, "dora", "too new"),
        (10, "file", None, None, None),
        (None, "file", "banned", None, None),
        (None, "pin", None, "otto", "a fair"),
        (None, "unpin", None, "otto", "over"),
        (11, "file", None, None, None),
        (None, "freeze", None, "otto", "Black Friday"),
        (None, "file", "frozen", None, None),
        (None, "thaw", None, "otto", "Monday"),
        (12, "file", None, None, None),
    ]


def _ten_edits(shop: Shop) -> None:
    """Make them, one after another, and see that the history has one row of each."""
    bad = {"syntax": "[", "schema": "many", "factory": 5}
    edits: list[object] = [2, 3, "syntax", 4, 5, "schema", 6, "factory", 7, 8]
    expected: list[tuple[int | None, str, str | None, str | None, str | None]]
    expected = [(1, "start", None, None, None)]
    for edit in edits:
        begun, count = time.monotonic(), len(expected)
        if isinstance(edit, int):
            shop.write(edit)
            shop.reach(edit, begun)
            expected.append((edit, "file", None, None, None))
        else:
            code = str(edit)
            shop.write(bad[code], database="nowhere" if code == "factory" else None)
            expected.append((None, "file", code, None, None))
        until(lambda count=count: len(shop.rows()) > count)  # type: ignore[misc]
    assert expected == shop.rows()

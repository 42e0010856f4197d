"""A secret in all that a fleet talks by, and in what it is configured with: shown and kept nowhere.

Addresses, passwords, tokens, headers, confidential keys, values that look secret; the outputs of
every command, the page, metrics, log, webhook, the content of the store, and its mirror.
"""

import base64
import json
import zlib
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import psycopg.sql
import pytest

from reloadcheck import EtcdSource, HTTPSource, ReloadCheck, Source
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.exceptions import ReloadCheckError
from reloadcheck.integrations.webhook import notify
from reloadcheck.stores import PostgresStore
from reloadcheck.stores.named import store_named
from tests.hazards.canary import SECRET, SPELLINGS, Watch, found_in
from tests.support.etcd import EtcdServer, etcd_server
from tests.support.load import until
from tests.support.receiver import Receiver
from tests.support.web import Web, answering

from .conftest import Run

QUOTED = quote(SECRET, safe="")
ROOT = "root"
DOCUMENT = "n: {}\npassword: {}\n"


class Network:
    """Where a store and confidential configuration are; `dump` returns all that the store has."""

    def __init__(self, address: str, sources: tuple[Source, ...], dump: Callable[[], str]) -> None:
        self.address, self.sources, self.dump = address, sources, dump


@contextmanager
def etcd_network(postgres: PostgresServer) -> Generator[Network]:
    """Run an etcd whose user has the secret for a password, and a confidential key."""
    del postgres
    with etcd_server("--bcrypt-cost", "4") as server:
        for name, password in (("root", ROOT), ("shop", SECRET)):
            server.ask("/v3/auth/user/add", {"name": name, "password": password})
            server.ask("/v3/auth/user/grant", {"user": name, "role": "root"})
        server.ask("/v3/auth/role/add", {"name": "root"})
        for name in ("root", "shop"):
            server.ask("/v3/auth/user/grant", {"user": name, "role": "root"})
        assert "error" not in server.ask("/v3/auth/enable")
        value = base64.b64encode(f"token: {SECRET}".encode()).decode()
        key = base64.b64encode(b"private.yaml").decode()
        _root(server, "/v3/kv/put", {"key": key, "value": value})
        given: dict[str, Any] = {"user": "shop", "password": SECRET, "confidential": True}
        source = EtcdSource(server.url, "private.yaml", **given)
        address = f"etcd://shop:{QUOTED}@127.0.0.1:{server.port}/reloadcheck/"
        yield Network(address, (source,), lambda: _all_of(server))


def _root(server: EtcdServer, path: str, body: dict[str, Any]) -> Any:
    token = server.ask("/v3/auth/authenticate", {"name": "root", "password": ROOT})["token"]
    return server.ask(path, body, token)


def _all_of(server: EtcdServer) -> str:
    """Return all that is below the store's prefix, as a reader of it would find it."""
    body = {"key": _b64("reloadcheck/"), "range_end": _b64("reloadcheck0")}
    found: list[str] = []
    for one in _root(server, "/v3/kv/range", body)["kvs"]:
        for name in ("key", "value"):
            data = base64.b64decode(one[name])
            with suppress(zlib.error):
                data = zlib.decompress(data)
            found.append(data.decode(errors="replace"))
    return "\n".join(found)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextmanager
def postgres_network(postgres: PostgresServer) -> Generator[Network]:
    """Use a database whose address has the secret for a password."""
    url = postgres.url()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS reloadcheck")
        made = psycopg.sql.SQL("CREATE ROLE secretive SUPERUSER LOGIN PASSWORD {}")
        connection.execute(made.format(SECRET))
        host, port, name = connection.info.host, connection.info.port, connection.info.dbname
    address = f"postgresql://secretive:{QUOTED}@{host}:{port}/{name}"
    PostgresStore(address).init()

    def dump() -> str:
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT kind, key, value, data FROM reloadcheck").fetchall()
        found: list[str] = []
        for *texts, data in rows:
            found += [str(text) for text in texts]
            found += [] if data is None else [zlib.decompress(data).decode(errors="replace")]
        return "\n".join(found)

    try:
        yield Network(address, (), dump)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP TABLE reloadcheck; DROP ROLE secretive")


@pytest.mark.parametrize("network", [etcd_network, postgres_network])
def test_a_secret_is_shown_and_kept_nowhere(
    network: Callable[[PostgresServer], Any],
    postgres: PostgresServer,
    run: Run,
    here: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through a start, edits, a bad one, a broken factory, orders, and a server that is away."""
    caplog.set_level(0)
    monkeypatch.setattr("reloadcheck.integrations.webhook.PAUSES", (0.01, 0.02))
    seen: list[object] = []
    with ExitStack() as stack:
        found: Network = stack.enter_context(network(postgres))
        web, receiver = Web(), Receiver()
        stack.callback(web.close)
        stack.callback(receiver.close)
        _serve(web, 1)
        store: Any = store_named(found.address)
        store.mirror = str(here / "mirror.json")
        http = HTTPSource(
            web.url(f"/app.yaml?key={QUOTED}", f"ops:{QUOTED}@"),
            headers={"X-Api-Key": SECRET},
            last_good=here / "copy",
        )
        live: ReloadCheck[Any] = ReloadCheck(
            http, *found.sources, store=store, app="shop", settle=0, window=0.05, verify=0
        )
        notify(live, receiver.url, secret=SECRET, on=("rejected", "reloaded"))
        live.resource("password")(_login)
        watch = Watch(live)
        live.start()
        stack.callback(live.close)
        until(lambda: _edition(live) == 1)
        _serve(web, 2)
        until(lambda: bool(live.check()) and live.snapshot.config.n == 2)
        until(lambda: _edition(live) == 2)
        for document in (f"n: 3\npassword: [{SECRET}\n", DOCUMENT.format(3, f"{SECRET} refused")):
            web.respond = answering(document)
            _reject(live)
            seen += watch.look()
        web.respond = answering(f"{SECRET}\n", status=f"500 {SECRET}")
        live.check()
        seen += watch.look()
        (here / "there.yaml").write_text(DOCUMENT.format(2, SECRET))
        to = ("--store", found.address, "--name", "shop")
        for words in COMMANDS:
            done = run(*words, *to) if words[0] != "digest" else run(*words)
            assert done.status in (0, 1, 2), done
            seen += [done.out, done.err]
        wrong = found.address.replace(":" + found.address.rsplit(":", 1)[1].split("/")[0], ":1")
        for words in COMMANDS[:4]:
            done = run(*words, "--store", wrong, "--name", "shop")
            seen += [done.out, done.err]
        until(lambda: '"edition":2' in (here / "mirror.json").read_text())
        seen += watch.look()
        until(lambda: len(receiver.told) >= 3)
        seen += [body for _, _, body in receiver.told] + watch.end()
        live.close()
        seen += [found.dump(), (here / "mirror.json").read_text(), repr(store), repr(http)]
        assert '"edition":2' in str(seen)
    assert [line[:300] for line in found_in(seen, caplog)] == []
    assert any(spelling in (here / "copy").read_text() for spelling in SPELLINGS)


COMMANDS = (
    ("history",),
    ("history", "--json"),
    ("fleet",),
    ("fleet", "--json"),
    ("fleet", "--against", "there.yaml"),
    ("fleet", "--against", "there.yaml", "--json"),
    ("show", "1"),
    ("show", "2", "--json"),
    ("diff", "edition:1", "edition:2"),
    ("diff", "edition:1", "edition:2", "--json"),
    ("rollback", "1", "--dry-run", "--why", "x"),
    ("pin", "--why", "x"),
    ("doctor",),
    ("doctor", "--json"),
    ("digest", "there.yaml"),
)


def _serve(web: Web, number: int) -> None:
    web.respond = answering(DOCUMENT.format(number, SECRET))


def _login(password: str) -> object:
    """Quote what was given, as a driver's error does."""
    if password.endswith("refused"):
        raise ConnectionError(f"cannot log in with {password}: {json.dumps(password)}")
    return object()


def _reject(live: ReloadCheck[Any]) -> None:
    with suppress(ReloadCheckError):
        until(lambda: str(live.check()) == "rejected")


def _edition(live: ReloadCheck[Any]) -> int | None:
    store = live.status().store
    return None if store is None else store.edition

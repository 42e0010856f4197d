"""`reloadcheck doctor --store`: whether a store can be relied on, seen from here."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from reloadcheck.cli._doctor import store as looked
from reloadcheck.cli._doctor.finding import Finding, Level
from reloadcheck.cli._doctor.machine import Machine
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.stores import EtcdStore, PostgresStore, SQLiteStore
from reloadcheck.types import Store
from tests.support.etcd import etcd_server

from .conftest import Run


@pytest.fixture
def path(here: Path) -> Path:
    """A store's file that has been used."""
    path = here / "store.db"
    with closing(SQLiteStore(path)) as store:
        store.put({"shop/default/state": "{}"})
    return path


def _found(which: Store, machine: Machine | None = None) -> dict[str, Finding]:
    with closing(which):
        return {one.check: one for one in looked.store(which, machine or Machine())}


def _levels(found: dict[str, Finding]) -> dict[str, str]:
    return {check: str(one.level) for check, one in found.items() if one.level is not Level.PASS}


def test_a_file_that_is_well(run: Run, path: Path) -> None:
    """File system, version, permissions, log, integrity: each is looked at, and nothing made."""
    before = sorted(os.listdir(path.parent))
    done = run("doctor", "--store", str(path), "--json")
    (group,) = done.document["groups"]
    checks = [one["check"] for one in group["findings"]]
    assert checks == ["file system", "version", "permissions", "log", "integrity"]
    assert (done.status, group["name"]) == (0, str(path))
    assert sorted(os.listdir(path.parent)) == before
    assert run("doctor", "--store", str(path)).status == 0


def test_a_file_that_is_not_there_yet(run: Run, here: Path) -> None:
    """The first start makes it, if it may; the doctor does not."""
    done = run("doctor", "--store", str(here / "var" / "store.db"))
    assert done.status == 0
    assert "the first start makes it" in " ".join(done.out.split())
    assert not (here / "var").exists()
    (here / "var").mkdir(mode=0o500)
    done = run("doctor", "--store", str(here / "var" / "store.db"))
    assert done.status == 1


def test_whose_it_is_is_judged_by_mode_and_owner(path: Path) -> None:
    """Root or not: another user's file is not written, and one that all may read is told."""
    path.chmod(0o644)
    assert _levels(_found(SQLiteStore(path))) == {"permissions": "warn"}
    stranger = Machine(uid=os.getuid() + 1, gids=frozenset())
    found = _found(SQLiteStore(path), stranger)
    assert _levels(found) == {"permissions": "fail"}
    assert "may not write" in found["permissions"].said


def test_what_is_no_store_or_a_damaged_one(path: Path) -> None:
    """A foreign database, a newer schema, and pages that somebody has written over."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=9")
    assert "has schema 9, and this release" in _found(SQLiteStore(path))["integrity"].said
    with closing(sqlite3.connect(path.with_name("other.db"))) as connection:
        connection.execute("CREATE TABLE orders(id)")
    found = _found(SQLiteStore(path.with_name("other.db")))
    assert "a database of something else" in found["integrity"].said
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"x" * (len(data) - 4096))
    assert _found(SQLiteStore(path))["integrity"].level is Level.FAIL


def test_a_log_that_has_grown(path: Path) -> None:
    """A reader stands still somewhere."""
    with Path(f"{path}-wal").open("wb") as log:
        log.truncate(65 * 2**20)
    assert _found(SQLiteStore(path))["log"].level is Level.WARN


def test_a_postgres(postgres: PostgresServer) -> None:
    """Its table, its connections, what the user may, its clock."""
    with closing(PostgresStore(postgres.url(), "doctored")) as store:
        found = _found(PostgresStore(postgres.url(), "doctored"))
        assert "store init" in str(found["answers"].remedy)
        store.init()
    found = _found(PostgresStore(postgres.url(), "doctored"))
    assert list(found) == ["latency", "version", "connections", "writes", "clock"]
    assert not {one.level for one in found.values()} & {Level.FAIL}
    assert " connections are left" in found["connections"].said
    late = Machine(wall=lambda: 0.0)
    assert _found(PostgresStore(postgres.url(), "doctored"), late)["clock"].level is Level.WARN
    with closing(psycopg.connect(postgres.url(), autocommit=True)) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'canary'")
        connection.execute("GRANT SELECT ON doctored TO reader")
    url = postgres.url("reader", "canary")
    found = _found(PostgresStore(url, "doctored"))
    assert found["writes"].said == "this user lacks INSERT, UPDATE, DELETE on the table"
    found = _found(PostgresStore(postgres.url("reader", "wrong-canary"), "doctored"))
    assert found["answers"].level is Level.FAIL
    assert "canary" not in str(found)
    with closing(psycopg.connect(postgres.url(), autocommit=True)) as connection:
        connection.execute("DROP TABLE doctored")
        connection.execute("DROP ROLE reader")


def test_an_etcd() -> None:
    """Each endpoint by itself: one that is away is named beside one that is well."""
    with etcd_server() as server:
        which = EtcdStore(["http://127.0.0.1:1", server.url])
        with closing(which):
            found = [*looked.store(which, Machine())]
    told = [one.said for one in found if one.level is Level.FAIL]
    assert [said for said in told if "127.0.0.1:1:" in said] == told != []
    checks = {one.check: one.said for one in found if one.level is not Level.FAIL}
    assert checks["version"].startswith(f"{server.url} is etcd 3.")
    assert checks["clock"] == f"{server.url} and this machine agree about the time"
    assert "in the clear" in checks["tls"]
    assert "answers in" in checks["latency"]

"""Stores of the network on the command line: named by an address whose password nobody sees."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reloadcheck import OptionError, ReloadCheck
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.stores.named import store_named
from tests.support.load import until

from .conftest import Run

PASSWORD = "canary-of-the-store"


@pytest.fixture
def address(postgres: PostgresServer) -> Iterator[str]:
    """A database of its own, without the table yet, of a user whose password is known."""
    with closing(psycopg.connect(postgres.url(), autocommit=True)) as connection:
        connection.execute("DROP DATABASE IF EXISTS board WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS board")
        connection.execute(f"CREATE ROLE board LOGIN PASSWORD '{PASSWORD}'")
        connection.execute("CREATE DATABASE board OWNER board")
    yield postgres.url("board", PASSWORD, "board")
    with closing(psycopg.connect(postgres.url(), autocommit=True)) as connection:
        connection.execute("DROP DATABASE board WITH (FORCE)")
        connection.execute("DROP ROLE board")


def test_a_table_is_made_and_an_application_shares_it(run: Run, here: Path, address: str) -> None:
    """From no table to history, fleet and roll-back, all by the address alone."""
    missing = run("history", "--store", address, "--name", "shop")
    assert missing.status == 3
    assert "reloadcheck store init" in " ".join(missing.out.split())
    assert "CREATE TABLE" in run("store", "init", "--store", address, "--sql").out
    assert run("history", "--store", address, "--name", "shop").status == 3
    made = run("store", "init", "--store", address, "--json")
    assert (made.status, made.document["ok"]) == (0, True)
    assert run("store", "init", "--store", address).status == 0
    (here / "config.yaml").write_text("a: 1")
    environ = {"RELOAD_CHECK_STORE": address}
    live: ReloadCheck[Any] = ReloadCheck(
        here / "config.yaml", app="shop", settle=0, window=0.1, environ=environ
    )
    live.start()
    outs = [missing.out, made.out]

    def rows() -> list[dict[str, Any]]:
        done = run("history", "--store", address, "--name", "shop", "--json")
        outs.append(done.out + done.err)
        return list(done.document["entries"])

    until(lambda: len(rows()) == 1)
    (here / "config.yaml").write_text("a: 2")
    until(lambda: bool(live.check()) and live.snapshot.config.a == 2)
    until(lambda: len(rows()) == 2)
    back = run("rollback", "--store", address, "--name", "shop", "--why", "x", "--wait", "20")
    assert back.status == 0
    assert live.check() is not None
    assert live.snapshot.config.a == 1
    fleet = run("fleet", "--store", address, "--name", "shop")
    shown = json.dumps([str(live.status()), outs, back.out, fleet.out, fleet.err])
    assert PASSWORD not in shown
    live.close()


def test_an_address_in_pyproject_is_no_path(run: Run, here: Path) -> None:
    """It is taken as it stands, and what is wrong with it is told without it."""
    address = f"postgresql://me:{PASSWORD}@127.0.0.1:1/shop"
    (here / "pyproject.toml").write_text(f'[tool.reloadcheck]\nstore = "{address}"\n')
    done = run("history", "--name", "shop")
    assert (done.status, "nobody listens there" in " ".join(done.out.split())) == (3, True)
    assert PASSWORD not in done.out + done.err


@pytest.mark.parametrize(
    "given",
    [
        "mysql://me:canary@h/x",
        "postgresql://me:canary@[/x",
        "postgresql:/me:canary@h/x",
        "etcd:me:canary@h",
    ],
)
def test_what_names_no_store_is_wrong_usage(run: Run, given: str) -> None:
    """Of the command, and of the code; the address is not repeated."""
    done = run("history", "--store", given)
    assert done.status == 2
    assert "canary" not in done.out + done.err
    with pytest.raises(OptionError) as found:
        store_named(given)
    assert "canary" not in str(found.value)


def test_an_etcd_is_named_by_an_address_too() -> None:
    """Several endpoints, a user, a prefix; the name shows the first endpoint alone."""
    store = store_named("etcds://me:canary@etcd-1:2379,etcd-2:2379/shops/")
    assert store.name == "https://etcd-1:2379"
    assert "canary" not in repr(store)
    store.close()

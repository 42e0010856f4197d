"""A contract beside a store: leave lies there, history counts, siblings keep what they keep."""

from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._state import process_start
from reloadcheck._state.for_contract import statement_key
from reloadcheck.stores import SQLiteStore
from tests.support.load import until

from .site import Site, comes_to, serves


@pytest.mark.parametrize("together", [None, "all"])
@pytest.mark.parametrize(
    ("kind", "person", "change"),
    [
        ("approval", "dora@example.test", ("size: 1", "size: 2")),
        ("override", "otto@example.test", ("INFO", "DEBUG")),
    ],
)
def test_a_statement_in_the_store_lets_an_edit_through(
    site: Site, kind: str, person: str, change: tuple[str, str], together: str | None
) -> None:
    """It is written there by whoever may, and works as one beside the file does.

    The row says that the glass was broken, also where all workers decide together.
    """
    live = site.engine(together=together)
    base = live.snapshot.digest
    site.edit(*change)
    comes_to(live, Outcome.WAITING)
    waiting = live.status().waiting
    assert waiting is not None
    text = site.signers.statement(
        person,
        kind=kind,
        environment="",
        base=base,
        to=waiting.digest,
        keys="database, log",
        until="2099-01-01T00:00+00:00" if kind == "approval" else soon(),
    )
    site.orders.give_leave(statement_key(kind, text), text)
    wanted = {"approval": {"size": 2, "level": "INFO"}, "override": {"size": 1, "level": "DEBUG"}}
    serves(live, **wanted[kind])
    rows = {"approval": None, "override": False}
    until(lambda: site.orders.history()[0].entry.actor == person)
    assert site.orders.history()[0].reviewed is rows[kind]


def soon() -> str:
    """Return a time within the next hours."""
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")


def test_a_roll_back_waits_for_no_window(site: Site) -> None:
    """What served before is free: an order, and the old bytes put back, even after a restart."""
    free = site.engine(contract=None)
    site.editions(1)
    site.edit("INFO", "DEBUG")
    serves(free, level="DEBUG")
    site.editions(2)
    free.close()
    live = site.engine()
    assert live.snapshot.config.log.level == "DEBUG"
    site.orders.rollback(1, why="a test")
    serves(live, level="INFO")
    site.orders.unban(2)
    site.edit("free: 1", "free: 2")
    comes_to(live, Outcome.WAITING)  # DEBUG with something new beside it
    site.edit("free: 2", "free: 1")
    serves(live, level="DEBUG")


@pytest.mark.parametrize("said_by", ["contract", "code"])
def test_a_recycled_worker_keeps_what_its_siblings_keep(
    site: Site, monkeypatch: pytest.MonkeyPatch, said_by: str
) -> None:
    """Until their master starts anew: then the file's value is live."""
    monkeypatch.setattr(process_start, "parent_id", lambda: "host/1.1")

    def worker() -> ReloadCheck[Any]:
        contract = site.directory / "contract.yaml" if said_by == "contract" else None
        live: ReloadCheck[Any] = ReloadCheck(
            site.file,
            store=SQLiteStore(site.directory / "store.db"),
            app="shop",
            settle=0, verify=0, window=0.1, environ={}, contract=contract,
        )  # fmt: skip
        if said_by == "code":
            live.restart_only("server")
        site.engines.append(live)
        live.start()
        return live

    first = worker()
    until(lambda: "server" in str(site.orders._board()[1].records))  # pyright: ignore[reportPrivateUsage]
    site.edit(":80", ":90")
    site.edit("free: 1", "free: 2")
    serves(first, free=2)
    site.editions(2)
    recycled = worker()
    for live in (first, recycled):
        assert (live.snapshot.config.server.bind, live.snapshot.config.free) == ("0.0.0.0:80", 2)
        assert live.status().pending_restart == ("server" if live is recycled else "server.bind",)
    first.close()
    recycled.close()
    monkeypatch.setattr(process_start, "parent_id", lambda: "host/2.2")
    assert worker().snapshot.config.server.bind == "0.0.0.0:90"


def test_a_key_that_came_later_stays_away_from_a_recycled_worker(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart-only section that was not there when the master started is not there for it."""
    monkeypatch.setattr(process_start, "parent_id", lambda: "host/1.1")
    site.file.write_text("free: 1\n")
    first = site.engine()
    until(lambda: "running/" in str(list(site.orders._board()[1].records)))  # pyright: ignore[reportPrivateUsage]
    site.file.write_text("free: 2\nserver: {bind: x}\n")
    until(lambda: bool(first.check()) and first.snapshot.config.free == 2)
    site.editions(2)
    recycled = site.engine()
    for live in (first, recycled):
        assert live.snapshot.config.to_dict() == {"free": 2}


def test_a_secret_is_not_written_for_siblings(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What comes from a confidential source is in no store, and so not agreed on."""
    monkeypatch.setattr(process_start, "parent_id", lambda: "host/1.1")
    secrets = tmp_path / "secrets"
    (secrets / "server").mkdir(parents=True)
    (secrets / "server" / "token").write_text("quartz-molten")
    from reloadcheck import DirectorySource

    live: ReloadCheck[Any] = ReloadCheck(
        site.file, DirectorySource(secrets),
        store=SQLiteStore(tmp_path / "store.db"), app="shop", settle=0, environ={},
        contract=tmp_path / "contract.yaml",
    )  # fmt: skip
    site.engines.append(live)
    live.start()
    until(lambda: "running/" in str(list(site.orders._board()[1].records)))  # pyright: ignore[reportPrivateUsage]
    live.close()
    for file in tmp_path.glob("store.db*"):
        assert b"quartz" not in file.read_bytes()


def test_who_else_starts_python_is_no_master(tmp_path: Path) -> None:
    """The parent counts where it runs the same program, and by the time at which it began."""
    import os
    import subprocess
    import sys

    code = "from reloadcheck._state.process_start import parent_id; print(parent_id())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert done.startswith(f"{os.getpid()}.")
    shell = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' -c '{code}'; true"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shell == "None\n"

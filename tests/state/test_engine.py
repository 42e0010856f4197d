"""A store beside real engines: history, orders that are live, starts, and a store that is away.

Long because history, orders and starts are tried on the same few engines.
"""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from reloadcheck import ConfigError, Outcome, ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import MemoryStore
from tests.support.rig import SECONDS, until
from tests.support.steps import SteppedFile, all_step


class Site:
    """Some workers' engines over one file and one board."""

    def __init__(
        self, directory: Path, workers: int = 2, boot: Literal["file", "last-good"] = "file"
    ) -> None:
        self.file = directory / "config.yaml"
        self.path = directory / "store.db"
        self.store = SQLiteStore(self.path)
        self.orders = Orders(self.store, app="shop")
        self.boot: Literal["file", "last-good"] = boot
        self.engines: list[ReloadCheck[Any]] = []
        self.stores: list[SteppedFile] = []
        self.workers = workers
        self.together: Literal["all"] | None = None

    def write(self, text: str) -> None:
        """Edit the file."""
        self.file.write_text(text)

    def start(self) -> None:
        """Start the workers."""
        self.stores.clear()
        self.engines = [self.engine() for _ in range(self.workers)]
        for engine in self.engines:
            engine.start()

    def engine(self) -> "ReloadCheck[Any]":
        """Make a worker's engine."""
        self.stores.append(SteppedFile(self.path))
        live: ReloadCheck[Any] = ReloadCheck(
            self.file,
            store=self.stores[-1],
            app="shop",
            settle=0,
            window=0.1,
            boot=self.boot,
            together=self.together,
        )
        return live

    def look(self) -> None:
        """Wait until every worker knows what is in the store, and has written what it had to."""
        all_step(self.stores)

    def serve(self, value: object) -> None:
        """Wait until every worker serves a value of `a`."""

        def holds() -> bool:
            for engine in self.engines:
                engine.check()
            return {value} == {e.snapshot.config["a"] for e in self.engines}

        until(holds)

    def codes(self) -> set[str | None]:
        """Return why the workers do not serve what the file holds."""
        for engine in self.engines:
            engine.check()
        return {engine.status().code for engine in self.engines}

    def editions(self, count: int) -> list[tuple[int | None, str, str | None]]:
        """Wait for so many rows, and return them oldest first."""
        until(lambda: len(self.orders.history(limit=99)) >= count)
        rows = self.orders.history(limit=99)
        return [(row.entry.edition, row.entry.cause, row.entry.code) for row in reversed(rows)]

    def close(self) -> None:
        """End all workers."""
        for engine in self.engines:
            engine.close()
        self.engines = []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Two workers of one application, started on `a: 1`; what still runs is ended with the test."""
    site = Site(tmp_path)
    site.write("a: 1")
    yield site
    site.close()
    site.store.close()


def test_edits_are_one_row_each_however_many_workers_see_them(site: Site) -> None:
    """The first load is edition 1, a bad edit one row without an edition, a restart none."""
    site.start()
    site.editions(1)
    site.write("a: 2")
    site.serve(2)
    site.editions(2)
    site.write("a: [")
    until(lambda: {"syntax"} == site.codes())
    site.editions(3)
    site.write("a: 3 # three")
    site.serve(3)
    expected = [(1, "start", None), (2, "file", None), (None, "file", "syntax"), (3, "file", None)]
    assert expected == site.editions(4)
    site.close()
    site.start()
    site.serve(3)
    site.look()
    assert expected == site.editions(4)
    row = site.orders.history(limit=1)[0]
    assert (row.entry.changed, row.entry.kept, row.serves) == (("a",), True, True)
    site.close()


def test_what_was_wrong_with_an_edit_ends_with_it(site: Site) -> None:
    """Once the bytes that serve are back, nobody is listed as one who has refused something."""
    site.start()
    site.serve(1)
    site.write("a: [\n")
    until(lambda: _outcomes(site) == [("rejected", "syntax")] * site.workers)
    site.write("a: 1\n")
    until(lambda: _outcomes(site) == [("unchanged", None)] * site.workers)
    assert {one.error for one in site.orders.members().values()} == {None}


def _outcomes(site: Site) -> list[tuple[str | None, str | None]]:
    for engine in site.engines:
        engine.check()
    return [(one.outcome, one.code) for one in site.orders.members().values()]


def test_a_rollback_is_live_everywhere_and_survives(site: Site) -> None:
    """Comments, a restart and time change nothing; the next good edit ends it; no way back."""
    site.start()
    site.write("a: 2")
    site.serve(2)
    site.editions(2)
    ordered = site.orders.rollback(why="too slow", by="dora")
    assert (ordered.entry.edition, ordered.entry.of) == (3, 1)
    site.serve(1)
    site.write("# a comment\na: 2")
    for engine in site.engines:
        assert engine.check() == Outcome.UNCHANGED
        assert any("rolled back to edition 1 by dora" in one for one in engine.status().remarks)
    site.close()
    site.start()
    site.serve(1)
    site.write("a: 4")
    site.serve(4)
    site.editions(4)
    assert site.orders.state().hold is None
    site.write("a: 2 # again")
    until(lambda: {"banned"} == site.codes())
    status = site.engines[0].status()
    assert status.code == "banned"
    assert "edition 2 was banned by dora" in str(status.error)
    site.serve(4)
    site.close()


def test_a_banned_file_starts_with_the_last_accepted(site: Site) -> None:
    """The ban is an order, whoever restarts."""
    site.start()
    site.write("a: 2")
    site.serve(2)
    site.editions(2)
    site.orders.rollback(why="bad", by="dora")
    site.serve(1)
    site.write("a: 5")
    site.serve(5)
    site.editions(4)
    site.close()
    site.write("a: 2")
    site.start()
    site.serve(5)
    site.close()


def test_a_pin_holds_against_edits_and_restarts(site: Site) -> None:
    """Edits meanwhile are not served; unpinned, the file is followed again."""
    site.start()
    site.editions(1)
    site.orders.pin(why="release week", by="dora")
    site.look()
    site.write("a: 2")
    site.serve(1)
    site.look()
    site.serve(1)
    site.close()
    site.start()
    site.serve(1)
    assert getattr(site.engines[0].status().store, "hold", None) == "pin"
    site.orders.unpin(why="over", by="dora")
    site.serve(2)
    site.close()


def test_what_a_pin_holds_back_is_validated(tmp_path: Path) -> None:
    """Whether the sources will do says so before the pin ends; a mistake in them, at its line."""

    def wanted(tree: Any) -> Any:
        if not isinstance(tree["a"], int):
            raise ValueError("a is no number")
        return tree

    file, store = tmp_path / "config.yaml", MemoryStore()
    file.write_text("a: 1")
    live = ReloadCheck(file, schema=wanted, store=store, app="shop", settle=0, window=0.1)
    live.start()
    orders = Orders(store, app="shop")
    until(lambda: bool(orders.history()))
    orders.pin(why="calm", by="dora")

    def told(text: str) -> tuple[str, ...]:
        live.check()
        return tuple(one for one in live.status().reasons if text in one)

    until(lambda: bool(told("pinned")))
    for content, expected in (("a: [", "config.yaml:1:5: "), ("a: x", "ValueError")):
        file.write_text(content)
        until(partial(told, expected))
        (said,) = told(expected)
        assert said.startswith("what the sources hold would be rejected: ")
        assert live.snapshot.config["a"] == 1
    file.write_text("a: 2")
    until(lambda: not told("rejected"))
    assert told("what the sources hold is not served")
    live.close()


def test_a_freeze_lets_nothing_live_and_a_thaw_everything(site: Site) -> None:
    """The edit waits, and says by whose order; orders go on."""
    site.start()
    site.editions(1)
    until_ = time.time() + 3600.0
    site.orders.freeze(until_, why="Black Friday", by="dora")
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(until_))
    told = f"edits are frozen by dora until {at}: Black Friday"
    everybody = {(told,)}
    until(lambda: {one.status().reasons for one in site.engines} == everybody)  # no edit yet
    site.write("a: 2")
    until(lambda: {"frozen"} == site.codes())
    until(lambda: str(site.engines[0].status().error).endswith(told))
    status = site.engines[0].status()
    assert (status.code, len(status.reasons)) == ("frozen", 1)
    site.orders.thaw(why="over", by="dora")
    site.serve(2)
    site.close()


@pytest.mark.parametrize("together", [None, "all"])
def test_a_frozen_host_takes_nothing_at_a_restart_either(
    site: Site, together: Literal["all"] | None
) -> None:
    """Of everything, with an edit made meanwhile; thawed, the edit goes live."""
    site.together = together
    site.start()
    site.editions(1)
    site.orders.freeze(why="Black Friday", by="dora")
    site.close()
    site.write("a: 2")
    site.start()
    site.serve(1)
    until(lambda: {"frozen"} == site.codes())
    until(lambda: len(site.orders.members()) == 2)
    site.orders.thaw(why="over", by="dora")
    site.serve(2)
    site.close()


def test_the_last_good_boots_where_it_is_asked_for(tmp_path: Path) -> None:
    """`boot="last-good"` serves what was accepted; without it the start fails."""
    site = Site(tmp_path, workers=1, boot="last-good")
    site.write("a: 1")
    site.start()
    site.editions(1)
    site.close()
    site.write("a: [")
    site.start()
    site.serve(1)
    until(lambda: {"syntax"} == site.codes())
    site.close()
    site.boot = "file"
    with pytest.raises(ConfigError):
        site.start()


def test_a_store_that_is_away_stops_nothing(tmp_path: Path) -> None:
    """Edits go live, status says so, and what happened is written when it is back."""
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    store = MemoryStore()
    reader = Orders(store.peer(), app="shop")
    store.lose()
    live = ReloadCheck(file, store=store, app="shop", settle=0, window=0.1)
    live.start()
    for value in (2, 3):
        file.write_text(f"a: {value}")
        live.check()
        assert value == live.snapshot.config.a
    status = live.status().store
    assert status is not None
    assert (status.code, status.error) == ("store", "memory: is lost")
    store.heal()
    until(lambda: [row.entry.edition for row in reader.history()] == [3, 2, 1])
    until(lambda: getattr(live.status().store, "code", "") is None)
    live.close()
    assert not reader.members()


def test_a_store_that_hangs_holds_nobody(tmp_path: Path, waits: list[float]) -> None:
    """A start waits two seconds for it at most, and an edit is live while it hangs."""
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    store = MemoryStore()
    store.freeze()
    live = ReloadCheck(file, store=store, app="shop", settle=0, window=0.1, patience=SECONDS)
    live.start()
    assert 0 < sum(waits) <= 2
    waits.clear()
    file.write_text("a: 2")
    live.check()
    assert live.snapshot.config.a == 2
    assert not waits
    store.heal()
    live.close()


def test_confidential_documents_are_never_kept(tmp_path: Path) -> None:
    """Nothing of a secret is in the file of the store, and a rotation goes on under a pin."""
    from reloadcheck import DirectorySource, EnvironSource

    file, secrets = tmp_path / "config.yaml", tmp_path / "secrets"
    file.write_text("a: 1")
    secrets.mkdir()
    (secrets / "password").write_text("canary-one")
    path = tmp_path / "store.db"
    store = SteppedFile(path)
    (tmp_path / ".env").write_text("DOTTED=canary-dotenv\n")
    environ = {"SHOP_TOKEN": "canary-env"}
    live = ReloadCheck(
        file,
        DirectorySource(secrets),
        EnvironSource("SHOP_", environ=environ),
        tmp_path / ".env",
        store=store,
        app="shop",
        settle=0,
        window=0.1,
    )
    live.start()
    orders = Orders(SQLiteStore(path), app="shop")
    until(lambda: len(orders.history()) == 1)
    orders.pin(why="x", by="dora")
    all_step([store])
    (secrets / "password").write_text("canary-two")
    until(lambda: bool(live.check()) and live.snapshot.config.password == "canary-two")
    assert live.snapshot.config.a == 1
    live.close()
    data = b"".join(found.read_bytes() for found in tmp_path.glob("store.db*"))
    assert b"canary" not in data

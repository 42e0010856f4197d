"""P12. Going back is never held up: no window, freeze, leave or trial for what served before."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Orders, Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.policy import Contract
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from tests.support import config
from tests.support.load import until

TUESDAY = 1_795_514_400.0
"""2026-11-24, 10:00 UTC."""

HOUR = 3600.0
SIGNERS = 'dora@example.test namespaces="reloadcheck" ssh-ed25519 {}\n'
CONTRACT = """
reloadcheck: 1
service: shop
zone: UTC
keys:
  a: {window: office, range: 0..50}
  b: {approve: [dba]}
windows:
  office: [tue 09:00-11:00]
freezes:
  - {from: 2026-11-24T18:00, until: 2026-11-25T06:00, why: a fair}
approvers: allowed_signers
roles: {dba: [dora@example.test]}
"""
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ2ynTPmJfBM4DmQ4ZcqjXWSm2hJ7dFLRbBqZQ5q2VqO"


class Shop:
    """One worker whose edits need a window, leave and a trial."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "config.yaml"
        self.file.write_text("a: 1\nb: 1\n")
        (directory / "contract.yaml").write_text(CONTRACT)
        (directory / "allowed_signers").write_text(SIGNERS.format(KEY))
        self.clock = FakeClock(TUESDAY)
        self.store = directory / "private" / "store.db"
        self.orders = Orders(SQLiteStore(self.store), app="shop")
        self.live = self.engine()

    def engine(self) -> ReloadCheck[Any]:
        """Make a worker's engine."""
        return ReloadCheck(
            self.file,
            contract=Contract(self.file.with_name("contract.yaml")),
            trial=Trial(),
            store=SQLiteStore(self.store),
            app="shop",
            settle=0.0,
            window=0.0,
            clock=self.clock,
        )

    def serves(self, a: int) -> None:
        """Wait until a value serves, and see that it serves everybody."""
        until(lambda: bool(self.live.check()) and self.live.snapshot.config.a == a)
        assert self.live.status().trial is None

    def edit(self, a: int) -> None:
        """Write the file."""
        config.replace(self.file, f"a: {a}\nb: 1\n")

    def fails(self) -> None:
        """Have six of the requests fail that fall on what is tried: enough for a verdict."""
        gate = engine_of(self.live).trial
        assert gate is not None
        assert gate.run is not None
        failed = 0
        while failed < 6:
            ticket = gate.run.draw({})
            if ticket.on_candidate:
                ticket.failed("KeyError")
                failed += 1
            ticket.ended()

    def stays(self, a: int) -> None:
        """See that a value serves on, whatever is checked and looked up in the store."""
        seen = 0
        while seen < 8:
            self.live.check()
            assert a == self.live.snapshot.config.a
            assert self.live.status().trial is None
            time.sleep(0.05)
            seen += 1

    def comes_to(self, outcome: Outcome) -> None:
        """Wait until this is what becomes of the file."""
        until(lambda: self.live.check() is outcome)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop that has served `a: 1` and serves `a: 2`, which is watched."""
    shop = Shop(tmp_path)
    shop.live.start()
    shop.edit(2)
    shop.comes_to(Outcome.TRYING)
    assert shop.live.promote() == Outcome.RELOADED
    until(lambda: len(shop.orders.history(limit=9, outcome="reloaded")) == 2)
    yield shop
    shop.live.close()


def test_the_old_bytes_are_live_at_once(shop: Shop) -> None:
    """In a freeze, outside the window, and for everybody; what is new waits."""
    shop.clock.advance(9 * HOUR)
    shop.edit(3)
    shop.comes_to(Outcome.WAITING)
    for a in (1, 2):
        shop.edit(a)
        shop.serves(a)


def test_a_roll_back_waits_for_nothing(shop: Shop) -> None:
    """Nor does its end, where what serves again has served before."""
    shop.clock.advance(9 * HOUR)
    shop.orders.rollback(why="slow", by="dora")
    shop.serves(1)
    shop.orders.unban(2, by="dora")
    shop.serves(2)


def test_the_history_knows_what_served_before_this_process(shop: Shop) -> None:
    """A worker that was started a moment ago lets the way back be as free as an old one."""
    shop.live.close()
    shop.clock.advance(9 * HOUR)
    shop.live = shop.engine()
    shop.live.start()
    shop.edit(3)
    shop.comes_to(Outcome.WAITING)
    shop.edit(1)
    shop.serves(1)


def test_an_undo_in_the_watch_asks_nobody(shop: Shop) -> None:
    """In a freeze too. After `retry` it is tried as what is new, since it was taken back."""
    shop.orders.freeze(why="a fair", by="dora")
    until(lambda: shop.orders.state().freeze is not None)
    assert shop.live.undo(reason="wrong prices") == Outcome.UNDONE
    assert shop.live.snapshot.config.a == 1
    shop.orders.thaw(by="dora")
    until(lambda: len(shop.orders.history(limit=9, outcome="undone")) == 1)
    shop.live.retry()
    shop.comes_to(Outcome.TRYING)


@pytest.mark.parametrize("judged", [True, False], ids=["by its trial", "by a person"])
def test_a_roll_back_is_served_while_the_file_holds_what_was_undone(
    shop: Shop, judged: bool
) -> None:
    """The older edition serves and stays, also after a restart; what was undone does not return."""
    shop.edit(3)
    shop.comes_to(Outcome.TRYING)
    if judged:
        shop.fails()
        until(lambda: bool(shop.live.check()) and shop.live.status().outcome is Outcome.UNDONE)
    else:
        assert shop.live.undo(reason="wrong prices") == Outcome.UNDONE
    until(lambda: len(shop.orders.history(limit=9, outcome="undone")) == 1)
    assert shop.live.snapshot.config.a == 2
    shop.orders.rollback(why="slow, too", by="dora")
    shop.serves(1)
    shop.stays(1)
    shop.live.close()
    shop.live = shop.engine()
    shop.live.start()
    assert shop.live.snapshot.config.a == 1
    shop.stays(1)
    assert {shop.live.status().code} == {"banned"}
    assert {
        row.entry.edition: row.held
        for row in shop.orders.history(limit=9, outcome="reloaded")
        if row.entry.edition in (1, 2)
    } == {1: True, 2: False}


@pytest.mark.parametrize("outcome", [Outcome.WAITING, Outcome.TRYING, Outcome.REJECTED])
def test_a_roll_back_bans_an_edit_that_is_not_live(shop: Shop, outcome: Outcome) -> None:
    """What the sources hold when it comes holds it up as little as what serves; other bytes do."""
    if outcome is Outcome.WAITING:
        shop.clock.advance(9 * HOUR)
    shop.edit(99 if outcome is Outcome.REJECTED else 3)
    shop.comes_to(outcome)
    shop.orders.rollback(why="slow", by="dora")
    shop.serves(1)
    shop.stays(1)
    until(lambda: len(shop.orders.state().banned) == 2)
    shop.live.close()
    shop.live = shop.engine()
    shop.live.start()
    shop.stays(1)
    assert {shop.live.status().code} == {"banned"}
    shop.edit(4)
    shop.comes_to(Outcome.WAITING if outcome is Outcome.WAITING else Outcome.TRYING)


@pytest.mark.parametrize("way", ["by name", "by a retry"])
def test_a_ban_on_an_edit_that_never_was_live_can_be_lifted(shop: Shop, way: str) -> None:
    """By the beginning of its digest, and by a retry; then the edit is judged anew."""
    shop.clock.advance(9 * HOUR)
    shop.edit(3)
    shop.comes_to(Outcome.WAITING)
    shop.orders.rollback(why="slow", by="dora")
    shop.serves(1)
    until(lambda: len(shop.orders.state().banned) == 2)
    shop.stays(1)
    if way == "by name":
        bans = shop.orders.state().banned
        (digest,) = [content for content, ban in bans.items() if ban.edition is None]
        shop.orders.unban(digest[:8], by="dora")
    else:
        shop.orders.retry(by="dora")
    shop.comes_to(Outcome.WAITING)
    assert {ban.edition for ban in shop.orders.state().banned.values()} == {2}
    shop.clock.advance(7 * 24 * HOUR - 9 * HOUR)  # the next window
    shop.comes_to(Outcome.TRYING)

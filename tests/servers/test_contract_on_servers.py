"""The shop's contract, word for word, on four workers and a real PostgreSQL, as an operator."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reloadcheck.demo.postgres import PostgresServer
from tests.policy.signing import Signers, signers
from tests.support.load import until
from tests.support.receiver import Receiver

from .shop import ARNO, DORA, EVE, KEYS, OTTO, SECONDS, UVICORN, WORKERS, Shop, open_shop

__all__ = ["signers"]

pytestmark = pytest.mark.long

LATE = 8.0
"""Seconds within which what is legal must be there, on a machine that others use as well."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who is told."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def shop(tmp_path: Path, signers: Signers, receiver: Receiver) -> Iterator[Shop]:
    """The shop on four workers."""
    with (
        PostgresServer.start() as postgres,
        open_shop(tmp_path, signers, postgres.url(), receiver.url) as shop,
    ):
        yield shop


def test_the_whole_contract_holds(shop: Shop, receiver: Receiver) -> None:
    """Each word of it, one after another; no request fails but in a trial, on purpose."""
    _illegal(shop)
    _leave(shop)
    _windows(shop)
    _frozen(shop)
    _overridden(shop)
    assert shop.load.failures == []
    _tried(shop)
    _restarted(shop)
    _nothing_is_shown(shop, receiver)
    print({name: round(seconds, 2) for name, seconds in shop.took.items()})
    assert max(shop.took.values()) < LATE, shop.took


def test_it_holds_on_an_event_loop_too(
    tmp_path: Path, signers: Signers, receiver: Receiver
) -> None:
    """Uvicorn's workers refuse, wait and take back as gunicorn's do."""
    with (
        PostgresServer.start() as postgres,
        open_shop(tmp_path, signers, postgres.url(), receiver.url, UVICORN) as shop,
    ):
        _illegal(shop)
        _leave(shop)
        _windows(shop)
        assert shop.load.failures == []
        shop.clock("2026-11-24T12:00")
        _tried(shop)
        assert max(shop.took.values()) < LATE, shop.took


def _illegal(shop: Shop) -> None:
    """What breaks the contract is refused on every worker, whatever the time and whoever signs."""
    shop.shows(pool_max=4, level="INFO", pool=4)
    shop.edit(("INFO", "DEBUG"), ("pool_max: 4", "pool_max: 9"))
    shop.is_refused("rule", "no DEBUG in production")
    assert "a pool may at most double" in str(shop.members()[0].error)
    shop.edit(("DEBUG", "INFO"), ("pool_max: 9", "pool_max: 4"), ("timeout: 5.0", "timeout: 31"))
    shop.is_refused("range", "payment.timeout: is outside 0.1..30 of the contract")
    shop.edit(("timeout: 31", "timeout: 5.0"), ("timeout: 10", "timeout: 30"))
    shop.is_refused("required", "http.timeout: still has its baseline")
    shop.edit(("timeout: 30", "timeout: 10"), ("pool_min: 1", "pool_min: null"))
    shop.is_refused("rule-error", "the rule on line 18 of the contract cannot be asked")
    shop.edit(("pool_min: null", "pool_min: 9"))
    shop.is_refused("rule", "the maximum is below the minimum")
    shop.edit(("pool_min: 9", "pool_min: 1"), ("flags: {}", "flags: {broken: true}"))
    shop.is_refused("rehearsal", "rehearsal GET /products?limit=1: ")
    shop.edit(("flags: {broken: true}", "flags: {}"))
    shop.come_to("unchanged")


def _leave(shop: Shop) -> None:
    """By night, a pool grows by the leave of two, and by nothing else."""
    shop.clock("2026-11-25T02:00")
    base = shop.digest()
    shop.edit(("pool_max: 4", "pool_max: 6"))
    shop.waits("approval", "needs the leave of dba and architect")
    wrong: tuple[tuple[tuple[str, ...], dict[str, str], str, str], ...] = (
        ((DORA, EVE), {}, "signature", "by nobody among the approvers"),
        ((DORA,), {}, "approval", "the leave of architect is missing"),
        ((DORA, ARNO), {"to": "0" * 32}, "approval", "it is for another content"),
        ((DORA, ARNO), {"base": "0" * 32}, "approval", "it is for another base"),
        ((DORA, ARNO), {"environment": "staging"}, "approval", "another environment"),
        ((DORA, ARNO), {"namespace": "git"}, "signature", "for another purpose than"),
        ((DORA, ARNO), {"until": "2026-11-25T01:00+01:00"}, "approval", "it has expired"),
    )
    for people, words, code, said in wrong:
        shop.sign("approval", *people, **{"keys": "database.pool_max", "base": base, **words})
        shop.waits(code, said)
    shop.sign("approval", DORA, ARNO, said="less traffic", keys="database.pool_max", base=base)
    shop.waits("signature", "its signature is of other lines than these")
    shop.sign("approval", DORA, ARNO, keys="database.pool_max", base=base)
    shop.is_tried("leave of two")
    shop.promote()
    shop.shows(pool_max=6, pool=6)
    shop.edit(("pool_max: 6", "pool_max: 7"))
    shop.waits("approval", "it is for another base")  # the same once more
    shop.edit(("pool_max: 7", "pool_max: 6"))
    shop.come_to("unchanged")


def _windows(shop: Shop) -> None:
    """An edit waits for its window, whole, and is there when it opens."""
    shop.clock("2026-11-25T09:00")
    shop.edit(("timeout: 5.0", "timeout: 6.0"), ("INFO", "WARNING"))
    shop.waits("window", "its window 'office' opens Wed 10:00 Europe/Berlin")
    assert shop.status()["waiting"]["keys"] == ["payment.timeout"]
    shop.edit(("timeout: 6.0", "timeout: 7.0"))  # the newest replaces it
    shop.clock("2026-11-25T09:59:57")
    shop.come_to("trying")
    shop.promote()
    shop.shows(timeout=7.0, level="WARNING")
    shop.clock("2026-11-27T11:50")  # inside, at noon on a Friday is the end; but see the freeze
    shop.clock("2026-11-20T11:59")
    shop.edit(("timeout: 7.0", "timeout: 8.0"))
    shop.is_tried("inside its window")
    shop.promote()
    shop.clock("2026-11-20T12:00")
    shop.edit(("timeout: 8.0", "timeout: 9.0"))
    shop.waits("window", "opens Mon 10:00 Europe/Berlin")
    shop.edit(("timeout: 9.0", "timeout: 7.0"))  # which served before: at any time
    shop.is_live("back to what served", timeout=7.0)


def _frozen(shop: Shop) -> None:
    """On Black Friday nothing changes but a key that is rotated."""
    shop.clock("2026-11-27T11:00")
    shop.edit(("level: WARNING", "level: ERROR"))
    shop.waits("freeze", "nothing changes until Tue 06:00 Europe/Berlin: Black Friday")
    shop.edit(("level: ERROR", "level: WARNING"))
    shop.come_to("unchanged")
    shop.edit((KEYS[0], KEYS[1]))
    shop.is_tried("a rotation in a freeze")
    shop.promote()
    shop.shows(key=len(KEYS[1]))


def _overridden(shop: Shop) -> None:
    """Who is on call breaks the glass, with a reason, for one content; no trial follows."""
    shop.clock("2026-11-24T12:00")
    base = shop.digest()
    shop.edit(("pool_max: 6", "pool_max: 12"))
    shop.waits("window", "its window 'quiet' opens Wed 00:00")
    shop.sign("override", OTTO, keys="any", base=base, reason="")
    shop.waits("window")
    shop.sign("override", DORA, keys="any", base=base)
    shop.waits("window")
    shop.sign("override", OTTO, keys="any", base=base, until="2026-11-25T12:00+01:00")
    shop.waits("window")
    shop.sign("override", OTTO, keys="any", base=base, reason="the shop is down")
    shop.is_live("an override", pool_max=12, pool=12)
    (row,) = shop.orders.history(reviewed=False)
    assert (row.entry.actor, row.entry.why) == (OTTO, "the shop is down")


def _tried(shop: Shop) -> None:
    """What fails is taken back; what the application marks as well; the rest is there for all."""
    shop.edit(("flags: {}", "flags: {failing: true}"))
    shop.is_undone("undone-failed", "GET / → 500")
    shop.edit(("{failing: true}", "{}"), ("timeout: 7.0", "timeout: 0.5"))
    shop.is_undone("undone-marked", "payment-failed")
    shop.edit(("timeout: 0.5", "timeout: 7.0"), ("flags: {}", "flags: {new: true}"))
    shop.is_tried("a flag")
    trial = shop.status()["trial"]
    assert trial["share"] == 0.5  # at once: what the contract says of `flags`
    until(lambda: shop.status()["trial"]["units"] >= 20, SECONDS)
    shop.pass_by(31.0)
    shop.is_live("the end of a trial", flags={"new": True})


def _restarted(shop: Shop) -> None:
    """A key waits for the master's restart, and so does the contract."""
    failures = len(shop.load.failures)
    shop.edit(("bind: a", "bind: b"), ("level: WARNING", "level: ERROR"))
    shop.is_tried("a key that waits for a restart, and another")
    shop.promote()
    shop.shows(bind="a", level="ERROR")
    assert shop.status()["pending_restart"] == ["server.bind"]
    recycled = shop.children()[0]
    os.kill(recycled, signal.SIGTERM)
    until(lambda: recycled not in shop.children(), SECONDS)
    until(lambda: len(shop.children()) == WORKERS, SECONDS)
    until(lambda: len(shop.members()) == WORKERS, SECONDS)
    shop.shows(bind="a", level="ERROR")
    shop.contract.write_text(shop.contract.read_text().replace("0.1..30", "0.1..300"))
    shop.edit(("timeout: 7.0", "timeout: 99"))
    shop.is_refused("range", "payment.timeout: is outside 0.1..30 of the contract")
    until(lambda: shop.status()["pending_restart"] == ["server.bind", "contract.yaml"], SECONDS)
    assert len(shop.load.failures) == failures
    shop.server.stop()
    with shop.serves():
        shop.come_to("trying")  # what was written meanwhile, by the contract as it is now
        shop.shows(bind="b", level="ERROR")
        assert any('"timeout": 7.0' in one for one in shop.seen())  # what was accepted last
        shop.promote()
        shop.shows(bind="b", level="ERROR", timeout=99.0)
        assert shop.status()["pending_restart"] == []
        assert shop.load.failures == []


def _nothing_is_shown(shop: Shop, receiver: Receiver) -> None:
    """The states that the contract lists were told; no secret stands anywhere."""
    until(lambda: len({told["state"] for told, _, _ in receiver.told}) == 3, SECONDS)
    states = {told["state"] for told, _, _ in receiver.told}
    assert states == {"rejected", "undone", "override"}
    said = [json.dumps(told) for told, _, _ in receiver.told]
    said += [one.read_text(errors="replace") for one in shop.place.glob("server-*.log")]
    said += [str(shop.orders.history(limit=200)), str(shop.members())]
    for text in said:
        assert not any(key in text for key in KEYS), text

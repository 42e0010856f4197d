"""A candidate that fails, hangs, breaks its streams or is marked is undone, and stays undone."""

import random
import re
from contextlib import suppress
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from tests.support.fixtures import Make
from tests.support.rig import Text, until

from .site import DOORS, Making, fails_at


@DOORS
@pytest.mark.parametrize("how", [500, KeyError("card")], ids=["status", "exception"])
def test_a_candidate_that_fails_is_undone(site: Making, door: str, how: Exception | int) -> None:
    """After a few bad requests, with the sentence that counts them; what served serves on."""
    shop = site()
    assert shop.edit(2) is Outcome.TRYING
    shop.page = fails_at(2, how)
    for _ in range(3):
        with suppress(KeyError):
            shop.get(on_candidate=True, door=door)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    status = shop.live.status()
    assert status.code == "undone-failed"
    counted = r"undone: version 2 after 0\.0 s: ([23]) of the \1 failed requests were on it"
    assert re.match(counted, str(status.error))
    assert "though it had 1% of all; luck: 1 in " in str(status.error)
    first = f"GET / → {'500' if isinstance(how, int) else 'KeyError'}"
    assert f"First: {first}. Version 1 serves." in str(status.error)
    assert shop.get(on_candidate=True, door=door) == b"1"
    until(lambda: len(shop.pool.open) == 1)
    assert status.trial is None
    assert status.last_trial is not None


def test_what_is_undone_stays_undone(site: Making, clock: FakeClock) -> None:
    """Until the bytes change, or a person says `retry`."""
    shop = site()
    shop.edit(2)
    assert shop.live.undo(reason="wrong prices") is Outcome.UNDONE
    assert "undone by hand: version 2: wrong prices. Version 1 serves." in str(
        shop.live.status().error
    )
    clock.advance(5.0)
    assert shop.asked() is Outcome.UNDONE
    assert shop.live.snapshot.config.a == 1
    assert shop.edit(3) is Outcome.TRYING
    assert shop.live.undo() is Outcome.UNDONE
    assert shop.live.retry() is Outcome.TRYING
    assert shop.live.promote() is Outcome.RELOADED
    assert shop.live.snapshot.config.a == 3


def test_the_watch_undoes_by_one_assignment(site: Making, clock: FakeClock) -> None:
    """What fails for everybody after the promotion is taken back: the same objects serve again."""
    shop = site()
    old = shop.live.snapshot
    shop.edit(2)
    for _ in range(20):
        shop.get(on_candidate=True)
    clock.advance(60.0)
    until(lambda: shop.live.snapshot.config.a == 2)
    shop.page = fails_at(2)
    for _ in range(30):
        shop.get()
        clock.advance(0.1)
    until(lambda: shop.live.snapshot is old)
    status = shop.live.status()
    assert (status.outcome, status.code) == (Outcome.UNDONE, "watch")
    assert "an incident elsewhere cannot be excluded. Version 1 serves." in str(status.error)
    assert len(shop.pool.built) == 2
    assert shop.asked() is Outcome.UNDONE
    assert shop.get() == b"1"


def test_a_request_on_the_candidate_ends_on_it(site: Making) -> None:
    """What began just before the undo keeps its pool alive to its end."""
    shop = site()
    shop.edit(2)
    shop.draw.next = [True]
    environ: dict[str, Any] = {"PATH_INFO": "/", "streams": True}
    body: Any = shop.wsgi(environ, lambda *_: None)
    pool = environ["reloadcheck.snapshot"][shop.handle]
    assert shop.live.undo() is Outcome.UNDONE
    assert b"".join(body) == b"2"
    assert not pool.closed
    body.close()
    until(lambda: pool.closed)


def test_a_slow_candidate_is_undone(site: Making, clock: FakeClock) -> None:
    """Slower than nine tenths of what serves, at least twice as often."""
    shop = site()
    shop.edit(2)

    def page(config: Any) -> tuple[int, bytes]:
        clock.advance(0.5 if config.a == 2 else random_.uniform(0.01, 0.02))
        return 200, b""

    shop.page, random_ = page, random.Random(5)
    for _ in range(320):
        shop.get()
    assert shop.asked() is Outcome.TRYING  # what is slow is settled by now
    for number in range(100):
        shop.get(on_candidate=number % 5 == 0)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    assert shop.live.status().code == "undone-slow"


def test_a_hang_counts_when_its_age_passes(site: Making, clock: FakeClock) -> None:
    """A request that never ends is found while it hangs."""
    shop = site()
    shop.edit(2)

    def page(config: Any) -> tuple[int, bytes]:
        clock.advance(0.01)
        return 200, b"x"

    shop.page = page
    for _ in range(320):
        shop.get()
    assert shop.asked() is Outcome.TRYING
    hanging: list[Any] = []
    for _ in range(8):
        shop.draw.next = [True]
        hanging.append(shop.wsgi({"PATH_INFO": "/", "streams": True}, lambda *_: None))
    clock.advance(2.0)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    assert shop.live.status().code == "undone-slow"
    for body in reversed(hanging):
        body.close()


@DOORS
def test_the_application_may_mark(site: Making, door: str) -> None:
    """A wrong answer with status 200 counts where the application says so."""
    shop = site()
    shop.edit(2)

    def page(config: Any) -> tuple[int, bytes]:
        if config.a == 2:
            shop.live.mark("payment-failed")
        return 200, b""

    shop.page = page
    for _ in range(3):
        shop.get(on_candidate=True, door=door)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    assert shop.live.status().code == "undone-marked"
    assert "payment-failed requests were on it" in str(shop.live.status().error)
    shop.live.mark("payment-failed")  # outside a trial it does nothing


def test_a_stream_that_breaks_counts(site: Making) -> None:
    """An exception in the middle of a body is a failure."""
    shop = site()
    shop.edit(2)
    from reloadcheck import wsgi

    def app(environ: Any, start: Any) -> Any:
        def body() -> Any:
            yield b"x"
            if environ["reloadcheck.config"].a == 2:
                raise RuntimeError

        start("200 OK", [])
        return body()

    door = wsgi.ReloadCheckMiddleware(app, shop.live)
    for _ in range(3):
        shop.draw.next = [True]
        stream = door({"PATH_INFO": "/"}, lambda *_: None)
        with suppress(RuntimeError):
            list(stream)
        stream.close()  # type: ignore[attr-defined]
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)


def test_only_telling(site: Making) -> None:
    """With `act="tell"` nothing is undone."""
    shop = site(trial=Trial(act="tell"))
    shop.edit(2)
    shop.page = fails_at(2)
    for _ in range(5):
        shop.get(on_candidate=True)
    assert shop.asked() is Outcome.TRYING


def test_a_retry_tells_what_the_check_under_way_took_up(
    make: Make, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has become live, whoever was faster; a second one is `unchanged`."""
    live = make(window=0)
    allowed = list[int]()

    @live.rule("a")
    def rule(a: int) -> str | None:
        return None if a == 1 or allowed else "not yet"

    live.start()
    text.edit("a: 2")
    assert live.check() is Outcome.REJECTED
    allowed.append(2)
    engine = engine_of(live)

    class Companion:
        """Stands for what else is told of a retry, while a check is made."""

        def retry(self) -> None:
            assert live.check() is Outcome.RELOADED
            text.edit(next_edit)

    monkeypatch.setattr(engine, "companion", Companion())
    next_edit = "a: 2"
    assert live.retry() is Outcome.RELOADED
    monkeypatch.undo()
    assert live.retry() is Outcome.UNCHANGED
    allowed.clear()
    text.edit("a: 3")
    assert live.check() is Outcome.REJECTED
    allowed.append(3)
    next_edit = "a: ["
    monkeypatch.setattr(engine, "companion", Companion())
    assert live.retry() is Outcome.REJECTED

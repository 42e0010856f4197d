"""A request that is made again delays nobody, and what it meets too late it does not judge."""

import asyncio
import threading
from typing import Any

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck._engine.shadow_stage import Shadowing
from reloadcheck.seams.repeats import Request
from tests.support.rig import until

from .shadowed import SHADOWED, asked_of, hanging, is_idle, judged, shadow_of
from .site import Making


def test_a_slow_one_delays_nobody(site: Making) -> None:
    """While one hangs, all others are answered, and dropped here: there is never a second one."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    hangs, ends = hanging(shop)
    try:
        shop.get()
        assert hangs.wait(30)
        assert [shop.get() for _ in range(5)] == [b"1"] * 5
        assert shadow_of(shop).dropped == 5
        running = [one for one in threading.enumerate() if one.name == "reloadcheck-shadow"]
        assert len(running) == 1
    finally:
        ends.set()
    until(lambda: judged(shop) == 1)


def test_the_trial_may_end_meanwhile(site: Making) -> None:
    """What was begun on a version that is taken back says nothing, and lets it close."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    hangs, ends = hanging(shop)
    shop.get()
    assert hangs.wait(30)
    assert shop.live.undo() is Outcome.UNDONE
    ends.set()
    until(is_idle)
    until(lambda: len(shop.pool.open) == 1)
    assert shop.live.status().code == "undone-by-hand"


def test_what_has_ended_is_asked_nothing(site: Making) -> None:
    """A version that is taken back between two answers has no resources to answer with."""
    shop = site(trial=SHADOWED)
    shop.get()
    shop.edit(2)
    hangs, ends = threading.Event(), threading.Event()
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        hangs.set()
        assert ends.wait(30)
        return 200, b"1"

    shop.page = page
    came: list[object] = []
    Shadowing(engine_of(shop.live)).start(Request("GET", "/", "/"), [False, True], came.append)
    assert hangs.wait(30)
    assert shop.live.undo() is Outcome.UNDONE
    ends.set()
    until(is_idle)
    assert (came, asked) == ([None], [1])


def test_a_request_of_an_older_trial_tells_nothing_of_a_newer_edit(site: Making) -> None:
    """It began before the newer one was tried, and is not made again."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked = asked_of(shop, b"x")
    body: Any = shop.wsgi({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    assert shop.edit(3) is Outcome.TRYING
    body.close()
    until(is_idle)
    assert asked == [1]


def test_the_watch_repeats_nothing(site: Making) -> None:
    """Once all have it there is nobody to compare with."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    assert shop.live.promote() is Outcome.RELOADED
    shop.get()
    assert judged(shop) == 0


def test_a_loop_that_has_ended_is_not_replaced(site: Making) -> None:
    """What an application uses lives in the loop that served it, and is touched in no other one."""
    shop = site(trial=SHADOWED)
    engine = engine_of(shop.live)
    shop.get(door="asgi")
    shop.edit(2)
    asked = asked_of(shop, b"1")
    loop = asyncio.new_event_loop()
    loop.close()
    came: list[object] = []
    for home in (loop, None):
        Shadowing(engine).start(Request("GET", "/", "/", home=home), [True], came.append)
        until(is_idle)
    assert came == [None, None]
    assert asked == []

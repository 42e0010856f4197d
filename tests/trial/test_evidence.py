"""What is evidence in a trial: whose failures count, whose do not, and what an application says."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from reloadcheck import asgi, wsgi
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial

from .site import DOORS, Making, receive_nothing, send_nothing, signals, trial_of


def test_websockets_are_no_evidence(site: Making) -> None:
    """They are not drawn: where they fail says nothing, and how long they last neither."""
    shop = site()
    shop.edit(2)

    def page(config: Any) -> tuple[int, bytes]:
        raise KeyError("ws")

    shop.page = page
    for _ in range(5):
        with suppress(KeyError):
            shop.get(door="asgi", type="websocket")
    assert signals(shop) == {}


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit, SystemExit])
def test_who_is_cancelled_has_not_failed(site: Making, error: type[BaseException]) -> None:
    """A request that is cancelled ends, and blames nobody."""
    shop = site()
    shop.edit(2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    door = asgi.ReloadCheckMiddleware(app, shop.live)

    async def asked() -> None:
        with suppress(BaseException):
            await door({"type": "http", "path": "/"}, receive_nothing, send_nothing)

    shop.draw.next = [True]
    with suppress(BaseException):
        asyncio.run(asked())
    assert signals(shop) == {}
    assert trial_of(shop).units == 1


@pytest.mark.parametrize("way", ["receive", "send"])
def test_who_went_away_has_not_failed(site: Making, way: str) -> None:
    """An application that breaks because nobody listens any more is no worse than another."""
    shop = site()
    shop.edit(2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if way == "receive":
            await receive()
            raise RuntimeError("ClientDisconnect")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send_broken(message: Any) -> None:
        raise BrokenPipeError

    door = asgi.ReloadCheckMiddleware(app, shop.live)
    sending = send_broken if way == "send" else send_nothing
    shop.draw.next = [True]
    with suppress(RuntimeError, OSError):
        asyncio.run(door({"type": "http", "path": "/"}, receive_nothing, sending))
    assert signals(shop) == {}


def test_no_answer_is_a_failure(site: Making) -> None:
    """A server makes a 500 of an application that returns without an answer."""
    shop = site()
    shop.edit(2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    door = asgi.ReloadCheckMiddleware(app, shop.live)
    shop.draw.next = [True]
    asyncio.run(door({"type": "http", "path": "/"}, receive_nothing, send_nothing))
    assert signals(shop)["failed"].on_candidate == 1


def test_a_head_request_is_one(site: Making) -> None:
    """No body is no failure, behind either door."""
    shop = site()
    shop.edit(2)

    def app(environ: Any, start: Any) -> Any:
        start("200 OK", [("Content-Length", "5")])
        return []

    shop.draw.next = [True]
    door = wsgi.ReloadCheckMiddleware(app, shop.live)
    assert door({"PATH_INFO": "/", "REQUEST_METHOD": "HEAD"}, lambda *_: None) == []
    assert (trial_of(shop).units, trial_of(shop).signals) == (1, ())


def test_a_task_behind_the_answer_counts_and_is_not_slow(site: Making, clock: FakeClock) -> None:
    """What a background task raises is the version's; its time is not the answer's."""
    shop = site()
    shop.edit(2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})
        await receive()
        clock.advance(30.0)
        raise KeyError

    door = asgi.ReloadCheckMiddleware(app, shop.live)
    shop.draw.next = [True]
    with suppress(KeyError):
        asyncio.run(door({"type": "http", "path": "/"}, receive_nothing, send_nothing))
    assert set(signals(shop)) == {"failed"}


class Rude:
    """A key that cannot be told."""

    def __repr__(self) -> str:
        raise RuntimeError


@DOORS
def test_a_key_that_cannot_be_told_breaks_no_request(site: Making, door: str) -> None:
    """The request is drawn like any other, and its lease ends."""
    shop = site(trial=Trial(sticky=lambda scope: Rude()))
    shop.edit(2)
    assert shop.get(on_candidate=True, door=door) == b"2"
    assert sum(shop.live.status().leases.values()) == 0


def test_a_stream_may_mark(site: Making) -> None:
    """In the midst of a WSGI body, too."""
    shop = site()
    shop.edit(2)

    def app(environ: Any, start: Any) -> Any:
        start("200 OK", [])
        yield b"x"
        shop.live.mark("empty")

    door = wsgi.ReloadCheckMiddleware(app, shop.live)
    shop.draw.next = [True]
    body: Any = door({"PATH_INFO": "/"}, lambda *_: None)
    list(body)
    body.close()
    assert signals(shop)["marked: empty"].on_candidate == 1


@DOORS
def test_two_engines_hear_a_mark(site: Making, door: str) -> None:
    """Whose edit it was nobody knows: each of the two counts it, by its own draw."""
    outer, inner = site(), site()
    outer.edit(2)
    inner.edit(2)

    def page(config: Any) -> tuple[int, bytes]:
        outer.live.mark("wrong")
        return 200, b""

    inner.page = page
    inner.draw.next = [True]
    if door == "wsgi":
        both = wsgi.ReloadCheckMiddleware(inner.wsgi, outer.live)
        list(both({"PATH_INFO": "/"}, lambda *_: None))
    else:
        both_async = asgi.ReloadCheckMiddleware(inner.asgi, outer.live)
        asyncio.run(both_async({"type": "http", "path": "/"}, receive_nothing, send_nothing))
    assert signals(inner)["marked: wrong"].bad == 1
    assert signals(outer)["marked: wrong"].bad == 1


def test_a_door_in_a_door_is_one_unit(site: Making) -> None:
    """The inner one of the same engine draws nothing and counts nothing of its own."""
    shop = site()
    shop.edit(2)
    shop.draw.next = [True, False]
    both = wsgi.ReloadCheckMiddleware(shop.wsgi, shop.live)
    assert b"".join(both({"PATH_INFO": "/"}, lambda *_: None)) == b"2"
    assert (trial_of(shop).units, trial_of(shop).baseline_units) == (1, 0)

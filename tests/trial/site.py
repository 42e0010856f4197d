"""A site of one page behind the ASGI or the WSGI door, whose edits are tried; in process."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, asgi, wsgi
from reloadcheck._engine.api import engine_of
from reloadcheck.seams.gates import Gate
from reloadcheck.testing import FakeClock, RecordingFactory
from reloadcheck.trial import Trial
from reloadcheck.types import SignalStatus, TrialStatus
from tests.support.rig import Text, begin

Page = Callable[[Any], tuple[int, bytes]]


def fine(config: Any) -> tuple[int, bytes]:
    """Answer with the value of `a`."""
    return 200, str(config.a).encode()


class Site:
    """One page; `page` takes the configuration and gives status and body, or raises."""

    def __init__(self, make: Any, text: Text, clock: FakeClock, draw: Any, **options: Any) -> None:
        gates: list[Gate] = options.pop("gates", [])
        trial = options.pop("trial", Trial(first=3.0, seconds=60.0))
        self.live: ReloadCheck[Any] = make(window=1.0, trial=trial, **options)
        engine_of(self.live).gates[:0] = gates
        self.pool = RecordingFactory()
        self.handle = self.live.resource("a", name="pool")(self.pool)
        self.text, self.clock, self.draw = text, clock, draw
        self.page: Page = fine
        begin(self.live)
        gate = engine_of(self.live).trial
        if gate is not None:
            gate.draw = lambda: draw
        self.wsgi = wsgi.ReloadCheckMiddleware(self._wsgi, self.live)
        self.asgi = asgi.ReloadCheckMiddleware(self._asgi, self.live)

    def _wsgi(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        status, body = self.page(environ["reloadcheck.config"])
        start(f"{status} Answer", [("Content-Type", "text/plain")])
        return iter([body]) if environ.get("streams") else [body]

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            self.page(scope["state"]["config"])
            await send({"type": "websocket.close", "code": 1000})
            return
        status, body = self.page(scope["state"]["config"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def get(self, *, on_candidate: bool = False, door: str = "wsgi", **words: Any) -> bytes:
        """Return the body of an answer; `on_candidate`: the draw falls on it."""
        self.draw.next = [on_candidate]
        if door == "wsgi":
            environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", **words}
            body = self.wsgi(environ, lambda *_: None)
            try:
                return b"".join(body)
            finally:
                close = getattr(body, "close", None)
                if close is not None:
                    close()
        return asyncio.run(self.ask(words.get("type", "http")))

    async def ask(self, kind: str) -> bytes:
        """Return the body of an answer through the ASGI door."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        scope: dict[str, Any] = {"type": kind, "path": "/", "headers": []}
        await self.asgi(scope | ({"method": "GET"} if kind == "http" else {}), receive, send)
        return b"".join(message.get("body", b"") for message in sent)

    def edit(self, a: int) -> Outcome:
        """Have an edit read; it is tried from then on."""
        self.text.write(f"a: {a}\nb: 1\n")
        return self.live.check()

    def asked(self) -> Outcome:
        """Have the trial decide now."""
        return self.live.check()


Making = Callable[..., Site]
DOORS = pytest.mark.parametrize("door", ["wsgi", "asgi"])


def fails_at(a: int, how: Exception | int = 500) -> Callable[[Any], tuple[int, bytes]]:
    """Return a page that fails on one version."""

    def page(config: Any) -> tuple[int, bytes]:
        if config.a != a:
            return 200, str(config.a).encode()
        if isinstance(how, Exception):
            raise how
        return how, b"broken"

    return page


def trial_of(shop: Site) -> TrialStatus:
    """Return what is told of the trial that runs."""
    trial = shop.live.status().trial
    assert trial is not None
    return trial


def signals(shop: Site) -> dict[str, SignalStatus]:
    """Return the bad units, by signal."""
    return {one.name: one for one in trial_of(shop).signals}


async def receive_nothing() -> Any:
    """Say that the client has gone."""
    return {"type": "http.disconnect"}


async def send_nothing(message: Any) -> None:
    """Take whatever is sent."""

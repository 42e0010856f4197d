"""Trio's loop is served as asyncio's is, and neither is ever held."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import trio
from blockbuster import blockbuster_ctx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from reloadcheck import ConfigSyntaxError, FrozenDict, Outcome, ReloadCheck
from reloadcheck._engine.thread import EngineThread
from reloadcheck.asgi import ReloadCheckMiddleware

Live = ReloadCheck[FrozenDict]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration."""
    file = tmp_path / "config.yaml"
    file.write_text("word: hello\n")
    return file


def serve(live: Live) -> ReloadCheckMiddleware:
    """Return an app that says the word of its configuration."""

    async def home(request: Request) -> PlainTextResponse:
        assert request.state.snapshot is live.current()
        return PlainTextResponse(request.state.config.word)

    return ReloadCheckMiddleware(Starlette(routes=[Route("/", home)]), live)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_lifespan_in_any_loop(backend: Literal["asyncio", "trio"], file: Path) -> None:
    """Start-up loads, requests are served and follow the file, shutdown closes."""
    live = ReloadCheck(file, window=0.0, settle=0.0, environ={})
    closed: list[str] = []

    @live.resource("word")
    def said(word: str) -> Iterator[str]:
        yield word
        closed.append(word)

    with TestClient(serve(live), backend=backend) as client:
        assert live.status().state == "serving"
        assert client.get("/").text == "hello"
        file.write_text("word: bye\n")
        assert client.get("/").text == "bye"
    assert (live.status().state, sorted(closed)) == ("closed", ["bye", "hello"])


def test_a_bad_configuration_fails_a_lifespan_in_trio(file: Path) -> None:
    """With the cause, as in asyncio; and the engine is closed again."""
    file.write_text("word: [\n")
    live = ReloadCheck(file, settle=0.0, environ={})
    with pytest.raises(ConfigSyntaxError, match=":1:8: "), TestClient(serve(live), backend="trio"):
        raise AssertionError("the client was entered")
    assert live.status().state == "closed"


def test_every_call_works_in_trio(file: Path) -> None:
    """`astart`, `acheck`, `async with live.lease()` and `aclose`."""
    live = ReloadCheck(file, window=100.0, settle=0.0, environ={})

    async def main() -> list[Any]:
        await live.astart()
        file.write_text("word: bye\n")
        outcome = await live.acheck()
        async with live.lease() as snapshot:
            word = snapshot.config["word"]
        await live.aclose()
        return [outcome in (Outcome.RELOADED, Outcome.UNCHANGED), word, live.status().state]

    assert trio.run(main) == [True, "bye", "closed"]


def test_no_call_blocks_the_loop(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No blocking call in the loop's thread, be it a lock, a file or a sleep; found by patching.

    Not even at the very end, when the engine's thread has said that it is done and takes its time.
    """
    thread: Any = EngineThread
    end: Callable[[EngineThread[Any]], None] = thread._end

    def end_slowly(self: EngineThread[Any]) -> None:
        end(self)
        time.sleep(0.1)

    monkeypatch.setattr(thread, "_end", end_slowly)
    live = ReloadCheck(file, window=0.0, settle=0.0, environ={})

    @live.resource("word")
    async def said(word: str) -> str:
        return word

    async def main() -> str:
        with blockbuster_ctx("reloadcheck"):
            await live.astart()
            file.write_text("word: bye\n")
            await live.acheck()
            async with live.lease() as snapshot:
                word = snapshot[said]
            await live.aclose()
            return word

    assert asyncio.run(main()) == "bye"

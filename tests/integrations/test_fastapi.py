"""FastAPI: dependencies that give the configuration and the resources of the request's version."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextvars import copy_context
from typing import Annotated, Any

import anyio.to_thread
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from starlette.testclient import TestClient

from reloadcheck import FrozenDict, OutsideWorkError, ReloadCheck, UnknownResourceError
from reloadcheck.integrations.fastapi import ReloadCheckMiddleware, config_of, resource_of
from tests.support.rig import Call, Text, until

from .conftest import Make
from .pools import Pool, edit, pool_of


def following(live: ReloadCheck[Any]) -> FastAPI:
    """Make an app as the README does."""
    app = FastAPI()
    app.add_middleware(ReloadCheckMiddleware, live=live)
    return app


def test_endpoints_of_every_kind_have_both(make: Make, text: Text) -> None:
    """Sync and async endpoints and websockets get config and pool of their one version."""
    live = make()
    pool = pool_of(live, [])
    app = following(live)

    @app.get("/sync")
    def sync(
        config: Annotated[FrozenDict, Depends(config_of(live))],
        held: Annotated[Pool, Depends(resource_of(pool))],
    ) -> list[int]:
        return [config.a, held.number]

    @app.get("/async")
    async def async_(
        config: Annotated[FrozenDict, Depends(config_of(live))],
        held: Annotated[Pool, Depends(resource_of(pool))],
    ) -> list[int]:
        return [config.a, held.number]

    @app.websocket("/ws")
    async def websocket(
        socket: WebSocket,
        config: Annotated[FrozenDict, Depends(config_of(live))],
        held: Annotated[Pool, Depends(resource_of(pool))],
    ) -> None:
        await socket.accept()
        while await socket.receive_text() == "tell":
            await socket.send_json([config.a, held.number])
        await socket.close()

    with TestClient(app) as client, client.websocket_connect("/ws") as socket:
        for number in (1, 2):
            if number == 2:
                edit(live, text, "a: 2")
            assert [number, number] == client.get("/sync").json()
            assert [number, number] == client.get("/async").json()
            socket.send_text("tell")
            assert socket.receive_json() == [1, 1]
        socket.send_text("end")


def test_an_async_resource_reaches_a_sync_endpoint(make: Make) -> None:
    """The dependency reads in the event loop, where an async resource may be read."""
    live = make()
    loops: list[asyncio.AbstractEventLoop] = []

    @live.resource("a")
    async def pool(a: int) -> AsyncIterator[Pool]:
        loops.append(asyncio.get_running_loop())
        yield Pool(a)

    app = following(live)

    @app.get("/")
    def sync(pool: Annotated[Pool, Depends(resource_of(pool))]) -> int:
        return pool.number

    with TestClient(app) as client:
        assert client.get("/").json() == 1
    assert len(loops) == 1


def test_dependencies_need_no_thread(make: Make) -> None:
    """While every thread for sync endpoints is taken, an async one still gets both at once."""
    live = make()
    pool = pool_of(live, [])
    entered, go_on = threading.Event(), threading.Event()
    app = following(live)

    def stay() -> None:
        entered.set()
        go_on.wait(30)

    @app.get("/hold")
    async def hold() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        await anyio.to_thread.run_sync(stay)

    @app.get("/", dependencies=[Depends(config_of(live)), Depends(resource_of(pool))])
    async def answer() -> str:
        return "at once"

    with TestClient(app) as client:
        held = Call(lambda: client.get("/hold"))
        assert entered.wait(30)
        asked = Call(lambda: client.get("/"))
        try:
            assert asked.result().json() == "at once"
        finally:
            go_on.set()
        assert held.result().status_code == 200


def test_overrides_replace_either(make: Make) -> None:
    """`app.dependency_overrides` finds both by asking again, and other engines' are left alone."""
    live, other = make(), make()
    pool, others = pool_of(live, []), pool_of(other, [])
    assert config_of(live) == config_of(live)
    assert config_of(live) != config_of(other)
    assert resource_of(pool) == resource_of(pool)
    assert resource_of(pool) != resource_of(others)
    app = following(live)

    @app.get("/")
    def sync(
        config: Annotated[FrozenDict, Depends(config_of(live))],
        pool: Annotated[Pool, Depends(resource_of(pool))],
    ) -> list[int]:
        return [config.a, pool.number]

    with TestClient(app) as client:
        app.dependency_overrides[config_of(live)] = lambda: FrozenDict({"a": 7})
        assert client.get("/").json() == [7, 1]
        app.dependency_overrides[resource_of(pool)] = lambda: Pool(8)
        assert client.get("/").json() == [7, 8]
        app.dependency_overrides.clear()
        assert client.get("/").json() == [1, 1]


def documented(live: ReloadCheck[Any] | None) -> FastAPI:
    """Make an app with an endpoint of some shape; with an engine, it also depends on it."""
    app = FastAPI()
    depends: list[Any] = []
    if live is not None:
        app.add_middleware(ReloadCheckMiddleware, live=live)
        depends = [Depends(config_of(live)), Depends(resource_of(pool_of(live, [])))]

    @app.post("/orders/{number}", dependencies=depends)
    def order(number: int, body: dict[str, int], query: str = "") -> dict[str, int]:
        return body

    return app


def test_the_openapi_document_is_as_without(make: Make) -> None:
    """Nothing of the dependencies is in the document, byte for byte."""
    with TestClient(documented(make())) as ours, TestClient(documented(None)) as plain:
        assert plain.get("/openapi.json").content == ours.get("/openapi.json").content


def test_what_comes_after_the_response_keeps_the_snapshot(make: Make, text: Text) -> None:
    """A background task and the end of a `yield` dependency see the version of their request."""
    live = make()
    journal: list[str] = []
    pool = pool_of(live, journal)
    app = following(live)
    begun, go_on = threading.Event(), threading.Event()
    seen: list[tuple[str, int, bool]] = []

    async def ending(held: Annotated[Pool, Depends(resource_of(pool))]) -> AsyncIterator[None]:
        yield
        seen.append(("exit", live.current().config.a, held.closed))

    def afterwards(held: Pool) -> None:
        begun.set()
        go_on.wait(30)
        seen.append(("task", live.current().config.a, held.closed))

    @app.get("/", dependencies=[Depends(ending)])
    def answer(tasks: BackgroundTasks, held: Annotated[Pool, Depends(resource_of(pool))]) -> None:
        tasks.add_task(afterwards, held)

    with TestClient(app) as client:
        request = Call(lambda: client.get("/"))
        assert begun.wait(30)
        edit(live, text, "a: 2")
        assert "closed 1" not in journal
        go_on.set()
        assert request.result().status_code == 200
        assert set(seen) == {("task", 1, False), ("exit", 1, False)}
        until(lambda: "closed 1" in journal)


def test_each_engine_gives_its_own(make: Make) -> None:
    """With two engines around one app, each dependency asks its own, the outer one's too."""
    outer, inner = make(Text("a: 1")), make(Text("a: 2"))
    of_outer, of_inner = pool_of(outer, []), pool_of(inner, [])
    app = following(inner)
    app.add_middleware(ReloadCheckMiddleware, live=outer)

    @app.get("/")
    def both(
        one: Annotated[FrozenDict, Depends(config_of(outer))],
        two: Annotated[FrozenDict, Depends(config_of(inner))],
        first: Annotated[Pool, Depends(resource_of(of_outer))],
        second: Annotated[Pool, Depends(resource_of(of_inner))],
    ) -> list[int]:
        return [one.a, two.a, first.number, second.number]

    with TestClient(app) as client:
        assert client.get("/").json() == [1, 2, 1, 2]


def test_a_forgotten_middleware_is_named(make: Make) -> None:
    """Without the middleware each dependency says which line is missing."""
    live = make()
    pool = pool_of(live, [])
    app = FastAPI()

    @app.get("/config", dependencies=[Depends(config_of(live))])
    def config() -> None: ...

    @app.get("/pool", dependencies=[Depends(resource_of(pool))])
    def resource() -> None: ...

    with TestClient(app) as client:
        for path in ("/config", "/pool"):
            with pytest.raises(OutsideWorkError, match=r"add `app\.add_middleware\("):
                client.get(path)


def test_what_an_ended_request_left_is_no_unit_of_work(make: Make) -> None:
    """A resource of another engine is missing a line also where a task outlived its request."""
    live, other = make(), make()
    foreign = pool_of(other, [])

    async def ask() -> Pool:
        return await resource_of(foreign)()

    async def outlive() -> Pool:
        async with live.lease():
            context = copy_context()
        return await asyncio.create_task(ask(), context=context)

    with pytest.raises(OutsideWorkError, match=r"add `app\.add_middleware\("):
        asyncio.run(outlive())


def test_a_foreign_handle_is_refused(make: Make) -> None:
    """A resource of an engine that is not around the request is not there."""
    live, other = make(), make()
    foreign = pool_of(other, [])
    app = following(live)

    @app.get("/", dependencies=[Depends(resource_of(foreign))])
    def answer() -> None: ...

    with TestClient(app) as client, pytest.raises(UnknownResourceError, match="handle"):
        client.get("/")

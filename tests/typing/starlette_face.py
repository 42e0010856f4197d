"""Programs that are only checked, never run: Starlette's and FastAPI's state and dependencies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, assert_type

from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.websockets import WebSocket

from reloadcheck import ReloadCheck, Snapshot
from reloadcheck.integrations.fastapi import ReloadCheckMiddleware as FastAPIMiddleware
from reloadcheck.integrations.fastapi import config_of, resource_of
from reloadcheck.integrations.starlette import LiveState, ReloadCheckMiddleware


@dataclass(frozen=True)
class Settings:
    """A schema."""

    greeting: str


class Pool:
    """Something built."""


live = ReloadCheck("config.yaml", schema=Settings)


@live.resource("greeting")
async def db(greeting: str) -> AsyncIterator[Pool]:
    """Build with an async generator."""
    yield Pool()


class AppState(LiveState[Settings]):
    """The state with what the app's own lifespan adds."""

    started: float


async def endpoint(request: Request[LiveState[Settings]]) -> None:
    """Read the state of a request."""
    assert_type(request.state.config, Settings)
    assert_type(request.state.config.greeting, str)
    assert_type(request.state.snapshot, Snapshot[Settings])
    assert_type(request.state.snapshot[db], Pool)


async def talk(socket: WebSocket[AppState]) -> None:
    """Read the state of a websocket."""
    assert_type(socket.state.config, Settings)
    assert_type(socket.state.started, float)


async def depend(
    config: Annotated[Settings, Depends(config_of(live))],
    pool: Annotated[Pool, Depends(resource_of(db))],
) -> None:
    """Have both as dependencies."""
    assert_type(config_of(live), Callable[[], Awaitable[Settings]])
    assert_type(resource_of(db), Callable[[], Awaitable[Pool]])
    assert_type(await config_of(live)(), Settings)
    assert_type(await resource_of(db)(), Pool)


starlette = Starlette(middleware=[Middleware(ReloadCheckMiddleware, live=live)])
starlette.add_middleware(ReloadCheckMiddleware, live=live)
fastapi = FastAPI()
fastapi.add_middleware(FastAPIMiddleware, live=live)

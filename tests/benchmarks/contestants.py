"""What a request can be made to go through: nothing, a middleware that does nothing, ours, others'.

Each is given an application and gives one. What others would do on each request to be live is done
by the middleware that does nothing, so that only that differs. Baseplate's FileWatcher is not
among them: it pins an OpenTelemetry that does not install beside this project's other extras.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, cast

import dynaconf  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
import staticconf
import yaml
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, YamlConfigSettingsSource
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from reloadcheck import ReloadCheck
from reloadcheck._doors.protocols import (
    ASGIApp,
    Environ,
    Receive,
    Scope,
    Send,
    StartResponse,
    WSGIApp,
)
from reloadcheck._engine.api import engine_of

__all__ = [
    "CONFIG",
    "NoOp",
    "NoOpWSGI",
    "PerRequest",
    "PlainHTTP",
    "others",
    "warm",
    "warm_async",
]

Work = Callable[[], object]

CONFIG = """\
database: {url: postgresql://localhost/orders, pool_size: 10, timeout: 2.5}
upstream: {url: "https://example.org", timeout: 1.0, retries: 3}
flags: {new_checkout: true, banner: false, limits: [10, 20, 30]}
greeting: hello
"""


class NoOp:
    """The middleware class that everything is measured against."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class PerRequest:
    """A middleware class that does some work on each request."""

    def __init__(self, app: ASGIApp, work: Work) -> None:
        self.app = app
        self.work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.work()
        await self.app(scope, receive, send)


class PlainHTTP(BaseHTTPMiddleware):
    """Starlette's own base class, doing nothing."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass the request on."""
        return await call_next(request)


class NoOpWSGI:
    """The same for WSGI."""

    def __init__(self, app: WSGIApp) -> None:
        self.app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return self.app(environ, start_response)


def others(path: Path) -> dict[str, Work]:
    """Return what others do on a request to have the file's present content, or one value of it."""
    name = str(path)
    live = dynaconf.Dynaconf(settings_files=[name], core_loaders=["YAML"])
    staticconf.YamlConfiguration(name)
    watcher = staticconf.config.ConfigurationWatcher(
        lambda: staticconf.YamlConfiguration(name), [name], min_interval=0
    )

    class Settings(BaseSettings):
        database: dict[str, Any]
        upstream: dict[str, Any]
        flags: dict[str, Any]
        greeting: str

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            """Read the file alone."""
            return (YamlConfigSettingsSource(settings_cls, path),)

    def hashed() -> None:
        with open(name, "rb") as file:
            hashlib.sha256(file.read()).digest()

    def parsed() -> None:
        with open(name, "rb") as file:
            yaml.safe_load(file)

    return {
        "stat": lambda: os.stat(name),
        "open + sha256": hashed,
        "yaml.safe_load": parsed,
        "dynaconf attribute": lambda: live.GREETING,
        "dynaconf reload()": live.reload,
        "pydantic-settings": cast("Work", Settings),
        "PyStaticConfiguration": watcher.reload_if_changed,
    }


def warm(live: ReloadCheck[Any], ask: Callable[[], object]) -> None:
    """Have a busy application: ask until its requests find a fresh snapshot."""
    ends = time.monotonic() + 5
    ask()
    while engine_of(live).cell.fresh is None:
        assert time.monotonic() < ends, "no request finds a fresh snapshot"
        time.sleep(0.001)
        ask()


async def warm_async(live: ReloadCheck[Any], ask: Callable[[], Awaitable[object]]) -> None:
    """Do what `warm` does, in an event loop."""
    ends = time.monotonic() + 5
    await ask()
    while engine_of(live).cell.fresh is None:
        assert time.monotonic() < ends, "no request finds a fresh snapshot"
        await asyncio.sleep(0.001)
        await ask()

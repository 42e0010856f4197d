"""Frameworks without an adapter of their own: the plain doors are enough."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from werkzeug.test import create_environ

from reloadcheck import FrozenDict, ReloadCheck, asgi

from . import hosts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a configuration."""
    path = tmp_path / "app.yaml"
    path.write_text("number: 1\n")
    return path


def engine(file: Path) -> ReloadCheck[FrozenDict]:
    """Return an engine that looks when it is told to, and waits for nothing."""
    return ReloadCheck(file, window=60, settle=0)


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")  # Pyramid's WebOb
@pytest.mark.parametrize("host", hosts.WSGI_HOSTS.values(), ids=hosts.WSGI_HOSTS)
def test_a_wsgi_host(host: hosts.WSGIHost, file: Path) -> None:
    """The configuration is there, an edit arrives, and a stream keeps the version it began with."""
    live = engine(file)
    app: Any = host(live)

    def get(path: str, meanwhile: Callable[[], object]) -> str:
        started: list[str] = []

        def start_response(status: str, headers: object, error: object = None) -> None:
            started.append(status)

        body: Any = app(create_environ(path), start_response)
        text = b""
        for piece in body:
            text += piece
            meanwhile()
        getattr(body, "close", bool)()
        assert started == ["200 OK"]
        return text.decode()

    def edit() -> None:
        file.write_text("number: 2\n")
        live.check()
        assert live.snapshot.config["number"] == 2

    assert get("/", bool) == "1"
    assert get("/stream", edit) == "1\n1\n1\n"
    assert get("/", bool) == "2"
    assert get("/stream", edit) == "2\n2\n2\n"
    assert sum(live.status().leases.values()) == 0
    live.close()


async def serves(app: asgi.ASGIApp, live: ReloadCheck[FrozenDict], file: Path) -> None:
    """Ask an ASGI app before, during and after an edit."""

    async def get(path: str, *, meanwhile: bool = False) -> str:
        sent: list[asgi.Message] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        complete = asyncio.Event()
        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> asgi.Message:
            for message in asked:
                return message
            await complete.wait()  # the client stays for all of it
            return {"type": "http.disconnect"}

        async def send(message: asgi.Message) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                complete.set()
            if meanwhile and message.get("body") and file.read_text() == "number: 1\n":
                file.write_text("number: 2\n")
                await live.acheck()
                assert live.snapshot.config["number"] == 2

        await app(scope, receive, send)
        assert sent[0]["status"] == 200
        return b"".join(message.get("body", b"") for message in sent[1:]).decode()

    assert await get("/") == "1"
    assert await get("/stream", meanwhile=True) == "1\n1\n1\n"
    assert await get("/") == "2"
    assert await get("/stream") == "2\n2\n2\n"
    assert sum(live.status().leases.values()) == 0
    await live.aclose()


@pytest.mark.parametrize("host", hosts.ASGI_HOSTS.values(), ids=hosts.ASGI_HOSTS)
def test_an_asgi_host(host: hosts.ASGIHost, file: Path) -> None:
    """The configuration is there, an edit arrives, and a stream keeps the version it began with."""
    live = engine(file)
    asyncio.run(serves(host(live), live, file))


def test_django_in_an_asgi_server_by_way_of_a2wsgi(file: Path) -> None:
    """The WSGI door inside an ASGI one: as above, in a2wsgi's threads."""
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="for tests only")
    live = engine(file)
    urls = type("urls", (), {"urlpatterns": hosts.django_urls(live)})
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        asyncio.run(serves(hosts.django(live), live, file))

"""The middleware: what a view, its threads, its templates and its streams see, in both worlds."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import Context, Engine
from django.utils.decorators import sync_only_middleware
from werkzeug.test import Client

from reloadcheck import OutsideWorkError, asgi, current_snapshot, wsgi
from tests.support.calls import ask, body

from .site import MIDDLEWARE, get, get_async, held, site, write

OUTER = f"{__name__}.sync_only"
DROPS = f"{__name__}.drops_it"


def now() -> int:
    """Return the number of the unit of work around this code."""
    number: int = current_snapshot().config.number
    return number


def seen(request: HttpRequest) -> str:
    """Say what each way to the configuration gives."""
    live: Any = request
    page = Engine().from_string("{{ now }}").render(Context({"now": now}))
    assert live.config is live.snapshot.config
    return f"{live.config.number} {now()} {page}"


def plain(request: HttpRequest) -> HttpResponse:
    """A sync view."""
    return HttpResponse(seen(request))


async def awaited(request: HttpRequest) -> HttpResponse:
    """An async view, that looks from a thread too."""
    there = await sync_to_async(seen)(request)
    elsewhere = await sync_to_async(now, thread_sensitive=False)()
    assert there == seen(request)
    return HttpResponse(f"{elsewhere} {there}"[2:])


def breaks(request: HttpRequest) -> HttpResponse:
    """A view that raises."""
    raise ValueError("it is meant to")


def lines(request: HttpRequest) -> StreamingHttpResponse:
    """A stream made by a generator."""

    def numbers() -> Iterator[str]:
        for _ in range(3):
            yield f"{now()}\n"

    return StreamingHttpResponse(numbers())


def lines_async(request: HttpRequest) -> StreamingHttpResponse:
    """A stream made by an async generator, which edits the file in its middle."""
    edit = cast("Callable[[], None]", cast("Any", request).edit)

    async def numbers() -> AsyncIterator[str]:
        for place in range(3):
            yield f"{now()}\n"
            if place == 0:
                await sync_to_async(edit)()

    return StreamingHttpResponse(numbers())


@sync_only_middleware
def sync_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """A middleware of the older kind."""
    return get_response


@sync_only_middleware
def drops_it(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """A middleware that answers with something else, and closes nothing."""

    def answer(request: HttpRequest) -> HttpResponse:
        get_response(request)
        return HttpResponse("instead")

    return answer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration file with the number 1."""
    file = tmp_path / "config.yaml"
    write(file, 1)
    return file


@pytest.mark.parametrize("ask_it", [get, get_async], ids=["WSGI", "ASGI"])
@pytest.mark.parametrize("view", ["plain", "awaited"])
@pytest.mark.parametrize("middleware", [[], [OUTER]], ids=["first", "behind a sync one"])
def test_a_request_sees_one_version(
    file: Path, view: str, ask_it: Callable[[str], str], middleware: list[str]
) -> None:
    """View, threads and templates see the request's snapshot, and the next request the edit."""
    with site(file, plain, awaited, MIDDLEWARE=[*middleware, MIDDLEWARE]) as live:
        assert ask_it(f"/{view}") == "200 1 1 1"
        write(file, 2)
        assert ask_it(f"/{view}") == "200 2 2 2"
        assert held(live) == 0
        with pytest.raises(OutsideWorkError):
            current_snapshot()


@pytest.mark.parametrize("ask_it", [get, get_async], ids=["WSGI", "ASGI"])
def test_a_view_that_raises_ends_its_unit_of_work(file: Path, ask_it: Callable[[str], str]) -> None:
    """The lease of a failed request is given back, and the error is Django's own."""
    with site(file, breaks) as live:
        assert ask_it("/breaks").startswith("500 ")
        assert held(live) == 0


def test_a_stream_keeps_its_version_until_it_is_closed(file: Path) -> None:
    """A generator body sees the snapshot it began with, which is held until its `close()`."""
    with site(file, lines, plain) as live:
        response = Client(get_wsgi_application()).get("/lines", buffered=False)
        body = iter(response.response)
        first = next(body)
        write(file, 2)
        assert run_elsewhere(lambda: int(get("/plain").split()[1])) == 2
        assert [first, *body] == [b"1\n"] * 3
        assert held(live) == 1
        response.close()
        assert held(live) == 0
        with pytest.raises(OutsideWorkError):
            current_snapshot()


def run_elsewhere(call: Callable[[], int]) -> int:
    """Call in another thread, as another request would."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join(30)
    return found[0]


def test_an_async_stream_keeps_its_version(file: Path) -> None:
    """So does an async generator, whatever is loaded while it is sent."""
    with site(file, lines_async, MIDDLEWARE=[MIDDLEWARE, f"{__name__}.edits"]) as live:
        assert get_async("/lines_async") == "200 1\n1\n1\n"
        assert live.snapshot.version == 2
        assert held(live) == 0


@sync_only_middleware
def edits(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Let a request edit the file that its engine reads, and have it loaded."""
    from reloadcheck.integrations.django import live

    (source,) = live._engine.sources  # pyright: ignore[reportPrivateUsage]

    def answer(request: Any) -> HttpResponse:
        def edit() -> None:
            write(Path(source.name), 2)
            live.check()

        request.edit = edit
        return get_response(request)

    return answer


@pytest.mark.parametrize("ask_it", [get, get_async], ids=["WSGI", "ASGI"])
def test_a_stream_that_nobody_closes_holds_nothing(
    file: Path, ask_it: Callable[[str], str]
) -> None:
    """A middleware that answers with something else leaves no lease behind."""
    with site(file, lines, MIDDLEWARE=[DROPS, MIDDLEWARE]) as live:
        assert ask_it("/lines") == "200 instead"
        gc.collect()
        assert held(live) == 0


def test_inside_the_wsgi_door_it_joins(file: Path) -> None:
    """Behind a door of the same engine a request has the door's snapshot, though an edit came."""

    def edited(environ: Any, start_response: Any) -> Any:
        write(file, 2)
        environ["reloadcheck.snapshot"]
        live.check()
        return django_app(environ, start_response)

    with site(file, plain) as live:
        django_app = get_wsgi_application()
        with Client(wsgi.ReloadCheckMiddleware(edited, live)).get("/plain") as response:
            assert response.get_data(as_text=True) == "1 1 1"
        assert (live.snapshot.version, held(live)) == (2, 0)


def test_inside_the_asgi_door_it_joins(file: Path) -> None:
    """So it is under ASGI."""

    async def edited(scope: Any, receive: Any, send: Any) -> None:
        write(file, 2)
        await live.acheck()
        await django_app(scope, receive, send)

    with site(file, plain, awaited) as live:
        django_app = get_asgi_application()
        door = asgi.ReloadCheckMiddleware(edited, live)
        assert body(asyncio.run(ask(door, "/awaited"))) == b"1 1 1"
        assert (live.snapshot.version, held(live)) == (2, 0)


@pytest.mark.parametrize("ask_it", [get, get_async], ids=["WSGI", "ASGI"])
def test_without_a_configuration_it_answers_503(file: Path, ask_it: Callable[[str], str]) -> None:
    """Before the first good file requests are told to come again, and served once it is there."""
    file.unlink()
    with site(file, plain) as live:
        assert ask_it("/plain").startswith("503 The application has no usable configuration")
        write(file, 7)
        assert ask_it("/plain") == "200 7 7 7"
        assert held(live) == 0


def test_nothing_starts_before_the_first_request(file: Path) -> None:
    """Setting Django up and making its application load nothing and start no thread."""
    before = set(threading.enumerate())
    with site(file, plain) as live:
        get_wsgi_application()
        get_asgi_application()
        assert live.status().state == "idle"
        assert set() == set(threading.enumerate()) - before


def test_a_cancelled_request_gives_its_lease_back(file: Path) -> None:
    """A client that goes away while its view waits leaves nothing held."""

    async def waits(request: HttpRequest) -> HttpResponse:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")

    async def disconnected() -> None:
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await begun.wait()
            assert held(live) == 1
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            raise AssertionError("nobody reads it")

        from tests.support.calls import scope

        await get_asgi_application()(scope("http", "/waits"), receive, send)

    with site(file, waits) as live:
        begun = asyncio.Event()
        async_to_sync(disconnected)()
        assert held(live) == 0

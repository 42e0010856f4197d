"""The request path in process: what each contestant adds to a bare application, in CPU time."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from reloadcheck import FrozenDict, ReloadCheck
from reloadcheck._doors.protocols import (
    ASGIApp,
    Environ,
    Message,
    Receive,
    Scope,
    Send,
    StartResponse,
    WSGIApp,
)
from reloadcheck.asgi import ReloadCheckMiddleware as ASGIDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WSGIDoor

from .contestants import (
    CONFIG,
    NoOp,
    NoOpWSGI,
    PerRequest,
    PlainHTTP,
    others,
    warm,
    warm_async,
)
from .judging import Claim, Report, Row, Series, ratio
from .least import least, least_stream, least_wsgi
from .rounds import Batch, Size, interleave

__all__ = ["run"]

THREADS, REQUESTS = 4, 5000
"""How many threads, and how many requests each of them makes in a round."""
LEAST = "the least door"
NOTE = "each is what it adds to the bare application, which is given whole"


def run(size: Size) -> list[Report]:
    """Measure ASGI and WSGI."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "app.yaml"
        path.write_text(CONFIG)
        return [_asgi(path, size), *_wsgi(path, size)]


# ------------------------------------------------------------------------------- ASGI


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as small applications do, with a start and a body."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def send(message: Message) -> None:
    """Send nothing anywhere."""


async def receive() -> Message:
    """Return an empty request."""
    return {"type": "http.request", "body": b"", "more_body": False}


def request_scope() -> Scope:
    """Return what a server makes for each request, with the state of its lifespan."""
    return {"type": "http", "method": "GET", "path": "/", "headers": [], "state": {}}


async def ask(app: ASGIApp) -> None:
    """Make one request."""
    await app(request_scope(), receive, send)


def asgi_batch(
    loop: asyncio.AbstractEventLoop, app: ASGIApp, live: ReloadCheck[FrozenDict]
) -> Batch:
    """Make so many requests one after the other in the event loop."""

    async def batch(times: int) -> float:
        if app is not answer:
            await warm_async(live, lambda: ask(ASGIDoor(answer, live)))
        for _ in range(times // 10):  # what ran in between has left the caches to others
            await app(request_scope(), receive, send)
        begun = time.process_time()
        for _ in range(times):
            await app(request_scope(), receive, send)
        return time.process_time() - begun

    return lambda times: loop.run_until_complete(batch(times))


def _asgi(path: Path, size: Size) -> Report:
    live, off = ReloadCheck(path), ReloadCheck(path, enabled=False)
    loop = asyncio.new_event_loop()
    apps: dict[str, ASGIApp] = {
        "bare": answer,
        "no-op class": NoOp(answer),
        "no-op class again": NoOp(answer),
        LEAST: least(answer),
        "ours": ASGIDoor(answer, live),
        "ours, switched off": ASGIDoor(answer, off),
        "BaseHTTPMiddleware": PlainHTTP(answer),
        **{name: PerRequest(answer, work) for name, work in others(path).items()},
    }
    engines = {"ours, switched off": off}
    try:
        batches = {
            name: asgi_batch(loop, app, engines.get(name, live)) for name, app in apps.items()
        }
        found = interleave(batches, size)
    finally:
        loop.run_until_complete(live.aclose())
        loop.run_until_complete(off.aclose())
        loop.close()
    added, rows = _added(found)
    control = ratio(added["no-op class again"], added["no-op class"])

    def claim(measure: str, name: str, against: str, at_most: float) -> Claim:
        found, floor = (ratio(added[one], added[against]) for one in (name, LEAST))
        return Claim(measure, found, at_most, control=control, floor=floor)

    def over(measure: str, name: str) -> Claim:
        return Claim(measure, ratio(added[name], added[LEAST]), 1.1, control=control)

    claims = (
        over("ASGI, added per request, against the least door", "ours"),
        over("ASGI, switched off, against the same", "ours, switched off"),
        claim("ASGI, against stat per request", "ours", "stat", 1 / 7),
        claim("ASGI, against open + sha256 per request", "ours", "open + sha256", 1 / 30),
        claim("ASGI, against dynaconf reload()", "ours", "dynaconf reload()", 1 / 12_000),
    )
    return Report("ASGI, a request in process", rows, claims, (NOTE,))


def _added(found: dict[str, Series]) -> tuple[dict[str, Series], tuple[Row, ...]]:
    bare = found["bare"]
    added = {name: one.less(bare) for name, one in found.items() if name != "bare"}
    rows = [Row.of("bare", bare, "ns", 1e9)]
    return added, (*rows, *(Row.of(name, one, "ns", 1e9) for name, one in added.items()))


# ------------------------------------------------------------------------------- WSGI


def listed(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a list."""
    start_response("200 OK", [])
    return [b"hello"]


def generated(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Answer with a generator."""
    start_response("200 OK", [])
    yield b"hello"


def start_response(status: str, headers: object, error: object = None) -> Callable[[bytes], None]:
    """Start nothing."""
    return _write


def _write(_: bytes) -> None: ...


def serve(app: WSGIApp) -> None:
    """Do what a server does with one request."""
    body = app({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": ""}, start_response)
    for _ in body:
        pass
    close = getattr(body, "close", None)
    if close is not None:
        close()


def wsgi_batch(app: WSGIApp, live: ReloadCheck[FrozenDict]) -> Batch:
    """Make so many requests one after the other."""
    door = WSGIDoor(listed, live)

    def batch(times: int) -> float:
        warm(live, lambda: serve(door))
        for _ in range(times // 10):
            serve(app)
        begun = time.process_time()
        for _ in range(times):
            serve(app)
        return time.process_time() - begun

    return batch


def threaded_batch(app: WSGIApp, live: ReloadCheck[FrozenDict]) -> Batch:
    """Make so many requests in each of several threads at once; by the clock on the wall."""
    door = WSGIDoor(listed, live)

    def batch(times: int) -> float:
        warm(live, lambda: serve(door))
        begin = threading.Barrier(THREADS + 1)

        def work() -> None:
            begin.wait()
            for _ in range(times):
                serve(app)

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        begin.wait()
        begun = time.perf_counter()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun

    return batch


def _wsgi(path: Path, size: Size) -> list[Report]:
    live, off = ReloadCheck(path), ReloadCheck(path, enabled=False)
    try:
        return [
            _one_thread("list", listed, live, off, size),
            _one_thread("generator", generated, live, off, size),
            _threads(live, size),
        ]
    finally:
        live.close()
        off.close()


def _contestants(app: WSGIApp, live: ReloadCheck[FrozenDict]) -> dict[str, WSGIApp]:
    return {
        "bare": app,
        "no-op class": NoOpWSGI(app),
        "no-op class again": NoOpWSGI(app),
        "ours": WSGIDoor(app, live),
        LEAST: (least_wsgi if app is listed else least_stream)(app),
    }


def _one_thread(
    kind: str,
    app: WSGIApp,
    live: ReloadCheck[FrozenDict],
    off: ReloadCheck[FrozenDict],
    size: Size,
) -> Report:
    batches = {name: wsgi_batch(one, live) for name, one in _contestants(app, live).items()}
    batches["ours, switched off"] = wsgi_batch(WSGIDoor(app, off), off)
    added, rows = _added(interleave(batches, size))
    control = ratio(added["no-op class again"], added["no-op class"])
    measure = f"WSGI, {kind} body, added per request, against the least door"
    title = f"WSGI, a request in process, {kind} body"
    value, floor = (ratio(added[one], added["no-op class"]) for one in ("ours", LEAST))
    most = 1.1 if app is listed else 2.0
    claims = (Claim(measure, ratio(added["ours"], added[LEAST]), most, control=control),)
    notes = (NOTE, f"{value:.2f} × a no-op class, the least door {floor:.2f}")
    return Report(title, rows, claims, notes)


def _threads(live: ReloadCheck[FrozenDict], size: Size) -> Report:
    found = interleave(
        {name: threaded_batch(one, live) for name, one in _contestants(listed, live).items()},
        replace(size, rounds=max(9, size.rounds // 4)),
        fixed=REQUESTS,
    )
    reference = found["no-op class"]
    claim = Claim(
        f"WSGI, throughput of {THREADS} threads, against the least door (at least)",
        ratio(found[LEAST], found["ours"]),
        0.95,
        control=ratio(reference, found["no-op class again"]),
        turned=True,
    )
    rows = tuple(Row.of(name, one, "ns", 1e9 / THREADS) for name, one in found.items())
    notes = ("whole requests, by the clock on the wall: what else runs on the machine shows",)
    return Report(f"WSGI, {THREADS} threads", rows, (claim,), notes)

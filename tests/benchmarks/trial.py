"""What a trial costs a request: while none runs, while one does, and while its edit is watched.

An engine that could try its edits against one that cannot, as control; then a trial in it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._doors.protocols import ASGIApp, Environ, StartResponse, WSGIApp
from reloadcheck.asgi import ReloadCheckMiddleware as ASGIDoor
from reloadcheck.testing import MemorySource
from reloadcheck.trial import Trial
from reloadcheck.wsgi import ReloadCheckMiddleware as WSGIDoor

from .judging import Claim, Report, Row, Series, ratio
from .request import answer, receive, request_scope, send
from .rounds import Batch, Size, interleave
from .tried import run as real_trials

__all__ = ["run"]

WITHOUT, AGAIN = "an engine without a trial", "the same again"
NONE_ON, TRIED, WATCHED = "with one, none on", "an edit is tried", "an edit is watched"
NOTE = "CPU time of a whole request to an application that does nothing; the engine's looks count"


def run(size: Size) -> list[Report]:
    """Measure what it costs, ASGI and WSGI, and what it comes to behind a real server."""
    costs = [_measured("ASGI", _asgi_batch, size), _measured("WSGI", _wsgi_batch, size)]
    return [*costs, *real_trials(size)]


def _measured(kind: str, batch_of: Callable[[ReloadCheck[Any]], Batch], size: Size) -> Report:
    options: dict[str, Any] = {"window": 0.2, "environ": {}}
    long = Trial(seconds=3600, longest=3600, watch=3600)
    sources = {name: MemorySource("a: 1") for name in (WITHOUT, NONE_ON, TRIED, WATCHED)}
    engines = {
        name: ReloadCheck[Any](source, trial=None if name == WITHOUT else long, **options)
        for name, source in sources.items()
    }
    for live in engines.values():
        live.start()
    try:
        for name in (TRIED, WATCHED):
            sources[name].edit("a: 2")
            assert engines[name].check() is Outcome.TRYING
        engines[WATCHED].promote()
        batches = {name: batch_of(live) for name, live in engines.items()}
        found = interleave(batches | {AGAIN: batch_of(engines[WITHOUT])}, size)
    finally:
        for live in engines.values():
            live.close()
    return _report(kind, found)


def _report(kind: str, found: dict[str, Series]) -> Report:
    base = found[WITHOUT]
    control = ratio(found[AGAIN], base)
    adds = {name: found[name].less(base) for name in (AGAIN, NONE_ON, TRIED, WATCHED)}
    rows = [Row.of(WITHOUT, base, "µs", 1e6)]
    rows += [Row.of(f"+ {name}", series, "µs", 1e6) for name, series in adds.items()]
    claims = (
        Claim(f"{kind}: {NONE_ON}", ratio(found[NONE_ON], base), 1.05, control=control),
        Claim(f"{kind}: adds while {TRIED}", adds[TRIED].median * 1e6, 8.0, "µs", control=control),
        Claim(
            f"{kind}: adds while {WATCHED}", adds[WATCHED].median * 1e6, 8.0, "µs", control=control
        ),
    )
    ratios = ", ".join(f"{name} {ratio(found[name], base):.2f}" for name in adds)
    return Report(f"A trial, {kind}", tuple(rows), claims, (NOTE, f"ratios: {ratios}"))


def _asgi_batch(live: ReloadCheck[Any]) -> Batch:
    app: ASGIApp = ASGIDoor(answer, live)

    async def batch(times: int) -> float:
        begun = time.process_time()
        for _ in range(times):
            await app(request_scope(), receive, send)
        return time.process_time() - begun

    return lambda times: asyncio.run(batch(times))


def _wsgi_batch(live: ReloadCheck[Any]) -> Batch:
    app: WSGIApp = WSGIDoor(_page, live)

    def batch(times: int) -> float:
        begun = time.process_time()
        for _ in range(times):
            app({"PATH_INFO": "/", "REQUEST_METHOD": "GET"}, _started)
        return time.process_time() - begun

    return batch


def _page(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


def _started(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
    return len

"""The traces, as OpenTelemetry's own SDK exports them."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from reloadcheck import asgi, wsgi
from reloadcheck._runtime.clock import SystemClock
from reloadcheck.integrations.opentelemetry import VersionOnSpan, WSGIVersionOnSpan, instrument
from tests.support.fixtures import Make
from tests.support.rig import Text, same, until

CANARY = "canary-77c0"


class Traces:
    """Spans that were exported, the oldest first."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("test")

    def reloads(self, count: int) -> Sequence[ReadableSpan]:
        """Wait for so many spans of reloads and give them."""
        until(lambda: len(self._reloads()) >= count)
        return self._reloads()

    def named(self, name: str) -> ReadableSpan:
        """Return the one span of a name."""
        (span,) = [one for one in self._exporter.get_finished_spans() if one.name == name]
        return span

    def _reloads(self) -> list[ReadableSpan]:
        spans = self._exporter.get_finished_spans()
        return [one for one in spans if one.name == "reloadcheck.reload"]


@pytest.fixture
def traces() -> Iterator[Traces]:
    """Spans in memory."""
    found = Traces()
    yield found
    found.provider.shutdown()


def test_a_reload_is_a_span_with_its_phases(make: Make, text: Text, traces: Traces) -> None:
    """A span from the first phase to the swap, an event for each phase, the facts as attributes."""
    live = make(settle=0.0, clock=SystemClock())
    live.resource("a", name="pool")(same)
    instrument(live, tracer_provider=traces.provider)
    live.start()
    live.check()
    text.write(f"a: {CANARY}\nb: 1\n")
    live.check()
    live.check()
    text.write(f"a: [{CANARY}")
    live.check()
    _, good, bad = traces.reloads(3)
    facts = dict(good.attributes or {})
    assert (2, live.snapshot.digest, ("a",), ("pool",), "reloaded") == tuple(
        facts[f"reloadcheck.{name}"]
        for name in ("config.version", "config.digest", "config.changed", "built", "outcome")
    )
    assert [event.name for event in good.events] == ["read", "parse", "build"]
    assert good.start_time is not None
    assert good.end_time is not None
    times = [good.start_time, *(event.timestamp for event in good.events)]
    assert sorted(times) == times
    assert good.start_time <= good.end_time
    assert StatusCode.ERROR is bad.status.status_code
    assert "app.yaml:1:4" in (bad.status.description or "")
    assert dict(bad.attributes or {})["error.type"] == "syntax"
    assert CANARY not in "".join(span.to_json() for span in (good, bad))


def test_a_reload_is_linked_to_the_request_that_had_it_made(
    make: Make, text: Text, traces: Traces
) -> None:
    """The request whose coming had the check made is linked, through the settling of the file."""
    live = make(window=0.0, settle=0.0)
    stop = instrument(live, tracer_provider=traces.provider)

    def app(environ: object, start_response: object) -> list[bytes]:
        return [b"ok"]

    door = wsgi.ReloadCheckMiddleware(WSGIVersionOnSpan(app), live)
    with traces.tracer.start_as_current_span("first"):
        door({"PATH_INFO": "/"}, print)
    live.check()
    text.write("a: 2")
    with traces.tracer.start_as_current_span("second"):
        door({"PATH_INFO": "/"}, print)
    names = "first", "second"
    for reload, name, version in zip(traces.reloads(2), names, (1, 2), strict=True):
        request = traces.named(name)
        assert [request.context] == [link.context for link in reload.links]
        attributes = dict(request.attributes or {})
        assert version == attributes["reloadcheck.config.version"]
        assert dict(reload.attributes or {})["reloadcheck.trigger"] == "request"
    stop()


def test_a_reload_is_linked_to_an_asgi_request_too(make: Make, text: Text, traces: Traces) -> None:
    """The link is the same where the request waits in an event loop."""
    live = make(window=0.0, settle=0.0)
    instrument(live, tracer_provider=traces.provider)

    async def app(*_: Any) -> Any:
        return None

    async def ask() -> None:
        scope: dict[str, Any] = {"type": "http", "path": "/", "method": "GET", "headers": []}
        with traces.tracer.start_as_current_span("request"):
            await asgi.ReloadCheckMiddleware(app, live)(scope, app, app)

    asyncio.run(ask())
    (reload,) = traces.reloads(1)
    assert [traces.named("request").context] == [link.context for link in reload.links]


def test_an_asgi_requests_span_has_the_version(make: Make, traces: Traces) -> None:
    """The span of an ASGI request tells version and digest; outside of one nothing is told."""
    live = make()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def nothing(*_: Any) -> Any:
        return None

    async def ask(door: Any, name: str) -> None:
        scope: dict[str, Any] = {"type": "http", "path": "/", "method": "GET", "headers": []}
        with traces.tracer.start_as_current_span(name):
            await door(scope, nothing, nothing)

    marked = VersionOnSpan(app)
    asyncio.run(ask(asgi.ReloadCheckMiddleware(marked, live), "inside"))
    asyncio.run(ask(marked, "outside"))
    inside, outside = (dict(traces.named(name).attributes or {}) for name in ("inside", "outside"))
    assert {
        "reloadcheck.config.version": 1,
        "reloadcheck.config.digest": live.snapshot.digest,
    } == inside
    assert outside == {}


def test_without_a_provider_nothing_happens(make: Make, text: Text) -> None:
    """With the API alone, and no SDK set up, reloads go on and no span is recorded."""
    live = make(settle=0.0)
    instrument(live)
    live.start()
    live.check()
    text.write("a: 2")
    live.check()
    until(lambda: live.snapshot.version == 2)

"""OpenTelemetry, by its API alone: a span for each reload, the version on each request's span.

Spans carry key paths and codes, never values. Without an SDK in the process all of it is a no-op.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from .._engine.api import ReloadCheck, engine_of
from .._observe.events import ReloadEvent
from .._snapshots.context import current_snapshot
from ..exceptions import OutsideWorkError
from ..types import Code, Outcome, key_path_text
from ._extras import missing

try:
    from opentelemetry import trace
    from opentelemetry.trace import Link, SpanContext, Status, StatusCode, Tracer, TracerProvider
    from opentelemetry.util.types import AttributeValue
except ModuleNotFoundError as error:
    raise missing(error, "reloadcheck[otel]") from None

__all__ = ["VersionOnSpan", "WSGIVersionOnSpan", "instrument"]

MOST_KEYS = 20
"""How many changed key paths one span names."""

_NO_FAILURE = frozenset({Outcome.UNCHANGED, Outcome.WAITING})
"""What is told with a code and is no error: nothing was refused."""


def instrument(
    live: ReloadCheck[Any], *, tracer_provider: TracerProvider | None = None
) -> Callable[[], None]:
    """Make a span of each reload and rejection; return the way to stop.

    A span is linked to the request that had the check made, where that was in a span of its own by
    then: where OpenTelemetry's middleware is around ours.
    """
    tracer = trace.get_tracer("reloadcheck", tracer_provider=tracer_provider)
    listeners = engine_of(live).listeners
    listeners.link = _span_context
    return live.subscribe(lambda event: _record(tracer, event, _verdict(live, event)))


def _span_context() -> SpanContext | None:
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid else None


def _verdict(live: ReloadCheck[Any], event: ReloadEvent) -> dict[str, AttributeValue] | None:
    """Return what a trial of the event's edit came to, None where it was not tried to its end."""
    gate = engine_of(live).trial
    trial = None if gate is None else gate.status() or gate.latest()
    if event.outcome is Outcome.UNDONE:
        word = "withdrawn" if event.code == Code.SUPERSEDED else "undone"
    elif event.outcome is Outcome.WAITING and event.edit is not None:
        word = "withdrawn"
    elif event.outcome is Outcome.RELOADED and trial is not None and not event.first:
        word = "promoted"
        trial = trial if trial.version == event.version else None
    else:
        return None
    counted: dict[str, AttributeValue] = {"verdict": word}
    if event.error is not None:
        counted |= {"code": event.code or "", "sentence": str(event.error)}
    if trial is not None:
        counted |= {"version": trial.version, "units": trial.units, "share": trial.share}
    return counted if trial is not None or word != "promoted" else None


def _record(tracer: Tracer, event: ReloadEvent, verdict: dict[str, AttributeValue] | None) -> None:
    begun = min([event.at, *(phase.begun for phase in event.phases)])
    link = event.trigger.link
    span = tracer.start_span(
        "reloadcheck.reload",
        links=[Link(link)] if isinstance(link, SpanContext) else [],
        start_time=_nanoseconds(begun),
        attributes=_attributes(event),
    )
    ends = [phase.begun + phase.seconds for phase in event.phases]
    for phase, end in zip(event.phases, ends, strict=True):
        span.add_event(phase.name, {"seconds": phase.seconds}, _nanoseconds(end))
    if verdict is not None:
        span.add_event("trial.verdict", verdict, _nanoseconds(event.at))
    if event.error is not None and event.outcome not in _NO_FAILURE:
        span.set_status(Status(StatusCode.ERROR, str(event.error)))
    span.end(_nanoseconds(max([event.at, *ends])))


def _attributes(event: ReloadEvent) -> dict[str, AttributeValue]:
    paths = event.diff.key_paths
    facts: dict[str, AttributeValue | None] = {
        "reloadcheck.outcome": str(event.outcome),
        "reloadcheck.trigger": event.trigger.kind,
        "reloadcheck.config.version": event.version,
        "reloadcheck.config.digest": event.digest,
        "reloadcheck.config.changed": [key_path_text(path) for path in paths[:MOST_KEYS]],
        "reloadcheck.built": list(event.built),
        "error.type": event.code,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


class VersionOnSpan:
    """Put the version that an ASGI request sees on its span.

    Goes inside both: `ReloadCheckMiddleware(VersionOnSpan(app), live)`, with OpenTelemetry's own
    middleware around that, or between the two.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        _mark()
        await self._app(scope, receive, send)


class WSGIVersionOnSpan:
    """Put the version that a WSGI request sees on its span; goes inside both, as its ASGI twin."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _mark()
        return self._app(environ, start_response)


def _mark() -> None:
    span = trace.get_current_span()
    if not span.is_recording():
        return
    try:
        snapshot = current_snapshot()
    except OutsideWorkError:
        return
    span.set_attribute("reloadcheck.config.version", snapshot.version)
    span.set_attribute("reloadcheck.config.digest", snapshot.digest)

"""A secret, and everywhere that people, programs and their tools read of an engine.

The log with each record's fields, events, the status and its page in every format, metrics, traces,
errors with all that they were raised from, tracebacks, and what these tell of our variables.
"""

import base64
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

import reloadcheck
from reloadcheck import ReloadCheck, ReloadEvent
from reloadcheck._page.page import Wanted, page
from reloadcheck._page.view import view_of
from reloadcheck.integrations import opentelemetry, prometheus

__all__ = ["SECRET", "SPELLINGS", "Watch", "found_in", "pages_of"]

SECRET = "c4n4ry/p4ss w0rd"
SPELLINGS = (
    SECRET,
    quote(SECRET, safe=""),
    SECRET.encode().hex(),
    base64.b64encode(SECRET.encode()).decode(),
    "c4n4ry",
    "w0rd",
)
PACKAGE = str(Path(reloadcheck.__file__).parent)


class Watch:
    """All that watches an engine from outside, from before its start."""

    def __init__(self, live: ReloadCheck[Any]) -> None:
        self.events: list[ReloadEvent] = []
        self._live = live
        self._registry = CollectorRegistry()
        self._spans = InMemorySpanExporter()
        self._provider = TracerProvider()
        self._provider.add_span_processor(SimpleSpanProcessor(self._spans))
        live.subscribe(self.events.append)
        prometheus.instrument(live, registry=self._registry)
        opentelemetry.instrument(live, tracer_provider=self._provider)

    def look(self) -> list[object]:
        """Return what is to be read at this moment."""
        live = self._live
        seen: list[object] = [live, live.status(), generate_latest(self._registry).decode()]
        return [*seen, *pages_of(live)]

    def end(self) -> list[object]:
        """Return what was told as it happened."""
        self._provider.shutdown()
        spans = [span.to_json() for span in self._spans.get_finished_spans()]
        return [*self.events, *spans]


def pages_of(live: ReloadCheck[Any]) -> list[str]:
    """Return the status page in each of its formats."""
    return [page(view_of(live, live.status(), wanted), wanted).body.decode() for wanted in Wanted]


def found_in(seen: list[object], caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return each line of all that can be read in which the secret is, in some spelling."""
    shown: list[str] = caplog.text.splitlines()
    for record in caplog.records:
        shown += [f"{name}={value!r}" for name, value in vars(record).items()]
    for one in seen:
        shown += repr(one).splitlines() + str(one).splitlines()
        error = one if isinstance(one, BaseException) else getattr(one, "error", None)
        while isinstance(error, BaseException):
            shown += told_by(error)
            error = error.__cause__ or error.__context__
    return [line for line in shown if any(spelling in line for spelling in SPELLINGS)]


def told_by(error: BaseException) -> list[str]:
    """Return all that an error tells: its data, its traceback, and our functions' variables."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    variables = [
        f"{name}={value}"
        for frame in trace.stack
        if frame.filename.startswith(PACKAGE)
        for name, value in (frame.locals or {}).items()
    ]
    return [
        repr(error.args),
        repr(vars(error)),
        repr(getattr(error, "__notes__", None)),
        *"".join(traceback.format_exception(error)).splitlines(),
        *variables,
    ]

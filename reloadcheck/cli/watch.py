"""`reloadcheck watch`: a line for each accepted or rejected edit, as it happens.

Runs an engine without resources and asks it again and again; Ctrl-C is how it is meant to end.
"""

import argparse
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from .._engine.api import ReloadCheck
from .._observe.events import ReloadEvent
from ..exceptions import SourceError
from ..types import Diff, Outcome, Problem, key_path_text
from ._faults import problem_document
from ._inputs import Inputs, inputs_of
from ._output import Page
from ._reading import Fault

__all__ = ["ReloadEvent", "follow", "run", "show_line"]

_KINDS = {
    Outcome.RELOADED: "good",
    Outcome.UNCHANGED: "good",
    Outcome.REBUILT: "good",
    Outcome.DEFERRED: "warn",
}

Show: TypeAlias = Callable[[ReloadEvent], None]


def run(arguments: argparse.Namespace) -> int:
    """Run the command, until Ctrl-C."""
    inputs = inputs_of(arguments, arguments.words)
    page = Page()
    as_json: bool = arguments.json

    def show(event: ReloadEvent) -> None:
        if as_json:
            page.json(_document(event), indent=None)
        else:
            show_line(page, event)

    live = _engine(inputs)
    with _silent_log(), suppress(KeyboardInterrupt):
        try:
            follow(live, show, arguments.interval)
        finally:
            live.close()
    return 0


def follow(
    live: ReloadCheck[Any], show: Show, interval: float, last: Callable[[], bool] = lambda: False
) -> None:
    """Check every `interval` seconds and show what came of it, until `last` says so."""
    events: SimpleQueue[ReloadEvent] = SimpleQueue()
    unsubscribe = live.subscribe(events.put)
    complaint: str | None = None
    try:
        while not last():
            outcome = live.check()
            before, complaint = complaint, live.status().error
            if outcome is Outcome.DEFERRED and complaint not in (None, before):
                show(_waiting(live, str(complaint)))
            elif outcome is Outcome.UNCHANGED and before is not None and complaint is None:
                show(_as_before(live))
            with suppress(Empty):
                show(events.get(timeout=interval))
                while True:
                    show(events.get_nowait())
    finally:
        unsubscribe()


def _engine(inputs: Inputs) -> ReloadCheck[Any]:
    # With no environment: RELOAD_CHECK_ENABLED=false of the application would blind this command.
    if inputs.schema.is_plain:
        return ReloadCheck(*inputs.sources, max_bytes=inputs.max_bytes, environ={})
    schema: Callable[..., Any] = inputs.schema.validate
    return ReloadCheck(*inputs.sources, schema=schema, max_bytes=inputs.max_bytes, environ={})


def _waiting(live: ReloadCheck[Any], complaint: str) -> ReloadEvent:
    status = live.status()
    error = SourceError(Problem(complaint))
    return ReloadEvent(Outcome.DEFERRED, status.version, status.digest, Diff(), error=error)


def _as_before(live: ReloadCheck[Any]) -> ReloadEvent:
    status = live.status()
    return ReloadEvent(Outcome.UNCHANGED, status.version, status.digest, Diff())


def show_line(page: Page, event: ReloadEvent) -> None:
    """Print an event as a line, folded where a terminal is as wide."""
    word = str(event.outcome)
    version = "-" if event.version is None else f"v{event.version}"
    text = f"{_time(event):%H:%M:%S}  {word:<9}  {version:<4}  {_said(event)}"
    kind = _KINDS.get(event.outcome, "error")
    page.sentence(text, kind=kind, mark=word, indent=27, fold=page.is_terminal)


def _said(event: ReloadEvent) -> str:
    if event.error is not None:
        return str(event.error)
    if event.outcome is Outcome.UNCHANGED:
        return "what runs has been put back"
    if event.first:
        return "first load"
    changes = event.diff
    marked = [*_marked("~", changes.changed), *_marked("+", changes.added)]
    return ", ".join([*marked, *_marked("-", changes.removed)]) or "no key changed"


def _marked(sign: str, paths: tuple[Any, ...]) -> list[str]:
    return [f"{sign}{key_path_text(path)}" for path in paths]


def _document(event: ReloadEvent) -> dict[str, Any]:
    problems = () if event.error is None else event.error.problems
    code = event.code or ""
    return {
        "at": _time(event).astimezone().isoformat(timespec="milliseconds"),
        "outcome": str(event.outcome),
        "version": event.version,
        "digest": event.digest,
        "first": event.first,
        "changed": [key_path_text(path) for path in event.diff.changed],
        "added": [key_path_text(path) for path in event.diff.added],
        "removed": [key_path_text(path) for path in event.diff.removed],
        "problems": [problem_document(Fault("error", code, problem)) for problem in problems],
    }


def _time(event: ReloadEvent) -> datetime:
    return datetime.fromtimestamp(event.at) if event.at else datetime.now()


@contextmanager
def _silent_log() -> Generator[None]:
    """Keep the engine's own log lines, which say the same, from standard error."""
    logger, silent = logging.getLogger("reloadcheck"), logging.NullHandler()
    logger.addHandler(silent)
    try:
        yield
    finally:
        logger.removeHandler(silent)

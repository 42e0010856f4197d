"""`reloadcheck watch`: a line for each accepted or rejected edit, as it happens.

Runs an engine without resources, with the application's rules and contract, and asks it again and
again; Ctrl-C is how it is meant to end. With `--until live` it ends with the next edit.
"""

import argparse
import logging
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from .._engine.api import ReloadCheck, engine_of
from .._observe.events import ReloadEvent
from ..exceptions import SourceError, UsageError
from ..seams.gates import Rehearsing
from ..types import Diff, Outcome, Problem, key_path_text
from ._faults import problem_document
from ._inputs import Inputs, inputs_of
from ._judging import WAITS
from ._output import Page
from ._reading import Fault
from ._until_live import is_named, until_live

__all__ = ["ReloadEvent", "follow", "run", "show_line"]

_KINDS = {
    Outcome.RELOADED: "good",
    Outcome.UNCHANGED: "good",
    Outcome.REBUILT: "good",
    Outcome.DEFERRED: "warn",
    Outcome.WAITING: "warn",
}

Show: TypeAlias = Callable[[ReloadEvent], None]


def run(arguments: argparse.Namespace) -> int:
    """Run the command, until Ctrl-C."""
    if arguments.timeout is not None and arguments.until is None:
        raise UsageError("--timeout is for --until live")
    inputs = inputs_of(arguments, arguments.words)
    page = Page()
    if arguments.until is not None and is_named(os.environ):
        return until_live(page, arguments, inputs)
    as_json: bool = arguments.json

    def show(event: ReloadEvent) -> None:
        if as_json:
            page.json(_document(event), indent=None)
        else:
            show_line(page, event)

    live = _engine(inputs)
    end = _End(live, show, arguments.timeout) if arguments.until is not None else None
    with _silent_log(), suppress(KeyboardInterrupt):
        try:
            if end is None:
                follow(live, show, arguments.interval)
            else:
                follow(live, end.show, arguments.interval, end.is_reached)
        finally:
            live.close()
    return 0 if end is None else end.status


class _End:
    """The end of a watch for one edit: live, rejected, or too late; `status` is the command's."""

    def __init__(self, live: ReloadCheck[Any], show: Show, timeout: float | None) -> None:
        self.status = 0
        self._live, self._show = live, show
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._outcome: Outcome | None = None

    def show(self, event: ReloadEvent) -> None:
        """Show an event, and see whether it is the last one."""
        self._show(event)
        if event.outcome is Outcome.REJECTED or (
            event.outcome is Outcome.RELOADED and not event.first
        ):
            self._outcome = event.outcome

    def is_reached(self) -> bool:
        """Return whether there is nothing more to wait for."""
        if self._outcome is not None:
            self.status = int(self._outcome is Outcome.REJECTED)
            return True
        late = self._deadline is not None and time.monotonic() >= self._deadline
        if late:
            self.status = WAITS if self._live.status().waiting is not None else 1
        return late


def follow(
    live: ReloadCheck[Any], show: Show, interval: float, last: Callable[[], bool] = lambda: False
) -> None:
    """Check every `interval` seconds and show what came of it, until `last` says so."""
    events: SimpleQueue[ReloadEvent] = SimpleQueue()
    unsubscribe = live.subscribe(events.put)
    complaint: str | None = None
    version: int | None = None
    try:
        while not last():
            outcome = live.check()
            status = live.status()
            before, complaint = complaint, status.error
            same, version = version == status.version, status.version
            if outcome is Outcome.DEFERRED and complaint not in (None, before):
                show(_waiting(live, str(complaint)))
            elif outcome is Outcome.UNCHANGED and same and before and complaint is None:
                show(_as_before(live))
            with suppress(Empty):
                show(events.get(timeout=interval))
                while True:
                    show(events.get_nowait())
    finally:
        unsubscribe()


def _engine(inputs: Inputs) -> ReloadCheck[Any]:
    # With no environment: RELOAD_CHECK_ENABLED=false of the application would blind this command.
    schema: Callable[..., Any] | None = None
    if not inputs.schema.is_plain:
        schema = inputs.schema.validate
    options: dict[str, Any] = {"max_bytes": inputs.max_bytes, "environ": {}}
    live: ReloadCheck[Any] = ReloadCheck(*inputs.sources, schema=schema, **options)
    if inputs.live is not None:
        engine = engine_of(inputs.live)
        engine_of(live).gates += [
            gate
            for gate in engine.gates
            if gate is not engine.trial and not isinstance(gate, Rehearsing)
        ]
    return live


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
        "at": round(_time(event).timestamp(), 3),
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

"""The Celery app that real workers run: `celery -A tests.support.celery_app worker`.

Its tasks tell what they see of their unit of work, in the words of the other apps of the rig.
RIG_BROKER is the address of a Valkey.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import Celery, Task

from reloadcheck import current_snapshot
from reloadcheck.integrations.celery import CeleryReloadCheck

from . import stock

__all__ = ["again", "app", "process", "report", "slow"]

GATE_SECONDS = 20.0

live, pool = stock.engine()
app = Celery("rig", broker=os.environ.get("RIG_BROKER"), backend=os.environ.get("RIG_BROKER"))
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)
CeleryReloadCheck(live, app)


def _seen() -> dict[str, Any]:
    snapshot = live.current()
    assert snapshot is current_snapshot()
    return {**stock.facts(snapshot, pool), "number": snapshot.config["number"]}


@app.task
def report(place: str, count: int) -> dict[str, Any]:
    """Return what a task sees once so many are at it, each in a process or thread of its own.

    `place` is a directory for this meeting alone.
    """
    (Path(place) / f"{os.getpid()}-{threading.get_ident()}").touch()
    _wait(lambda: len(os.listdir(place)) >= count)
    return _seen()


@app.task
def slow(gate: str) -> list[dict[str, Any]]:
    """Return what a task sees at its beginning, and after its gate was opened."""
    first = _seen()
    Path(gate + ".begun").touch()
    _wait(Path(gate).exists)
    return [first, _seen()]


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GATE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)


@app.task(bind=True)
def again(
    self: "Task[..., Any]", gate: str, first: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Fail once and be tried again, when the gate is open; tell what both tries saw."""
    if first is None:
        (seen, _) = slow.run(gate)
        raise self.retry(args=(gate, seen), countdown=0, max_retries=1)
    return [first, _seen()]


@app.task
def process() -> dict[str, Any]:
    """Return what this process holds."""
    return stock.process(live)

"""The step that no schema catches: an edit breaks one checkout in five, and takes itself back.

Runs a small checkout of its own, whose edits are tried, under load with two workers; each of them
judges for itself. Gives a row with what was seen: nothing of it is assumed.
"""

import time
from dataclasses import replace
from pathlib import Path

from .apps import App
from .load import Load, Watch
from .server import Server, WorkerStatus
from .table import Row
from .workspace import Workspace

__all__ = ["TITLE", "tried"]

TITLE = "break one request in five"
DEADLINE = 45.0
AFTERWARDS = 1.0
MOST_FAILED = 40
"""Two workers, each of which has done with it after fifteen failed requests nearly always."""

RATES = "rates: {EUR: 1.0, USD: 1.1, JPY: 163.0, CHF: 0.96, GBP: 0.85}\n"
BROKEN = "rates: {EUR: 1.0, USD: 1.1, JPY: 163.0, CHF: 0.95}\n"


def tried(workspace: Workspace, app: App) -> Row:
    """Serve the checkout as the example is served, break it, and wait until it is undone."""
    file = workspace.directory / "rates.yaml"
    file.write_text(RATES, encoding="utf-8")
    server = Server.start(workspace, file, _checkout(app))
    try:
        with Load(server.host, server.port) as load:
            before = server.look()
            while len(load.look().first({})) < len(before):
                time.sleep(0.05)
            load.take()
            return _broken(server, load, file)
    finally:
        server.process.end()


def _broken(server: Server, load: Load, file: Path) -> Row:
    file.write_text(BROKEN, encoding="utf-8")
    written = time.monotonic()
    seconds: dict[int, float] = {}
    said: dict[int, WorkerStatus] = {}
    while time.monotonic() - written < DEADLINE:
        said = server.look()
        for worker, status in said.items():
            if (status.code or "").startswith("undone"):
                seconds.setdefault(worker, time.monotonic() - written)
        if len(seconds) == len(said):
            break
        time.sleep(0.1)
    time.sleep(0.2)  # what was begun on it ends on it
    seen = load.take()
    time.sleep(AFTERWARDS)
    return _row(seen, load.take(), seconds, said)


def _row(
    seen: Watch, after: Watch, seconds: dict[int, float], said: dict[int, WorkerStatus]
) -> Row:
    failed = len(seen.failures) + len(after.failures)
    sentences = [one.error for one in said.values() if one.error]
    answers = [*seen.answers, *after.answers]
    row = Row(
        step=TITLE,
        promise="undone",
        seconds=seconds,
        requests=len(answers) + failed,
        failed=failed,
        slowest=max((one.seconds for one in answers), default=0.0),
        cause=sentences[0] if sentences else None,
    )
    broken = [f"worker {one} did not undo it" for one in said if one not in seconds]
    if after.failures:
        broken.append(f"{len(after.failures)} requests failed after it was undone")
    if failed > MOST_FAILED:
        broken.append(f"{failed} requests failed before it was undone")
    return replace(row, broken=tuple(broken))


def _checkout(app: App) -> App:
    """Return what runs the checkout under the server that the example has."""
    module = Path(app.file).stem
    interface = "asgi" if app.server == "uvicorn" else "wsgi"
    words = app.words.replace(f"{module}:app", f"checkout:{interface}_app")
    return replace(app, file="checkout.py", words=words)

"""What the hazard tests share: engines on real files, checks that are timed, what was logged.

Nothing here stands in for the package: every row goes through `ReloadCheck` on a real file.
"""

import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from reloadcheck import FrozenDict, Outcome, ReloadCheck, Source
from reloadcheck.testing import FakeClock
from tests.support.rig import Call, until

__all__ = [
    "Plain",
    "Traffic",
    "aged",
    "engine",
    "logged",
    "namespace",
    "replace",
    "timed_check",
]

ROOT = Path(__file__).parents[2]
Plain = ReloadCheck[FrozenDict]


def options(**given: Any) -> dict[str, Any]:
    """Return engine options for tests: nothing waits to settle, no variable is looked at."""
    return {"settle": 0.0, "environ": {}, **given}


@contextmanager
def engine(
    *sources: Path | Source, clock: FakeClock | None = None, **given: Any
) -> Generator[Plain]:
    """Start an engine and see a later check end; close it at the end.

    Time on a fake clock passes while something is waited for.
    """
    if clock is not None:
        given["clock"] = clock
    live = ReloadCheck(*sources, **options(**given))
    Call(live.start).result(clock)
    # On a busy machine a check may outlast a short patience; the next one hears of it.
    until(lambda: Call(live.check).result(clock) is Outcome.UNCHANGED)
    try:
        yield live
    finally:
        Call(live.close).result(clock)


class Traffic:
    """Units of work, one after the other, from enter to exit; `configs` is what they saw."""

    def __init__(self, live: Plain) -> None:
        self.configs: list[FrozenDict] = []
        self.errors: list[BaseException] = []
        self._live = live
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)
        assert self.errors == []

    def _run(self) -> None:
        while not self._over.wait(0.001):
            try:
                with self._live.lease() as snapshot:
                    if not self.configs or self.configs[-1] is not snapshot.config:
                        self.configs.append(snapshot.config)
            except BaseException as error:
                self.errors.append(error)
                return


def replace(path: Path, content: str | bytes) -> None:
    """Write beside the file and rename over it."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.replace(beside, path)


def aged(path: Path) -> float:
    """Return a wall-clock time at which all that is in the file's stamp is old and trusted."""
    status = path.stat()
    return max(status.st_mtime, status.st_ctime) + 60


def timed_check(live: Plain) -> tuple[Outcome, float]:
    """Check; give the outcome and the seconds that it took."""
    begun = time.perf_counter()
    outcome = live.check()
    return outcome, time.perf_counter() - begun


def logged(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    """Return what the package has logged at this level or above."""
    records = [r for r in caplog.records if r.name == "reloadcheck" and r.levelno >= level]
    return [record.getMessage() for record in records]


def namespace(code: str, *arguments: str) -> str:
    """Run Python in a user and mount namespace of its own, where it may mount; give its output.

    Fails, with the reason, where the machine makes no such namespace.
    """
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-c", textwrap.dedent(code), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"in a user and mount namespace: {done.stderr}"
    return done.stdout

"""What is costly to find out is found out once, over however many processes the tests run."""

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

__all__ = ["once"]

T = TypeVar("T")
SECONDS = 240.0


def once(name: str, base: Path, work: Callable[[], T]) -> T:
    """Return what `work` gives; it is called in the first process that asks, others wait for it.

    `base` is the temporary directory of this process's tests: those of one test run, in which
    pytest-xdist names a process, stand in one directory.
    """
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    result = place / f"{name}.pickle"
    try:
        (place / f"{name}.begun").mkdir()
    except FileExistsError:
        _wait_for(result)
        kept: T = pickle.loads(result.read_bytes())
        return kept
    found = work()
    result.with_suffix(".new").write_bytes(pickle.dumps(found))
    result.with_suffix(".new").rename(result)
    return found


def _wait_for(result: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not result.exists():
        if time.monotonic() > deadline:
            raise AssertionError(f"the process that was to make {result.name} has not")
        time.sleep(0.1)

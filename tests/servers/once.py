"""What is costly to find out is found out once, over however many processes the tests run."""

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

__all__ = ["once"]

T = TypeVar("T")
SECONDS = 900.0
"""As long as nobody says that it cannot be found out, it is being found out, however slowly."""


def once(name: str, base: Path, work: Callable[[], T]) -> T:
    """Return what `work` gives; it is called in the first process that asks, others wait for it.

    Where it raises, all others are told so at once. `base` is the temporary directory of this
    process's tests: those of one test run, in which pytest-xdist names a process, stand in one
    directory.
    """
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    result = place / f"{name}.pickle"
    try:
        (place / f"{name}.begun").mkdir()
    except FileExistsError:
        return cast(T, _found_by_another(result))
    try:
        found = work()
    except BaseException as error:
        _tell(result, (None, repr(error)))
        raise
    _tell(result, (found, ""))
    return found


def _found_by_another(result: Path) -> object:
    _wait_for(result)
    found, failure = pickle.loads(result.read_bytes())
    assert not failure, f"{result.stem} was not found out: {failure}"
    return found


def _tell(result: Path, what: tuple[object, str]) -> None:
    result.with_suffix(".new").write_bytes(pickle.dumps(what))
    result.with_suffix(".new").rename(result)


def _wait_for(result: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not result.exists():
        if time.monotonic() > deadline:
            raise AssertionError(f"the process that was to make {result.name} has not")
        time.sleep(0.1)

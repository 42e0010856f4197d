"""The engines of the core's tests, for those of what they show."""

import gc
import threading
from collections.abc import Iterator

import pytest

from tests.core.conftest import clock, make, outliving, text
from tests.core.rig import until

__all__ = ["clock", "make", "no_engine_thread_stays", "outliving", "text"]


@pytest.fixture(autouse=True, scope="module")
def no_engine_thread_stays() -> Iterator[None]:
    """Fail a module after which an engine or reader thread more runs than before."""
    before = set(threading.enumerate())
    yield
    gc.collect()

    def left() -> list[str]:
        new = set(threading.enumerate()) - before
        return [t.name for t in new if t.name in ("reloadcheck-engine", "reloadcheck-reader")]

    until(lambda: not left())

"""The steps of one check: which ones it took, how long they took, and which it is at.

Filled where the work is done, in the reader or in a call thread, and read by the engine thread.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from .._runtime.clock import Clock
from ..types import Phase

T = TypeVar("T")

WORDS: Final = {"read": "read", "parse": "parsed", "validate": "validated", "build": "built"}
"""What is being done to a configuration in each step."""


class Phases(list[Phase]):
    """The steps that have ended, in their order. `at` is the newest one that has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.at: str | None = None

    @property
    def doing(self) -> str:
        """Say what is done to the configuration; before the first step its writer is at it."""
        return "written" if self.at is None else WORDS.get(self.at, self.at)


def timed(name: str, work: Callable[[], T], phases: Phases, clock: Clock) -> Callable[[], T]:
    """Let a step put into `phases` when its work is done, however it ends."""

    def timing() -> T:
        phases.at = name
        begun, began = clock.wall(), time.perf_counter()
        try:
            return work()
        finally:
            phases.append(Phase(name, begun, time.perf_counter() - began))

    return timing

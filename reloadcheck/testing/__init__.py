"""What applications need to test themselves with a live configuration.

A source in memory, a way to push an edit and wait until it is live, a clock that is let pass,
factories that record what they built, an assertion that nothing is left open; a store in memory,
and what every store must do; trials whose draws a test has chosen. Used by this package's own tests
too.
"""

from .clock import FakeClock
from .conformance import STORE_CHECKS, OpenStore
from .memory import MemorySource
from .open import assert_all_closed
from .pushing import apush, push
from .recording import AsyncRecorded, AsyncRecordingFactory, Recorded, RecordingFactory
from .store import MemoryStore
from .trials import FakeDraw, Tried, trial

__all__ = [
    "STORE_CHECKS",
    "AsyncRecorded",
    "AsyncRecordingFactory",
    "FakeClock",
    "FakeDraw",
    "MemorySource",
    "MemoryStore",
    "OpenStore",
    "Recorded",
    "RecordingFactory",
    "Tried",
    "apush",
    "assert_all_closed",
    "push",
    "trial",
]

"""What applications need to test themselves with a live configuration.

A source in memory, a way to push an edit and wait until it is live, a clock that is let pass,
factories that record what they built, and an assertion that nothing is left open. Used by this
package's own tests too.
"""

from .clock import FakeClock
from .memory import MemorySource
from .open import assert_all_closed
from .pushing import apush, push
from .recording import AsyncRecorded, AsyncRecordingFactory, Recorded, RecordingFactory

__all__ = [
    "AsyncRecorded",
    "AsyncRecordingFactory",
    "FakeClock",
    "MemorySource",
    "Recorded",
    "RecordingFactory",
    "apush",
    "assert_all_closed",
    "push",
]

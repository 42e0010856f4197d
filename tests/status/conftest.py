"""The engines of the core's tests, for those of what they show."""

from tests.core.conftest import clock, make, no_engine_thread_stays, text

__all__ = ["clock", "make", "no_engine_thread_stays", "text"]

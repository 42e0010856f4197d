"""Engines on a fake clock, closed after each test; no thread of theirs stays."""

from tests.support.fixtures import no_engine_thread_stays

__all__ = ["no_engine_thread_stays"]

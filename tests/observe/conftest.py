"""Engines on a fake clock, closed after each test; some that stay for a module."""

from tests.support.fixtures import (
    clock,
    make,
    no_engine_thread_outlives_the_module,
    outliving,
    text,
)

__all__ = ["clock", "make", "no_engine_thread_outlives_the_module", "outliving", "text"]

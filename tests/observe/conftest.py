"""Engines on a fake clock, closed after each test; some that stay for a module."""

from tests.support.fixtures import no_engine_thread_outlives_the_module

__all__ = ["no_engine_thread_outlives_the_module"]

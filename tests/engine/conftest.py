"""Engines on a fake clock, closed after each test."""

from tests.support.fixtures import (
    clients,
    clock,
    make,
    no_engine_thread_stays,
    outliving,
    ready,
    serve,
    text,
)

__all__ = [
    "clients",
    "clock",
    "make",
    "no_engine_thread_stays",
    "outliving",
    "ready",
    "serve",
    "text",
]

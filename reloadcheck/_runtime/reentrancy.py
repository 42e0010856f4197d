"""Whether this code runs inside a call that an engine waits for: a factory, a probe, a schema.

Or a source, or a logging handler, which run in the engine's own threads: all of them are inside.

Such code must not wait for the same engine in turn: it would wait for itself until the time-out.
What it starts and leaves running is no longer inside once the call has returned.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


class _Inside:
    """One call that `engine` waits for, for as long as it lasts."""

    __slots__ = ("engine", "lasts", "outer")

    def __init__(self, engine: object, outer: "_Inside | None") -> None:
        self.engine, self.outer = engine, outer
        self.lasts = True


_inside: ContextVar[_Inside | None] = ContextVar("reloadcheck-inside", default=None)


@contextmanager
def inside(engine: object) -> Generator[None]:
    """Let the code in the block, and all that it awaits or starts meanwhile, be inside."""
    call = _Inside(engine, _inside.get())
    token = _inside.set(call)
    try:
        yield
    finally:
        call.lasts = False
        _inside.reset(token)


def put_inside(engine: object, work: Callable[[], T]) -> Callable[[], T]:
    """Let a function run inside a call that the engine waits for."""

    def working() -> T:
        with inside(engine):
            return work()

    return working


def is_inside(engine: object) -> bool:
    """Return whether the engine waits for the code that asks."""
    call = _inside.get()
    while call is not None:
        if call.engine is engine and call.lasts:
            return True
        call = call.outer
    return False

"""Units of work outside a request: `with live.lease()` and the decorator made of it."""

import inspect
from collections.abc import Callable
from contextvars import Token
from functools import wraps
from types import TracebackType
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

from ._current import Unit, enter, leave
from ._snapshot import Snapshot, Tenancy

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")


class Admitting(Protocol[C]):
    """What a lease needs of its engine."""

    def enter(self, key: int, label: str) -> Tenancy[C]:
        """Take a lease on a fresh snapshot; may block."""
        ...

    async def enter_async(self, key: int, label: str) -> Tenancy[C]:
        """Take a lease on a fresh snapshot; may wait."""
        ...

    def join(self, key: int, label: str) -> Tenancy[C] | None:
        """Take a lease on the snapshot of the unit of work around this one, if there is one."""
        ...

    def refuse_to_block(self, what: str, instead: str) -> None:
        """Raise where waiting would stop the loop that is waited for."""
        ...


class Lease(Generic[C]):
    """One unit of work: `with` or `async with`; used once.

    Inside a unit of work of the same engine it holds that one's snapshot too, and keeps it alive
    on its own account.
    """

    def __init__(self, engine: Admitting[C], label: str = "lease") -> None:
        self._engine = engine
        self._label = label
        self._tenancy: Tenancy[C] | None = None
        self._token: Token[Unit | None] | None = None

    def __enter__(self) -> Snapshot[C]:
        self._engine.refuse_to_block("with live.lease()", "async with live.lease()")
        self._check_unused()
        joined = self._engine.join(id(self), self._label)
        return self._begin(joined or self._engine.enter(id(self), self._label))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    async def __aenter__(self) -> Snapshot[C]:
        self._check_unused()
        joined = self._engine.join(id(self), self._label)
        return self._begin(joined or await self._engine.enter_async(id(self), self._label))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _check_unused(self) -> None:
        if self._tenancy is not None:
            raise RuntimeError("a lease is used once: call live.lease() again")

    def _begin(self, tenancy: Tenancy[C]) -> Snapshot[C]:
        self._tenancy = tenancy
        self._token = enter(tenancy, id(self))
        return tenancy.snapshot

    def _end(self) -> None:
        if self._token is not None:
            leave(self._token)
        if self._tenancy is not None:
            self._tenancy.leave(id(self))


def decorated(function: Callable[P, R], lease: Callable[[str], Lease[Any]]) -> Callable[P, R]:
    """Make each call of the function one unit of work; its signature is kept.

    A generator's unit of work lasts from its first value to its end.
    """
    label = getattr(function, "__qualname__", "call")
    anything: Callable[..., Any] = function
    wrapper: Callable[..., Any]

    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def stream_async(*args: Any, **kwargs: Any) -> Any:
            async with lease(label):
                inner = anything(*args, **kwargs)
                try:
                    sent = None
                    while True:
                        try:
                            value = await inner.asend(sent)
                        except StopAsyncIteration:
                            return
                        sent = yield value  # pyright: ignore[reportUnknownVariableType]
                finally:
                    await inner.aclose()

        wrapper = stream_async
    elif inspect.iscoroutinefunction(function):

        @wraps(function)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            async with lease(label):
                return await anything(*args, **kwargs)

        wrapper = run_async
    elif inspect.isgeneratorfunction(function):

        @wraps(function)
        def stream(*args: Any, **kwargs: Any) -> Any:
            with lease(label):
                return (yield from anything(*args, **kwargs))  # pyright: ignore[reportUnknownVariableType]

        wrapper = stream
    else:

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with lease(label):
                return anything(*args, **kwargs)

        wrapper = run
    return cast("Callable[P, R]", wrapper)

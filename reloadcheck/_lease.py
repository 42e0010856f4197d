"""Units of work outside a request: `with live.lease()` and the decorator made of it."""

import inspect
from collections.abc import Callable
from contextvars import Token
from functools import wraps
from types import TracebackType
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

from ._current import Unit, enter, forget, leave
from ._snapshot import Snapshot, Tenancy, own_key

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")


class Admitting(Protocol[C]):
    """What a lease needs of its engine."""

    def enter(self, key: int, holder: object) -> Tenancy[C]:
        """Take a lease on a fresh snapshot; may block."""
        ...

    async def enter_async(self, key: int, holder: object) -> Tenancy[C]:
        """Take a lease on a fresh snapshot; may wait."""
        ...

    def join(self, key: int, holder: object) -> Tenancy[C] | None:
        """Take a lease on the snapshot of the unit of work around this one, if there is one."""
        ...

    def refuse_to_block(self, what: str, instead: str) -> None:
        """Raise where waiting would stop the loop that is waited for."""
        ...


class Lease(Generic[C]):
    """One unit of work: `with` or `async with`; used once.

    Inside a unit of work of the same engine it holds that one's snapshot too, and keeps it alive
    on its own account. `label` is what to call it by, or the code that asked for it.
    """

    def __init__(self, engine: Admitting[C], label: object = "lease") -> None:
        self._engine = engine
        self._label = label
        self._key = own_key()
        self._life = [True]
        self._tenancy: Tenancy[C] | None = None
        self._token: Token[Unit | None] | None = None

    def __enter__(self) -> Snapshot[C]:
        snapshot = self.take()
        self.enter()
        return snapshot

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()
        self.give_back()

    async def __aenter__(self) -> Snapshot[C]:
        snapshot = await self.take_async()
        self.enter()
        return snapshot

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()
        self.give_back()

    def take(self) -> Snapshot[C]:
        """Hold a snapshot; may block."""
        self._engine.refuse_to_block("with live.lease()", "async with live.lease()")
        return self._taken(self._joined() or self._engine.enter(self._key, self._label))

    async def take_async(self) -> Snapshot[C]:
        """Hold a snapshot; may wait."""
        return self._taken(self._joined() or await self._engine.enter_async(self._key, self._label))

    def enter(self) -> None:
        """Be the unit of work that the running context is in."""
        if self._tenancy is not None:
            self._token = enter(self._tenancy.snapshot, self._life)

    def leave(self) -> None:
        """Be it no longer."""
        token, self._token = self._token, None
        if token is not None:
            leave(token)

    def give_back(self) -> None:
        """Hold the snapshot no longer."""
        self._life[0] = False
        if self._tenancy is not None:
            self._tenancy.leave(self._key)

    def drop(self) -> None:
        """End a unit of work whose owner was thrown away, in whatever thread that came to light."""
        token, self._token = self._token, None
        if token is not None:
            forget(self._life, token)
        self.give_back()

    def _joined(self) -> Tenancy[C] | None:
        if self._tenancy is not None:
            raise RuntimeError("a lease is used once: call live.lease() again")
        return self._engine.join(self._key, self._label)

    def _taken(self, tenancy: Tenancy[C]) -> Snapshot[C]:
        self._tenancy = tenancy
        return tenancy.snapshot


def decorated(function: Callable[P, R], lease: Callable[[str], Lease[Any]]) -> Callable[P, R]:
    """Make each call of the function one unit of work; its signature is kept.

    A generator's unit of work lasts from its first value to its end; between two values the code
    that consumes it is not in it.
    """
    names = function.__module__, getattr(function, "__qualname__", type(function).__name__)
    label = ".".join(names)
    anything: Callable[..., Any] = function
    wrapper: Callable[..., Any]

    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def stream_async(*args: Any, **kwargs: Any) -> Any:
            held = lease(label)
            await held.take_async()
            try:
                inner = anything(*args, **kwargs)
                resume, value = inner.asend, None
                while True:
                    held.enter()
                    try:
                        produced = await resume(value)
                    except StopAsyncIteration:
                        return
                    finally:
                        held.leave()
                    resume, value = inner.asend, None
                    try:
                        value = yield produced  # pyright: ignore[reportUnknownVariableType]
                    except GeneratorExit:
                        held.enter()
                        await inner.aclose()
                        raise
                    except BaseException as error:
                        resume, value = inner.athrow, error
            finally:
                held.leave()
                held.give_back()

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
            held = lease(label)
            held.take()
            try:
                inner = anything(*args, **kwargs)
                resume, value = inner.send, None
                while True:
                    held.enter()
                    try:
                        produced = resume(value)
                    except StopIteration as stop:
                        return stop.value
                    finally:
                        held.leave()
                    resume, value = inner.send, None
                    try:
                        value = yield produced  # pyright: ignore[reportUnknownVariableType]
                    except GeneratorExit:
                        held.enter()
                        inner.close()
                        raise
                    except BaseException as error:
                        resume, value = inner.throw, error
            finally:
                held.leave()
                held.give_back()

        wrapper = stream
    else:

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with lease(label):
                return anything(*args, **kwargs)

        wrapper = run
    return cast("Callable[P, R]", wrapper)

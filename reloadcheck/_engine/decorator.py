"""`reload_check`: a function, each of whose calls is one unit of work.

Takes a function and an engine, gives a function that is called as before; must not change what it
returns, yields or raises.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    get_overloads,
    overload,
)

from .._runtime.clock import Clock
from .._snapshots.lease import Lease
from ..exceptions import OptionError, UsageError
from ..types import References, Source
from .api import ReloadCheck, engine_of
from .entrance import Entrance

if TYPE_CHECKING:
    from ..policy.contract import Contract
    from ..seams.store import Together
    from ..trial.options import Trial
    from ..types import Store

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")
S = TypeVar("S")
P = ParamSpec("P")
Q = ParamSpec("Q")


class UnitOfWork(Protocol[P, R_co]):
    """A decorated function: called as before, and `live` is its engine."""

    live: ReloadCheck[Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> UnitOfWork[P, R_co]: ...
    @overload
    def __get__(
        self: UnitOfWork[Concatenate[S, Q], R_co], instance: S, owner: type[Any]
    ) -> Callable[Q, R_co]: ...


class Decorating(Protocol):
    """What `reload_check(…)` gives: a decorator that keeps the signature."""

    def __call__(self, function: Callable[P, R], /) -> UnitOfWork[P, R]: ...


@overload
def reload_check(live: ReloadCheck[Any], /) -> Decorating: ...
@overload
def reload_check(
    *sources: str | os.PathLike[str] | Source,
    schema: Callable[..., Any] | None = None,
    window: float = 1.0,
    settle: float = 0.25,
    verify: float | None = 30.0,
    patience: float = 5.0,
    drain: float = 30.0,
    max_bytes: int = 4 * 2**20,
    enabled: bool | None = None,
    secrets: Iterable[str] = (),
    public: Iterable[str] = (),
    unknown: Literal["warn", "reject", "ignore"] = "warn",
    contract: Contract | str | os.PathLike[str] | None = None,
    trial: Trial | bool | None = None,
    environment: str | None = None,
    store: Store | str | os.PathLike[str] | None = None,
    app: str | None = None,
    release: str | None = None,
    together: Literal["all", "quorum"] | Together | None = None,
    boot: Literal["file", "last-good"] = "file",
    fallback: str | os.PathLike[str] | Source | None = None,
    references: Iterable[References] = (),
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> Decorating: ...
def reload_check(*sources: Any, **options: Any) -> Decorating:
    """Make each call of the decorated function one unit of work.

    Takes an engine, or what `ReloadCheck` takes. Works on sync and async functions and generators;
    the signature is kept, and `.live` is the engine.
    """
    if len(sources) == 1 and isinstance(sources[0], ReloadCheck):
        if options:
            raise OptionError("options belong to ReloadCheck(…) when the decorator gets an engine")
        live: ReloadCheck[Any] = sources[0]  # pyright: ignore[reportUnknownVariableType]
    elif len(sources) == 1 and inspect.isfunction(sources[0]):
        raise OptionError('name a source, or an engine: @reload_check("config.yaml")')
    else:
        live = ReloadCheck(*sources, **options)

    def decorate(function: Callable[P, R]) -> UnitOfWork[P, R]:
        if not callable(cast("object", function)):
            raise UsageError(f"@reload_check decorates a function, not {type(function).__name__}")
        wrapper: Any = _decorated(function, lambda label: Lease(Entrance(engine_of(live)), label))
        wrapper.live = live
        return cast("UnitOfWork[P, R]", wrapper)

    return decorate


_, _spelled_out = get_overloads(reload_check)
setattr(reload_check, "__signature__", inspect.signature(_spelled_out))  # noqa: B010 - for help()


def _decorated(function: Callable[P, R], lease: Callable[[str], Lease[Any]]) -> Callable[P, R]:
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

"""`ReloadCheck`: what an application holds. The one mutable cell, and the ways to it.

Holds options, resources and the engine thread of this process; decides nothing itself. Constructing
one does no I/O and starts nothing, so it may stand at module level, before any fork.
"""

import asyncio
import atexit
import ctypes
import logging
import os
import threading
import weakref
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Mapping,
)
from functools import partial
from typing import Any, Generic, Protocol, TypedDict, TypeVar, Unpack, cast, overload

from . import _current
from ._clock import Clock, SystemClock
from ._desk import Conclusion, Waiter
from ._events import ReloadEvent
from ._frozen import FrozenDict
from ._lease import Lease, decorated
from ._listeners import Listeners
from ._observe import observe
from ._options import Options, options_from
from ._resources import Registry, Resource
from ._schema import Schema, schema_of
from ._snapshot import Cell, Snapshot, Tenancy
from ._status import Status
from ._thread import EngineThread
from .exceptions import (
    BlockingCallError,
    NoSnapshotError,
    NotStartedError,
    OptionError,
    RegistrationError,
    ReloadCheckError,
    SourceError,
)
from .sources import source_of
from .types import KeyPath, Outcome, Problem, Source

C = TypeVar("C")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

EXIT_SECONDS = 0.25
"""Seconds that all closers together get at the interpreter's exit."""

_logger = logging.getLogger("reloadcheck")


class EngineOptions(TypedDict, total=False):
    """The options of `ReloadCheck`; times in seconds, sizes in bytes."""

    window: float
    settle: float
    verify: float | None
    patience: float
    drain: float
    max_bytes: int
    enabled: bool | None
    clock: Clock
    environ: Mapping[str, str]


class Registering(Protocol):
    """What `live.resource(…)` gives: a decorator that turns a factory into a typed handle."""

    @overload
    def __call__(self, factory: Callable[..., AsyncGenerator[T, None]]) -> Resource[T]: ...
    @overload
    def __call__(self, factory: Callable[..., Generator[T, None, None]]) -> Resource[T]: ...
    @overload
    def __call__(self, factory: Callable[..., Coroutine[Any, Any, T]]) -> Resource[T]: ...
    @overload
    def __call__(self, factory: Callable[..., T]) -> Resource[T]: ...


class ReloadCheck(Generic[C]):
    """A configuration that stays live.

    A `str` or `Path` among `sources` is a file; later sources override earlier ones. `schema` is a
    frozen pydantic model, msgspec Struct or dataclass, or a callable; without one the configuration
    is a `FrozenDict`. `window` is how long a check counts as fresh, `settle` how long a changed file
    must have been quiet, `verify` how often content is hashed whatever the stamp says (0: at every
    check, None: never), `patience` how long a unit of work waits at most, `drain` how long an old
    resource waits for its users. The environment variables RELOAD_CHECK_ENABLED, _WINDOW, _SETTLE,
    _VERIFY, _PATIENCE and _DRAIN override what is given here.
    """

    @overload
    def __init__(
        self: "ReloadCheck[FrozenDict]",
        *sources: str | os.PathLike[str] | Source,
        schema: None = None,
        **options: Unpack[EngineOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: "ReloadCheck[C]",
        *sources: str | os.PathLike[str] | Source,
        schema: Callable[..., C],
        **options: Unpack[EngineOptions],
    ) -> None: ...
    def __init__(
        self,
        *sources: str | os.PathLike[str] | Source,
        schema: Callable[..., Any] | None = None,
        **options: Unpack[EngineOptions],
    ) -> None:
        if not sources:
            raise OptionError('name at least one source: ReloadCheck("config.yaml")')
        self._sources = tuple(source_of(source) for source in sources)
        converter: Schema[Any] = schema_of(schema)
        self._schema: Schema[C] | None = None if schema is None else converter
        self._clock = options.pop("clock", SystemClock())
        environ = options.pop("environ", os.environ)
        enabled = options.pop("enabled", None)
        self._options = options_from(_options(options), enabled, environ)
        self._registry = Registry(converter)
        self._listeners = Listeners()
        self._cell = Cell[C]()
        self._lock = threading.Lock()
        self._thread: EngineThread[C] | None = None
        self._pid = 0
        self._started = 0
        _engines.add(self)

    def __repr__(self) -> str:
        return f"<ReloadCheck {', '.join(source.name for source in self._sources)}>"

    # --------------------------------------------------------------------- resources

    def resource(
        self,
        *paths: str | KeyPath,
        needs: Iterable[Resource[Any]] = (),
        probe: Callable[[Any], Any] | None = None,
        timeout: float = 10.0,
        drain: float | None = None,
        name: str | None = None,
    ) -> Registering:
        """Register a factory, sync or async, plain or generator, and give its typed handle.

        The factory is called with the values at `paths` in the validated configuration (with none:
        the whole configuration), then the resources in `needs`. It is called again when one of
        them changes, and never while they do not. What follows its `yield` closes the resource; a
        plain factory's result is closed by its own `aclose`, `close` or `dispose`. `probe` is
        called with what was built; an exception or False rejects the edit. `timeout` seconds bound
        each call; `drain` seconds override the engine's. Raises `RegistrationError`.
        """

        def register(factory: Callable[..., Any]) -> Resource[Any]:
            if self._thread is not None:
                raise RegistrationError(
                    "resources are registered before the engine starts: move this up, to where "
                    "ReloadCheck(…) is constructed"
                )
            return self._registry.add(factory, paths, needs, probe, timeout, drain, name)

        return cast("Registering", register)

    def subscribe(
        self, listener: Callable[[ReloadEvent], Awaitable[None] | None]
    ) -> Callable[[], None]:
        """Have `listener` called after each swap and each rejection; gives the way to unsubscribe.

        It runs in a thread of its own, a coroutine function in the home loop. What it raises is
        logged and goes no further.
        """
        return self._listeners.add(listener)

    # -------------------------------------------------------------- start, check, close

    def start(self) -> None:
        """Load and build for the first time; blocks. Raises on a bad configuration.

        Waits at most `patience` for a file that is still being written. Each `start` is undone by
        one `close`.
        """
        self.refuse_to_block("live.start()", "await live.astart()")
        thread = self._running()
        if thread.desk.current is None:
            self._loaded(thread, thread.desk.ask(through_build=True).wait())
        self._started += 1

    async def astart(self) -> None:
        """Do what `start` does, without blocking the event loop, which becomes the home loop."""
        thread = self._running()
        waiter = self._meet(thread, through_build=True)
        if waiter is None and thread.desk.current is None:
            waiter = thread.desk.ask(through_build=True, prepare=_bind)
        if waiter is not None:
            self._loaded(thread, await waiter.wait_async())
        self._started += 1

    def close(self) -> None:
        """Drain and close everything; blocks, for leases at most `drain` seconds. Idempotent.

        Closes with the last of several starts; the engine can be started again.
        """
        self.refuse_to_block("live.close()", "await live.aclose()")
        thread = self._stop()
        if thread is not None:
            thread.join()

    async def aclose(self) -> None:
        """Do what `close` does, without blocking the event loop."""
        thread = self._stop()
        if thread is None:
            return
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        thread.on_end(lambda: loop.call_soon_threadsafe(_resolve, ended))
        await ended

    def check(self) -> Outcome:
        """Check now, wait for the file to settle and for the reload; blocks at most `patience`.

        `unchanged` when switched off. The cause of a rejection is in `status()`.
        """
        self.refuse_to_block("live.check()", "await live.acheck()")
        return self._running().desk.ask().wait().outcome

    async def acheck(self) -> Outcome:
        """Do what `check` does, without blocking the event loop."""
        thread = self._running()
        self._meet(thread, through_build=False)
        return (await thread.desk.ask(prepare=_bind).wait_async()).outcome

    # ----------------------------------------------------------------------- snapshots

    @property
    def snapshot(self) -> Snapshot[C]:
        """Give the snapshot that a unit of work would get now, without a lease on it.

        Raises `NotStartedError` while there is none.
        """
        thread = self._thread
        current = None if thread is None or self._pid != os.getpid() else thread.desk.current
        if current is None:
            raise NotStartedError(
                "no configuration is loaded in this process: add `live.start()`, serve the app "
                "through ReloadCheckMiddleware, or use `with live.lease() as snapshot:`"
            )
        return current.snapshot

    def lease(self) -> Lease[C]:
        """Give a unit of work outside a request: `with live.lease() as snapshot:`, or `async with`.

        Starts the engine if need be. Raises what is wrong while no good configuration was loaded.
        """
        return Lease(self)

    def current(self) -> Snapshot[C]:
        """Give the snapshot of the unit of work of this engine that this code runs in.

        Raises `NoSnapshotError`, a `LookupError`, outside one and after it has ended.
        """
        unit = _current.unit_in(self)
        if unit is None:
            raise NoSnapshotError(
                "no unit of work of this engine here: wrap the app in "
                "ReloadCheckMiddleware(app, live), or add `with live.lease() as snapshot:`"
            )
        return cast("Snapshot[C]", unit[0].snapshot)

    def status(self) -> Status:
        """Tell what an operator may know; never blocks, quotes no value of the configuration."""
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return Status(phase="idle", enabled=self._options.enabled)
        return observe(thread, self._registry, self._sources, self._options)

    # ---------------------------------------------------- for the doors and the leases

    def enter(self, key: int, label: str, *, door: bool = False) -> Tenancy[C]:
        """Take a lease on a fresh snapshot; blocks while there is none."""
        while True:
            tenancy = self._cell.fresh
            if tenancy is None:
                thread = self._running()
                answer = thread.desk.admit(arm=door)
                if isinstance(answer, Waiter):
                    answer = self._loaded(thread, answer.wait())
                tenancy = answer
            if tenancy.enter(key, label):
                return tenancy

    async def enter_async(self, key: int, label: str, *, door: bool = False) -> Tenancy[C]:
        """Take a lease on a fresh snapshot; waits while there is none."""
        if asyncio._get_running_loop() is None:
            return await self._enter_elsewhere(key, label, door)
        while True:
            thread = self._running()
            waiter = self._meet(thread, through_build=False)
            if waiter is not None:
                await waiter.wait_async()
            tenancy = self._cell.fresh
            if tenancy is None:
                answer = thread.desk.admit(arm=door, prepare=_bind)
                if isinstance(answer, Waiter):
                    answer = self._loaded(thread, await answer.wait_async())
                tenancy = answer
            if tenancy.enter(key, label):
                return tenancy

    def join(self, key: int, label: str) -> Tenancy[C] | None:
        """Take a lease on the snapshot of the unit of work around this code, while it is alive."""
        unit = _current.unit_in(self)
        if unit is None:
            return None
        tenancy: Tenancy[C] = unit[0]
        tenancy.held[key] = label
        if unit[1] in tenancy.held:
            return tenancy
        tenancy.leave(key)
        return None

    def holds(self, snapshot: object, key: int) -> bool:
        """Tell whether a unit of work with this key holds the snapshot now."""
        thread = self._thread
        live = () if thread is None else (thread.desk.current, *thread.drain.retired)
        return any(one is not None and one.snapshot is snapshot and key in one.held for one in live)

    def join_snapshot(self, snapshot: object, key: int, label: str) -> Tenancy[C] | None:
        """Take a lease on a snapshot that a request's state holds, if it is one of this engine."""
        thread = self._thread
        if thread is None:
            return None
        for tenancy in (thread.desk.current, *thread.drain.retired):
            if tenancy is not None and tenancy.snapshot is snapshot:
                others = bool(tenancy.held)
                tenancy.held[key] = label
                if others or not tenancy.retired:
                    return tenancy
                tenancy.leave(key)
        return None

    def refuse_to_block(self, what: str, instead: str) -> None:
        """Raise `BlockingCallError` where waiting would stop the home loop itself."""
        loop = asyncio._get_running_loop()
        if loop is None or not self._registry.needs_loop:
            return
        home = None if self._thread is None else self._thread.desk.home
        if home is None or home is loop or home.is_closed():
            raise BlockingCallError(
                f"{what} would block the event loop that its async resources live in: "
                f"use `{instead}` here"
            )

    async def _enter_elsewhere(self, key: int, label: str, door: bool) -> Tenancy[C]:
        """Wait in a thread, for event loops other than asyncio's (trio)."""
        import anyio.to_thread

        return await anyio.to_thread.run_sync(partial(self.enter, key, label, door=door))

    def _meet(self, thread: EngineThread[C], *, through_build: bool) -> Waiter | None:
        loop = asyncio.get_running_loop()
        return thread.desk.meet(loop, through_build=through_build)

    def _loaded(self, thread: EngineThread[C], conclusion: Conclusion) -> Tenancy[C]:
        """Give what serves after a wait, or raise why nothing does."""
        current = thread.desk.current
        if current is not None:
            return current
        if isinstance(conclusion.error, ReloadCheckError) and not conclusion.settling:
            raise conclusion.error
        names = ", ".join(source.name for source in self._sources)
        reason = f"is not ready after {self._options.patience:g} s: still being written or built"
        raise SourceError(Problem(reason, names))

    # ----------------------------------------------------------------------- processes

    def _running(self) -> EngineThread[C]:
        """Give this process's engine thread, started."""
        thread = self._thread
        if thread is not None and self._pid == os.getpid() and not thread.closing:
            return thread
        with self._lock:
            thread = self._thread
            if thread is not None and self._pid != os.getpid():
                self.forget_parent()
                thread = None
            if thread is None or thread.closing:
                thread = EngineThread(
                    self,
                    self._sources,
                    self._schema,
                    self._registry,
                    self._options,
                    self._clock,
                    self._cell,
                    self._listeners,
                )
                self._thread, self._pid = thread, os.getpid()
                _watch_process()
                thread.start()
            return thread

    def forget_parent(self) -> None:
        """Drop, in a forked child, all that is the parent's; nothing of it may be closed here.

        The parent's resources share its sockets: finalizing a suspended factory would run its
        close. They are given a reference that is never taken back.
        """
        inherited, self._thread = self._thread, None
        self._cell.fresh = self._cell.home = None
        self._started = 0
        if inherited is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))

    def _stop(self) -> EngineThread[C] | None:
        with self._lock:
            self._started = max(0, self._started - 1)
            thread = self._thread
            if self._started or thread is None or self._pid != os.getpid():
                return None
            if not thread.closing:
                thread.stop(self._options.drain)
            return thread

    def exit(self, seconds: float) -> None:
        """Close at the interpreter's exit, waiting for no lease, at most `seconds`."""
        thread = self._thread
        if thread is None or self._pid != os.getpid() or thread.ended.is_set():
            return
        thread.stop(0.0)
        if not thread.ended.wait(seconds):
            names = ", ".join(one.resource.name for one in thread.roster.instances)
            _logger.warning("left open at exit: %s", names or "nothing")


@overload
def reload_check(live: ReloadCheck[Any], /) -> Callable[[F], F]: ...
@overload
def reload_check(
    *sources: str | os.PathLike[str] | Source,
    schema: Callable[..., Any] | None = None,
    **options: Unpack[EngineOptions],
) -> Callable[[F], F]: ...
def reload_check(*sources: Any, **options: Any) -> Callable[[F], F]:
    """Make each call of the decorated function one unit of work.

    Takes an engine, or what `ReloadCheck` takes. Works on sync and async functions and generators;
    the signature is kept, and `.live` is the engine.
    """
    if len(sources) == 1 and isinstance(sources[0], ReloadCheck):
        if options:
            raise OptionError("options belong to ReloadCheck(…) when the decorator gets an engine")
        live: ReloadCheck[Any] = sources[0]
    else:
        live = ReloadCheck(*sources, **options)

    def decorate(function: F) -> F:
        wrapper = decorated(function, lambda label: Lease(live, label))
        wrapper.live = live  # type: ignore[attr-defined]
        return cast("F", wrapper)

    return decorate


def _options(given: EngineOptions) -> Options:
    try:
        return Options(**cast("dict[str, Any]", given))
    except TypeError as error:
        known = ", ".join(sorted(EngineOptions.__annotations__))
        raise OptionError(f"unknown option; the options are: {known}") from error


def _bind(waiter: Waiter) -> None:
    waiter.bind()


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


# ------------------------------------------------------------------------- this process

_engines: "weakref.WeakSet[ReloadCheck[Any]]" = weakref.WeakSet()
_watching = False


def _watch_process() -> None:
    """Hear of forks and of the exit, from the first engine's start on."""
    global _watching
    if _watching:
        return
    _watching = True
    atexit.register(_at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    for engine in list(_engines):
        engine._lock = threading.Lock()
        engine._listeners.forget_parent()
        engine.forget_parent()


def _at_exit() -> None:
    for engine in list(_engines):
        engine.exit(EXIT_SECONDS)

"""One built resource, from its factory's call to its close.

Takes a handle and its arguments, gives jobs that open, probe and close; all foreign code runs in a
call thread or in a task of the home loop. Never decides when: the engine thread does.

Long because a resource is opened, probed and closed by two ways, in a thread and in a loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncContextDecorator, ContextDecorator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .._runtime.event_loops import running_loop
from .._runtime.jobs import Job, NoThreadError, call
from .._runtime.loop_task import LoopTask
from .._runtime.reentrancy import inside, put_inside
from .._runtime.refcounts import users_with
from ..exceptions import ResourceClosedError, WrongLoopError
from .registry import FactoryKind, Resource, is_coroutine

if TYPE_CHECKING:
    import asyncio
from .._runtime.foreign import FactoryMisuseError

T = TypeVar("T")


class Instance:
    """One instance of a resource. Whoever refers to `hold` has read it and may go on using it.

    `before` and `after` are held by nobody: what refers to them keeps every object.

    `retired_at` (monotonic seconds) is when it was last handed out as a part of what serves; None
    while it may be, and if it never was. `value` is there from the end of the opening job. The
    flags are the engine thread's: `closable` once the drain may close it, `closed` from when its
    closing begins, `forced` when that was at the drain deadline, `dropped` when its event loop
    ended under it, `stale` why another one is to be built in its place without an edit.
    """

    def __init__(
        self,
        resource: Resource[Any],
        parts: tuple[object, ...],
        needs: tuple[Instance, ...],
        loop: asyncio.AbstractEventLoop | None,
        gone: Callable[[Instance], None],
        engine: object,
    ) -> None:
        self.resource = resource
        self.parts = parts
        self.needs = needs
        self.before, self.hold, self.after = object(), object(), object()
        self.retired_at: float | None = None
        self.closable = False
        self.closed = False
        self.forced = False
        self.dropped = False
        self.stale: str | None = None
        self.value: Any = None
        self._close: Callable[[], Any] | None = None
        self._loop = loop
        self._task: LoopTask | None = None
        self._give_up: Callable[[], None] = _ignore
        self._gone = gone
        self._engine = engine
        if resource.is_async and loop is not None:
            self._task = LoopTask(loop, resource.name, self._leave, self._left)

    def __repr__(self) -> str:
        return f"<instance of {self.resource.name}>"

    @property
    def home(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop it lives in; None for a sync resource."""
        return None if self._task is None else self._task.loop

    @property
    def is_homeless(self) -> bool:
        """Return whether the loop it lives in is closed: what it was to do there is never done."""
        return self._task is not None and self._task.loop.is_closed()

    def take_error(self) -> BaseException | None:
        """Return, once, what an async resource's task ended with by itself; it holds frames."""
        if self._task is None:
            return None
        error, self._task.error = self._task.error, None
        return error

    @property
    def readers(self) -> int:
        """Count the units of work that have read it and have not ended."""
        return users_with(self, "hold")

    @property
    def closes_in_loop(self) -> bool:
        """Return whether its close needs an event loop that runs."""
        return self._task is not None or inspect.iscoroutinefunction(self._close)

    def read(self) -> Any:
        """Hand the built object to a unit of work.

        Raises `ResourceClosedError` once it is closed, and `WrongLoopError` for an async resource
        in another running loop.
        """
        if self.closed or self.dropped:
            raise ResourceClosedError(f"resource {self.resource.name!r} is closed: {self._why}")
        if self._task is not None:
            running = running_loop()
            if running is not None and running is not self._task.loop:
                raise WrongLoopError(
                    f"async resource {self.resource.name!r} lives in another event loop: read it "
                    "there, register a sync factory, or use one engine for each loop"
                )
        return self.value

    @property
    def _why(self) -> str:
        """Say why it is closed to who reads it now, and what to do about it."""
        if self.dropped:
            return (
                "the event loop that built it has ended, or a task of the resource's own has failed"
            )
        if self.forced:
            return (
                "the unit of work that reads it has ended or outlived its snapshot's drain "
                "deadline; raise `drain`, or call `snapshot.release()` and take a lease for each "
                "step of long work"
            )
        return (
            "the unit of work that reads it has ended, has released it, or had not read it yet "
            "when its drain was over or an edit needed its place; read it at the beginning, or "
            "call `snapshot.release()` and take `live.lease()` when it is needed"
        )

    # ------------------------------------------------------------------ jobs

    def open(self, on_done: Callable[[], None]) -> Job[None]:
        """Call the factory; a result that comes too late is closed where it was made."""
        arguments = [*self.parts, *(need.value for need in self.needs)]
        name, factory = self.resource.name, partial(self.resource.factory, *arguments)
        if self._task is not None:
            job = Job[None](on_done)
            self._task.do(partial(self._await_inside, partial(self._open_async, factory)), job)
            return job
        job = Job[None](on_done, late=lambda _: self._close_late())
        call(name, put_inside(self._engine, partial(self._open_sync, factory)), job)
        return job

    def probe(self, on_done: Callable[[], None]) -> Job[bool]:
        """Call the probe with the built object; False or an exception means that it failed."""
        job = Job[bool](on_done)
        probe, value = self.resource.probe, self.value
        if probe is None:
            job.finish(True)
        elif not is_coroutine(probe):
            work = put_inside(self._engine, partial(_probe_sync, probe, value, self._loop))
            call(f"{self.resource.name}-probe", work, job)
        elif self._task is not None:
            self._task.do(self._probing(probe), job)
        else:
            name = f"{self.resource.name}-probe"
            self._give_up = self._visit(name, self._probing(probe), job)
        return job

    def probe_beside(self, on_done: Callable[[], None]) -> tuple[Job[bool], Callable[[], None]]:
        """Call the probe beside whatever the resource is at; give the job and how to give it up.

        An async one runs in a task of its own: what it raises must not end the resource's.
        """
        probe = self.resource.probe
        if probe is None or not is_coroutine(probe):
            return self.probe(on_done), _ignore  # a thread cannot be stopped
        job = Job[bool](on_done)
        return job, self._visit(f"{self.resource.name}-probe", self._probing(probe), job)

    def close(self, on_done: Callable[[], None]) -> Job[None]:
        """Run what comes after the `yield`, or the object's own closing method."""
        job = Job[None](on_done)
        if self._task is not None:
            self._task.do(self._leave, job, last=True)
            return job
        close, self._close = self._close, None
        if close is None:
            job.finish(None)
        elif inspect.iscoroutinefunction(close):
            self._give_up = self._visit(f"{self.resource.name}-close", close, job)
        else:
            call(f"{self.resource.name}-close", lambda: _nothing(close()), job)
            if isinstance(job.error, NoThreadError):
                self._close = close  # it was not called, and may be later
        return job

    def cancel(self) -> None:
        """Abandon the job it is at; a thread cannot be stopped and is left alone."""
        self._give_up()
        if self._task is not None:
            self._task.cancel()

    # --------------------------------------------------- in a thread of its own

    def _open_sync(self, factory: Callable[[], Any]) -> None:
        if self.resource.kind is FactoryKind.GENERATOR:
            generator = factory()
            try:
                self.value = next(generator)
            except StopIteration:
                raise FactoryMisuseError("it ended without a yield") from None
            self._close = partial(_finish, generator)
            return
        value = factory()
        if inspect.iscoroutine(value):
            value.close()
            raise FactoryMisuseError("it returned a coroutine; declare it `async def`")
        if isinstance(value, ContextDecorator | AsyncContextDecorator) and hasattr(value, "gen"):
            raise FactoryMisuseError("remove @contextmanager: a generator is a factory as it is")
        self._close = _closer(value, self._loop)
        self.value = value

    def _close_late(self) -> None:
        close, self._close = self._close, None
        if close is None:
            return
        if inspect.iscoroutinefunction(close):
            self._visit(f"{self.resource.name}-close", close, Job[None](_ignore))
        else:
            Job[None](_ignore).run(lambda: _nothing(close()))

    # ------------------------------------------------------- in the home loop

    async def _open_async(self, factory: Callable[[], Any]) -> None:
        if self.resource.kind is FactoryKind.ASYNC_GENERATOR:
            generator = factory()
            try:
                self.value = await anext(generator)
            except StopAsyncIteration:
                raise FactoryMisuseError("it ended without a yield") from None
            self._close = partial(_finish_async, generator)
            return
        self.value = await factory()
        self._close = _closer(self.value, self._loop)

    def _probing(self, probe: Callable[[Any], Any]) -> Callable[[], Awaitable[bool]]:
        return partial(self._await_inside, partial(_probe_async, probe, self.value))

    async def _await_inside(self, work: Callable[[], Awaitable[T]]) -> T:
        with inside(self._engine):
            return await work()

    async def _leave(self) -> None:
        close, self._close = self._close, None
        if close is None:
            return
        result = close()
        if inspect.isawaitable(result):
            await result

    def _left(self) -> None:
        self._gone(self)

    def _visit(self, name: str, work: Callable[[], Any], job: Job[Any]) -> Callable[[], None]:
        """Run one coroutine function in the home loop, in a task of its own; give its cancel."""
        if self._loop is None:
            job.fail(FactoryMisuseError("it needs an event loop, and there is none"))
            return _ignore
        task = LoopTask(self._loop, name, _leave_nothing, _ignore)
        task.do(work, job, last=True)
        return task.cancel


def _probe_sync(
    probe: Callable[[Any], Any], value: Any, loop: asyncio.AbstractEventLoop | None
) -> bool:
    result = probe(value)
    if inspect.iscoroutine(result):  # a lambda around a coroutine function
        if loop is None:
            result.close()
            raise FactoryMisuseError("its probe needs an event loop, and there is none")
        import asyncio

        result = asyncio.run_coroutine_threadsafe(result, loop).result()
    return result is not False


async def _probe_async(probe: Callable[[Any], Any], value: Any) -> bool:
    return await probe(value) is not False


def _closer(value: object, loop: asyncio.AbstractEventLoop | None) -> Callable[[], Any] | None:
    """Find a plain factory's result's own way to be closed: `aclose`, `close` or `dispose`."""
    methods = [getattr(value, name, None) for name in ("aclose", "close", "dispose")]
    found: list[Callable[[], Any]] = [method for method in methods if callable(method)]
    usable = [one for one in found if loop is not None or not inspect.iscoroutinefunction(one)]
    if found and not usable:
        raise FactoryMisuseError("what it returned can be closed only in an event loop")
    return usable[0] if usable else None


def _finish(generator: Any) -> None:
    try:
        next(generator)
    except StopIteration:
        return
    generator.close()
    raise FactoryMisuseError("it yielded a second time")


async def _finish_async(generator: Any) -> None:
    try:
        await anext(generator)
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise FactoryMisuseError("it yielded a second time")


async def _leave_nothing() -> None:
    """Close nothing: there is nothing."""


def _ignore() -> None:
    """Say nothing: there is nobody to listen."""


def _nothing(_: object) -> None:
    """Drop what a closing method returned."""

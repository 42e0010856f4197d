"""Async resources in the home loop: each lives in one task, so that its cancel scopes nest.

The engine thread hands the task its work from outside; nothing of a resource is awaited anywhere
else. A task that is cancelled, because its loop ends or because it took too long, closes what it
holds before it goes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from .jobs import Job
from .log import WARNING, log

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class LoopGoneError(Exception):
    """The home loop is closed; what lived in it is dropped."""


class LoopTask:
    """One task in the home loop that runs, one after the other, the work it is handed.

    `leave` is awaited in the task when it ends in any way but by `last` work, and closes what is
    still open; `gone` is called in the loop's thread when the task has ended. `error` is what it
    ended with by itself: what `leave` raised, or else what interrupted it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        leave: Callable[[], Awaitable[None]],
        gone: Callable[[], None],
    ) -> None:
        self.loop = loop
        self._name = name
        self._leave = leave
        self._gone = gone
        import asyncio

        self._queue: asyncio.Queue[tuple[Callable[[], Awaitable[Any]], Job[Any], bool]] = (
            asyncio.Queue()
        )
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        self.error: BaseException | None = None

    def do(self, work: Callable[[], Awaitable[T]], job: Job[T], *, last: bool = False) -> None:
        """Let the task run `work`, from any thread; it ends after work that is `last`."""

        def accept() -> None:
            if self._ended:
                job.fail(LoopGoneError())
                return
            self._queue.put_nowait((work, job, last))
            if self._task is None:
                self._task = self.loop.create_task(self._live(), name=f"reloadcheck-{self._name}")
                self._task.add_done_callback(self._end)  # cancelled early, it takes no step at all

        try:  # in a context that belongs to no unit of work, whichever one is behind this call
            Context().run(self.loop.call_soon_threadsafe, accept)
        except RuntimeError:
            job.fail(LoopGoneError())

    def cancel(self) -> None:
        """Cancel the task, from any thread: what it is at is given up, what it holds is closed."""

        def cancel() -> None:
            if self._task is not None:
                self._task.cancel()

        try:
            self.loop.call_soon_threadsafe(cancel)
        except RuntimeError:
            return

    async def _live(self) -> None:
        try:
            while await self._turn():
                pass
        except BaseException as error:
            if not self.loop.is_running():  # it was closed over us: nothing can be awaited any more
                raise
            self.error = await self._leave_quietly() or error
        finally:
            self._end()

    def _end(self, _: object = None) -> None:
        if self._ended:
            return
        self._ended = True
        while not self._queue.empty():
            self._queue.get_nowait()[1].fail(LoopGoneError())
        self._gone()

    async def _leave_quietly(self) -> BaseException | None:
        try:
            await self._leave()
        except BaseException as error:  # nobody waits for this close any more
            log(WARNING, "closing %s failed: %s", self._name, type(error).__name__)
            return error
        return None

    async def _turn(self) -> bool:
        work, job, last = await self._queue.get()
        try:
            value = await work()
        except BaseException as error:
            if isinstance(error, GeneratorExit) and not self.loop.is_running():
                job.fail(LoopGoneError())
                raise
            job.fail(error)
            if not last:
                raise
        else:
            job.finish(value)
            if job.abandoned and not last:
                import asyncio

                raise asyncio.CancelledError
        return not last

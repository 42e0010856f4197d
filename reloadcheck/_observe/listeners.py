"""Tell listeners what happened, each in its own order, none able to hold up anything.

A listener runs in a call thread, a coroutine function in the home loop. One that raises is logged;
one that does not return misses what happens meanwhile, save the latest.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._runtime.foreign import raised
from .._runtime.jobs import Job, call
from .._runtime.log import WARNING, log
from .._runtime.loop_task import LoopTask
from ..exceptions import RegistrationError
from ..types import Code
from .events import ReloadEvent

if TYPE_CHECKING:
    import asyncio

Listener = Callable[[ReloadEvent], Any]


class _NoLoopError(Exception):
    """A coroutine function listens where nothing can run it."""


class _Subscription:
    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.queue: list[ReloadEvent] = []
        self.busy = False


class Listeners:
    """The subscriptions of one engine. `tell` and what follows from it run in the engine thread."""

    LIMIT = 100
    """How many events wait for a slow listener before the oldest are dropped."""

    def __init__(self) -> None:
        self._subscriptions: list[_Subscription] = []

        self._pulses: list[Callable[[], None]] = []
        self.link: Callable[[], object] = _no_link
        """What gives a tracer's name for the unit of work around this code; must not raise."""

    def add_pulse(self, pulse: Callable[[], None]) -> None:
        """Let `pulse` called after each check, in the engine thread: it must be ours and short."""
        self._pulses = [*self._pulses, pulse]

    def pulse(self) -> None:
        """Call what is to be called after each check."""
        for pulse in self._pulses:
            try:
                pulse()
            except Exception as error:
                log(WARNING, "a pulse raised %s", type(error).__name__)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Subscribe; the result unsubscribes, and may be called twice."""
        if not callable(listener):
            raise RegistrationError("live.subscribe takes a function that is called with an event")
        subscription = _Subscription(listener)
        self._subscriptions = [*self._subscriptions, subscription]

        def unsubscribe() -> None:
            self._subscriptions = [one for one in self._subscriptions if one is not subscription]

        return unsubscribe

    def forget_parent(self) -> None:
        """Be free again in a forked child, where no listener runs."""
        for subscription in self._subscriptions:
            subscription.queue.clear()
            subscription.busy = False

    def tell(
        self,
        event: ReloadEvent,
        loop: asyncio.AbstractEventLoop | None,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        """Queue the event for every listener and start those that are not busy."""
        for subscription in self._subscriptions:
            subscription.queue.append(event)
            if len(subscription.queue) > self.LIMIT:
                del subscription.queue[0]
                words = "a listener has not returned for %d events"
                log(WARNING, words, self.LIMIT, code=str(Code.LISTENER))
            self._next(subscription, loop, post)

    def _next(
        self,
        subscription: _Subscription,
        loop: asyncio.AbstractEventLoop | None,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        if subscription not in self._subscriptions or subscription.busy or not subscription.queue:
            return
        event = subscription.queue.pop(0)
        subscription.busy = True

        def on_done() -> None:
            post(returned)

        def returned() -> None:
            subscription.busy = False
            if job.error is not None:
                own = isinstance(job.error, _NoLoopError)
                what = str(job.error) if own else f"raised {raised(job.error)}"
                name = getattr(listener, "__qualname__", type(listener).__name__)
                log(WARNING, "a listener %s: %s", what, name, code=str(Code.LISTENER))
            self._next(subscription, loop, post)

        job = Job[None](on_done)
        listener = subscription.listener
        if not inspect.iscoroutinefunction(listener):
            call("listener", lambda: _drop(listener(event)), job)
        elif loop is None:
            job.fail(_NoLoopError("is async and there is no event loop to run it in"))
        else:
            LoopTask(loop, "listener", _nothing, _ignore).do(
                lambda: listener(event), job, last=True
            )


def _drop(_: object) -> None:
    """Take no notice of what a listener returns."""


def _ignore() -> None:
    """Say nothing: there is nobody to listen that the task has ended."""


def _no_link() -> None:
    """Know no tracer."""


async def _nothing() -> None:
    """Close nothing: there is nothing."""

"""Tell listeners what happened, each in its own order, none able to hold up anything.

A listener runs in a call thread, a coroutine function in the home loop. One that raises is logged;
one that does not return misses what happens meanwhile, save the latest.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

from ._calls import Job, call
from ._events import ReloadEvent
from ._home import HomeTask
from ._log import log

Listener = Callable[[ReloadEvent], Any]


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

    def add(self, listener: Listener) -> Callable[[], None]:
        """Subscribe; the result unsubscribes, and may be called twice."""
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
                log(logging.WARNING, "a listener has not returned for %d events", self.LIMIT)
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

        def settled() -> None:
            post(returned)

        def returned() -> None:
            subscription.busy = False
            if job.error is not None:
                log(logging.WARNING, "a listener raised %s", type(job.error).__name__)
            self._next(subscription, loop, post)

        job = Job[None](settled)
        listener = subscription.listener
        if not inspect.iscoroutinefunction(listener):
            call("listener", lambda: _drop(listener(event)), job)
        elif loop is None:
            job.fail(LookupError("no event loop to run it in"))
        else:
            HomeTask(loop, "listener", _nothing, _ignore).do(
                lambda: listener(event), job, last=True
            )


def _drop(_: object) -> None:
    """Take no notice of what a listener returns."""


def _ignore() -> None:
    """Have nobody to tell that the task has ended."""


async def _nothing() -> None:
    """Have nothing to close."""

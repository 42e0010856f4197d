"""What a person orders in one process: promote or undo a trial, go back, take up anew.

Orders to all processes that share a store are `_state/store_orders`'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import UsageError
from ..types import Outcome

if TYPE_CHECKING:
    from .engine import Engine
    from .thread import EngineThread

TOLD_SECONDS: Final = 0.5
"""Seconds that an undo waits for the store; the engine never does."""


def forget_refusal(engine: Engine[Any]) -> Callable[[Outcome], Outcome]:
    """Judge anew, at the next check, what the sources hold.

    What is returned makes of the next check's outcome what became of it, as the check that was
    under way may have taken it up.
    """
    thread = engine.running()
    before = _version(thread)
    thread.reload.forgets = True
    if engine.companion is not None:
        engine.companion.retry()

    def became(outcome: Outcome) -> Outcome:
        taken_up = _version(thread) != before
        return Outcome.RELOADED if taken_up and outcome is Outcome.UNCHANGED else outcome

    return became


def _version(thread: EngineThread[Any]) -> int | None:
    current = thread.serving.current
    return None if current is None else current.snapshot.version


def until_told(engine: Engine[Any], outcome: Outcome) -> Outcome:
    """Wait until nobody else can come to serve what was taken back; return what it came to."""
    if outcome is Outcome.UNDONE and engine.companion is not None:
        engine.companion.until_told(TOLD_SECONDS)
    return outcome


async def until_told_async(engine: Engine[Any], outcome: Outcome) -> Outcome:
    """Do what `until_told` does, without blocking asyncio's loop."""
    import asyncio

    return await asyncio.to_thread(until_told, engine, outcome)


def ordered(engine: Engine[Any], word: str, reason: str | None) -> Callable[[Outcome], Outcome]:
    """End a trial or a watch as a person says, or go back to the version before.

    What is returned makes of the next check's outcome what became of the order, which the
    engine may have carried out by itself just before. Raise `UsageError` where there is nothing
    to promote, or to go back to.
    """
    thread, run = engine.thread, None if engine.trial is None else engine.trial.run
    tried = run is not None and run.promoted_at is None
    if engine.trial is not None and engine.trial.run is not None:
        _ended(engine, word, reason)
    elif word == "promote":
        raise UsageError("live.promote(): no edit is tried or watched in this process")
    elif thread is None or thread.reload.way_back.earlier is None:
        raise UsageError("live.undo(): no other version has served in this process before")
    else:
        thread.reload.way_back.want(reason)

    def became(outcome: Outcome) -> Outcome:
        promoted = tried and run is not None and run.promoted_at is not None
        return Outcome.RELOADED if promoted and outcome is Outcome.UNCHANGED else outcome

    return became


def _ended(engine: Engine[Any], word: str, reason: str | None) -> None:
    """End a trial or a watch as a person says; raise `UsageError` where none is on."""
    run = None if engine.trial is None else engine.trial.run
    if run is None:
        raise UsageError(f"live.{word}(): no edit is tried or watched in this process")
    run.order(word, reason)

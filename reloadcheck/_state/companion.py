"""All that a store is to one engine: a feed around its feed, a gate, a listener, its companion.

The engine knows none of it: it reads a feed, asks gates, tells listeners, and ends its companion.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from .._observe.identity import identity
from .._runtime.clock import Clock
from ..seams.feed import Feed
from ..seams.gates import Proposal
from ..seams.store import StoreStatus
from ..types import Code, Outcome, Source, Store
from .alive import is_gone
from .board import State, Wish, prefix_of
from .content import kept_tree
from .edit_row import Rows
from .fallback import Fallback
from .feed import StoreFeed
from .fleet import Fleet, fleet_in
from .for_contract import Beside
from .gate import StoreGate, frozen_by
from .keeper import Keeper
from .listener import StoreListener
from .round_driver import Rounds
from .round_told import round_in
from .this_worker import Options, ThisWorker
from .trial_pool import Pool

__all__ = ["Memory"]

_ORDERED = {"pin": Code.PINNED, "rollback": Code.BANNED, "fallback": Code.FALLBACK}


class Memory:
    """What one engine and its store have to do with each other; the engine's companion."""

    def __init__(
        self,
        feed: Feed,
        store: Store,
        *,
        options: Callable[[], Options],
        clock: Clock,
        notify: Callable[[bool], None],
        outcome: Callable[[], Outcome | None],
        fallback: Source | None = None,
    ) -> None:
        self._options, self._clock, self._notify = options, clock, notify
        self._pid = 0
        self.keeper = Keeper(
            store,
            lambda: prefix_of(self.application, options().release),
            lambda: self.listener.member,
            notify=notify,
            begun=self._begun,
            tried=lambda digest: worker.tried(digest),
            without=lambda content: worker.without(content),
            window=lambda: options().window,
            clock=clock,
        )
        instead = None if fallback is None else Fallback(fallback)
        worker = self._worker = ThisWorker(options, clock, self.keeper)
        self.beside = Beside(
            self.keeper,
            lambda digest: worker.known(digest)[0],
            lambda: worker.serving,
            self._written_by,
        )
        self.feed = StoreFeed(feed, worker, instead)
        rows = Rows(worker, lambda: self.feed.sources)
        self.gate = StoreGate(worker, self.feed, rows, self.beside, instead)
        self.listener = StoreListener(worker, self.feed, rows, outcome, notify)

    def _begun(self) -> Rounds | None:
        """Begin anew in this process."""
        if self._pid not in (0, os.getpid()):
            self._worker.forget_parent()
        self._pid = os.getpid()
        self.listener.started = self._clock.wall()
        together = self._options().together
        if together is None:
            return None
        return Rounds(together, self.keeper.store, self._clock, self.listener.record, self._notify)

    def _written_by(self, digest: str) -> Mapping[str, Any]:
        _, reading = self._worker.known(digest)
        return {} if reading is None else kept_tree(self.feed.sources, reading)

    @property
    def application(self) -> str:
        """The application's name in the store."""
        return identity(self._options().app).application

    def trial_pool(self) -> Pool:
        """Return what the workers share a trial by, in this process."""
        return self.keeper.pool

    def is_news(self, proposal: Proposal) -> bool:
        """Return whether an edit is in the history for one reason: all have just decided on it."""
        return self.gate.is_news(proposal)

    def close(self) -> None:
        """Leave the board; the engine has ended."""
        self._worker.serving = None
        self.keeper.close()

    def take_wish(self) -> Wish | None:
        """Return what was last ordered about a trial, and forget it."""
        sight = self.keeper.sight
        wish, sight.wish = sight.wish, None
        return wish

    def retry(self) -> None:
        """Let what was undone be tried again: at once here, elsewhere when the store says so."""
        self._worker.retry()
        self.keeper.retry()

    def until_told(self, seconds: float) -> None:
        """Wait until the store has the ban on what was taken back here, while it is there."""
        if self.keeper.known.error is None:
            self.keeper.told.wait(seconds)

    def edition_of(self, version: int) -> int | None:
        """Return the number that a version of this process has in the store."""
        return self.keeper.editions.get(version)

    def status(self) -> StoreStatus:
        """Return what people are told of the store."""
        known, state, rounds = self.keeper.known, self._worker.state, self._worker.rounds
        together = self._options().together
        hold = None if state.hold is None else state.hold.kind
        code = Code.STORE if known.error is not None else None
        tally = self.keeper.tally
        freeze = state.freeze if self._worker.is_frozen else None
        return StoreStatus(
            self.keeper.store.name,
            code,
            known.error,
            known.since,
            self.keeper.edition,
            hold,
            order=self._order(state),
            in_step=self._in_step(),
            rounds=tally.rounds,
            round_seconds=tally.seconds,
            refusals=tally.refusals,
            last_rounds=tally.last,
            together=None if together is None else together.need,
            round=None if rounds is None or known.view is None else round_in(known.view),
            frozen=None if freeze is None else frozen_by(freeze).why,
        )

    def _order(self, state: State) -> str | None:
        """Return the code of the order that is in force."""
        if state.hold is not None:
            return _ORDERED.get(state.hold.kind)
        return Code.FROZEN if self._worker.is_frozen else None

    def _in_step(self) -> bool | None:
        serving = self._worker.serving
        if self.keeper.known.view is None or serving is None:
            return None
        target = self._worker.state.target
        return target in (None, serving) or self.listener.member.tries(target)

    def fleet(self, now: float) -> Fleet | None:
        """Return all workers as the store was read last; never asks it. None before a first look.

        `now` is in epoch seconds.
        """
        self.keeper.is_asked()
        view = self.keeper.known.view
        if view is None:
            return None
        return fleet_in(
            view,
            now,
            app=self.application,
            release=self._options().release or "",
            is_gone=lambda name: is_gone(name, self.keeper.id),
        )

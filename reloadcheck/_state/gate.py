"""A store's gate: what an edit is to it: banned, not kept, frozen, undecided, or served before."""

import time
from dataclasses import replace
from typing import Any

from ..seams.feed import Loaded, Reading
from ..seams.gates import GO, Answer, Defer, Proposal, Reject, Wait
from ..types import Code, Outcome, Problem
from .bans import ban_named
from .board import Ban, Freeze, Hold
from .edit_row import Rows
from .fallback import Fallback, not_served
from .feed import StoreFeed
from .for_contract import Beside
from .ledger import entries_from, stands
from .round_barrier import Barrier
from .round_driver import Offer
from .this_worker import ThisWorker

__all__ = ["StoreGate", "frozen_by"]


class StoreGate:
    """What is asked about each edit, between its diff and its swap."""

    name = "store"
    seconds = 10.0

    def __init__(
        self,
        worker: ThisWorker,
        feed: StoreFeed,
        rows: Rows,
        beside: Beside,
        fallback: Fallback | None,
    ) -> None:
        self._worker, self._feed, self._rows = worker, feed, rows
        self._beside, self._fallback = beside, fallback
        self._let_through = False

    def may(self, proposal: Proposal) -> Answer:
        """Refuse what is banned, and hold everything but orders back while frozen."""
        content, _ = self._worker.known(proposal.new.source_digest)
        state, first = self._worker.state, proposal.old is None
        self._let_through = False
        if self._feed.decision.behind and first and state.hold is not None:
            return self._not_kept(state.hold)
        if content is not None and content in state.banned:
            if first and self._feed.decision.serve == content:
                return Defer(Code.BANNED, "it was banned while it was read", again=True)
            return _banned(content, state.banned[content])
        freeze, is_fallen = state.freeze, self._worker.is_fallen(content)
        if freeze is None or not self._worker.is_frozen:
            barrier = None if is_fallen else self._barrier
            return GO if barrier is None else barrier.may(content, first=first)
        if first or content == state.target or is_fallen:
            return GO
        return frozen_by(freeze)

    def now(self, proposal: Proposal) -> Answer:
        """Let through what was built, and remember of which reading it is."""
        source = proposal.new.source_digest
        content, reading = self._worker.known(source)
        barrier = self._barrier
        ban = self._worker.state.banned.get(content or "")
        if ban is not None and ban.cause == "undone" and proposal.old is not None:
            return _banned(str(content), ban)  # meanwhile: nobody waits for the others then
        came = None if self._let_through else self._came_meanwhile(proposal, content)
        if came is not None:
            return came
        self._let_through = True
        self._worker.swapping = {proposal.new.digest: source}
        if barrier is None or content is None or reading is None:
            return GO
        if self._worker.is_fallen(content):
            return GO
        offer = barrier.rounds.offer
        if offer is None or offer.entry.source != source:
            offer = self._offer(proposal, content, reading)
        return barrier.now(offer, first=proposal.old is None)

    def _came_meanwhile(self, proposal: Proposal, content: str | None) -> Answer | None:
        """Return what an order makes of an edit that was being built when it came, or None."""
        state, first = self._worker.state, proposal.old is None
        if content is None or self._worker.is_fallen(content) or content == state.target:
            return None
        if content in state.banned or (state.hold != self._feed.order and state.hold is not None):
            return Defer(Code.BANNED, "an order came while it was built", again=True)
        if state.freeze is None or first or not self._worker.is_frozen:
            return None
        return frozen_by(state.freeze)

    def served(self, loaded: Loaded[Any]) -> bool:
        """Return whether it served and was not undone since, or is what an order wants."""
        content, _ = self._worker.known(loaded.source_digest)
        if self._is_ordered(content):
            return True
        if content == self._worker.taken_back:
            return False
        return self._beside.served(loaded.source_digest)

    def _is_ordered(self, content: str | None) -> bool:
        hold = self._worker.state.hold
        if hold is None or content is None:
            return False
        return hold.content == content or self._worker.is_fallen(content)

    def taken_back(self, loaded: Loaded[Any]) -> None:
        """Know it here before the history does, for it may be tried again at once."""
        self._worker.keeper.told.clear()
        self._worker.taken_back, _ = self._worker.known(loaded.source_digest)

    def is_news(self, proposal: Proposal) -> bool:
        """Return whether an edit is in the history for one reason: all have just decided on it."""
        content, _ = self._worker.known(proposal.new.source_digest)
        if self._is_ordered(content):
            return False
        if content is not None and content == self._worker.decided:
            return True  # though it may be active no longer: it is tried until the sources say so
        rounds, view = self._worker.rounds, self._worker.keeper.known.view
        offer = None if rounds is None else rounds.offer
        if offer is None or view is None:
            return False
        if not offer.content == content == view.state.active:
            return False
        entries = entries_from(view.entries)
        before = [one for one in entries if one.edition != view.state.edition]
        if stands(before, offer.content):
            return False
        self._worker.decided = content
        return True

    @property
    def _barrier(self) -> Barrier | None:
        rounds = self._worker.rounds
        return None if rounds is None else Barrier(rounds, self._worker.keeper)

    def _not_kept(self, hold: Hold) -> Reject:
        """Refuse to start with anything else than what is ordered and cannot be had."""
        if hold.kind == "fallback":
            return Reject((Problem(not_served(self._fallback, hold)),), Code.FALLBACK)
        words = f"edition {hold.edition} is held by {hold.by or 'an order'} and is not kept here"
        return Reject((Problem(words),), Code.PINNED)

    def _offer(self, proposal: Proposal, content: str, reading: Reading) -> Offer:
        """Return what others would need of an edit, and its row, should it go live."""
        documents = self._rows.publishable(reading, self._rows.packed(reading))
        entry = self._rows.entry(
            proposal.changes,
            proposal.trigger,
            outcome=Outcome.RELOADED,
            at=proposal.at,
            content=content,
            source=proposal.new.source_digest,
            first=proposal.old is None,
        )
        return Offer(
            content,
            replace(
                entry,
                size=len(documents or b""),
                kept=documents is not None,
                layers=self._rows.layers(reading, content),
                seconds={phase.name: round(phase.seconds, 4) for phase in proposal.phases},
                actor=proposal.actor,
                why=proposal.reason,
                override=proposal.overridden,
            ),
            documents,
        )


def _banned(content: str, ban: Ban) -> Reject:
    who = f" by {ban.by}" if ban.by else ""
    why = f": {ban.why}" if ban.why else ""
    when = _at(ban.at)
    if ban.cause == "undone":
        reason = f"this content was taken back at {when}{why}"
        return Reject((Problem(reason),), Code.UNDONE_BEFORE, Outcome.UNDONE)
    return Reject(
        (Problem(f"{ban_named(content, ban)} was banned{who} at {when}{why}"),), Code.BANNED
    )


def frozen_by(freeze: Freeze) -> Wait:
    """Say by whom edits are held back, until when and why."""
    who = f" by {freeze.by}" if freeze.by else ""
    why = f": {freeze.why}" if freeze.why else ""
    until = "" if freeze.until is None else f" until {_at(freeze.until)}"
    return Wait(Code.FROZEN, f"edits are frozen{who}{until}{why}", freeze.until, look=1.0)


def _at(when: float) -> str:
    """Return a time in epoch seconds as people on any machine read it."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(when))

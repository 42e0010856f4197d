"""Hold an edit between build and swap until the workers have decided its round, and say why.

What is asked here has been built; what is answered follows from the last look at the board alone.
Waits for the store thread for some seconds at a start, and for a blink at an edit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..seams.gates import GO, Answer, Defer, Reject, Wait
from ..types import Code, Problem
from .board import View
from .keeper import Keeper
from .round_driver import Failure, Offer, Rounds
from .together import Vote

__all__ = ["Barrier"]

JOIN_SECONDS: Final = 5.0
"""Seconds that a start waits for the board, where that answers at all."""

HUNG_SECONDS: Final = 2.0
"""Seconds that a start waits for a board that does not."""

BLINK_SECONDS: Final = 0.5
"""Seconds that a check waits for the others, so that a quick decision is what it comes to."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """One worker's gate to what all decide."""

    rounds: Rounds
    keeper: Keeper

    @property
    def _view(self) -> View:
        return self.keeper.known.view or View()

    def may(self, content: str | None, *, first: bool) -> Answer:
        """Let nothing be built that was refused, or that could not be activated for long."""
        if first or content is None or content == self._view.state.target:
            return GO
        if self.rounds.is_refused(self._view, content):
            return self._refused(content)
        away = self.rounds.lost_for
        if away is not None and away >= self.rounds.deadline and not self._goes_alone(away):
            return self._deferred(drop=True)
        return GO

    def now(self, offer: Offer, *, first: bool) -> Answer:
        """Swap in what all serve; have all decide on what they do not."""
        if first:
            return self._join(offer)
        known = self.rounds.offer
        self.rounds.built(offer)
        if known is None or known.content != offer.content:
            self.rounds.stepped.clear()
            self.keeper.wake()
            self._until(lambda: self._is_decided(offer), BLINK_SECONDS)
        view = self._view
        if view.state.target == offer.content:
            return GO
        away = self.rounds.lost_for
        if away is not None:
            if self._goes_alone(away):
                return GO
            return self._deferred(drop=away >= self.rounds.deadline)
        if self.rounds.is_refused(view, offer.content):
            return self._refused(offer.content)
        return Wait(Code.WAITING, "it goes live when the other workers have it ready", look=0.5)

    def _join(self, offer: Offer) -> Answer:
        """Become a member, or found the group; without a store start as by oneself."""
        rounds = self.rounds
        if not rounds.booting:  # joined by what was thought to have failed
            return GO
        rounds.beaten = False
        rounds.built(offer)
        self.keeper.wake()

        def is_over() -> bool:
            return not rounds.booting or rounds.beaten or rounds.lost_for is not None

        hung = not self._until(rounds.stepped.is_set, HUNG_SECONDS)
        if not hung and self._until(is_over, JOIN_SECONDS) and rounds.beaten:
            rounds.beaten = False
            target = self._view.state.target
            if target is not None and target not in self.keeper.known.contents:
                why = Failure(Vote.FAILED_FOR_GOOD, error="it is not kept in the store")
                rounds.failed(target, why)
                return GO
            return Defer(Code.WAITING, "the others serve something else by now", again=True)
        return GO

    def _is_decided(self, offer: Offer) -> bool:
        view, rounds = self._view, self.rounds
        over = view.state.target == offer.content or rounds.is_refused(view, offer.content)
        return over or rounds.lost_for is not None

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait for what the store thread brings about; step by step, on its own time."""
        rounds = self.rounds
        left = seconds
        while not holds() and left > 0:
            rounds.stepped.clear()
            if holds():
                break
            rounds.stepped.wait(0.02)
            left -= 0.02
        return holds()

    def _goes_alone(self, away: float) -> bool:
        after = self.rounds.alone_after
        return after is not None and away >= after

    def _deferred(self, *, drop: bool) -> Defer:
        error = self.keeper.known.error or "it does not answer"
        if drop:
            self.rounds.turned_away(None)
        words = f"the workers cannot decide together while the store is away: {error}"
        return Defer(Code.STORE, words, drop=drop)

    def _refused(self, content: str) -> Reject:
        self.rounds.turned_away(content)
        refused = self._view.state.refused
        error = None if refused is None else refused.error
        words = "the workers could not all take it up"
        if self.rounds.need != "all":
            words = "too few workers could take it up"
        return Reject((Problem(f"{words}: {error}" if error else words),), Code.REFUSED)

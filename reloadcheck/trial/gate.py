"""The trial as a gate: what is new is served to a share first; what served before is not tried.

Begins a run for each new content, asks it what follows, and translates that into answers.
"""

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from ..seams.gates import GO, Answer, Go, Proposal, Reject, Share, Wait
from ..seams.repeats import Repeats
from ..seams.trial import TrialPool, TrialTerms, Verdict
from ..types import Problem, TrialStatus
from .options import Trial, most_careful
from .run import Run
from .verdicts import Decision

TROUBLE_SECONDS: Final = 30.0
"""Seconds after which what was in trouble is tried again."""

IN_TROUBLE: Final = "both versions fail: it is tried again when that has ended"


NOTHING_SAID: Final = TrialTerms()


class TrialGate:
    """The trials of one engine, one after another. `now` gives monotonic seconds.

    `terms` says more of how an edit is tried, as a contract does. `is_news`: what all have just
    decided on together has not served for that. `draw` makes the generator of
    each trial: a private one, as forks share the global one.
    """

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return "the trial"

    @property
    def seconds(self) -> float:
        """Return how long one answer may take, in seconds."""
        return 10.0

    def __init__(
        self,
        trial: Trial,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._trial = trial
        self._now = now
        self.draw: Callable[[], random.Random] = _private
        self.terms: Callable[[Proposal], TrialTerms] = _nothing_said
        self._quiet_at = 0.0
        self._run: Run | None = None
        self.last: TrialStatus | None = None
        self.shared: Callable[[], TrialPool | None] = _nobody
        self.repeats: Callable[[], Repeats | None] = _nobody
        self.is_news: Callable[[Proposal], bool] = _never

    @property
    def run(self) -> Run | None:
        """Return the trial or the watch that is on; None once the engine has ended it."""
        run = self._run
        return None if run is None or run.is_over else run

    def forget_parent(self) -> None:
        """Forget, in a forked child, the trial that its parent has; a thread may hold its lock."""
        self._run = None

    def may(self, proposal: Proposal) -> Answer:
        """Let everything be built, save while all are in trouble."""
        known = proposal.old is None or self._is_back(proposal)
        return GO if known else self._in_trouble() or GO

    def _is_back(self, proposal: Proposal) -> bool:
        # Asked at any rate: its row may come between this look and the next, and an order with it.
        news = self.is_news(proposal)
        return proposal.is_back and not news

    def now(self, proposal: Proposal) -> Answer:
        """Try what is new, and go on trying it."""
        digest, run = proposal.new.digest, self.run
        if run is not None and run.digest == digest and run.promoted_at is not None:
            return self._promoted(run)
        if run is not None and run.digest == digest and self._is_back(proposal):
            # Another worker's row of its promotion was read before the verdict.
            run.promote(Decision("promote"))
            return self._promoted(run)
        if proposal.old is None or proposal.overridden or self._is_back(proposal):
            self._end()
            return GO
        trouble = self._in_trouble()
        if trouble is not None:
            return trouble
        if run is None or run.digest != digest:
            self._end()
            run = self._run = self._begun(proposal)
        run.version, run.before = proposal.versions
        decision = self._decided(run)
        if decision.word == "promote":
            run.promote(decision)
            return self._promoted(run)
        return self._answer(decision, run)

    def after(self, proposal: Proposal) -> Answer:
        """Watch what was promoted."""
        run = self.run
        if run is None:
            return GO
        decision = self._decided(run, "watch")
        if decision.word == "settle":
            self._end()
            return GO
        return (
            Wait("watch", "", look=0.25)
            if decision.word == "go on"
            else self._answer(decision, run)
        )

    def _decided(self, run: Run, stage: str = "") -> Decision:
        """Return what follows, for all workers that share the trial where some do."""
        pool = self.shared()
        run.is_shared = pool is not None
        if pool is None:
            return run.decide()
        run.others = pool.others
        known, lost = pool.verdict(stage), pool.lost
        if known is not None:
            run.hear(known)
        elif lost is not None and not stage and run.trial.act == "undo":
            run.lose(lost)
        decision = run.decide()
        if known is None and decision.word in ("promote", "undo", "trouble"):
            said = Verdict(decision.word, decision.code, decision.sentence)
            held = pool.decide(said, stage)
            decision = Decision(held.word, held.code, held.sentence)
        else:
            pool.tell(run.counted())
        return decision

    def _in_trouble(self) -> Wait | None:
        left = self._quiet_at - self._now()
        return Wait("trouble", IN_TROUBLE, look=left) if left > 0 else None

    def _promoted(self, run: Run) -> Go:
        return Go(reason=run.unjudged, watch=run if run.trial.watch > 0 else None)

    def _answer(self, decision: Decision, run: Run) -> Answer:
        if decision.word == "go on":
            return Share(run)
        self._end()
        if decision.word == "trouble":
            self._quiet_at = self._now() + TROUBLE_SECONDS
            return self._in_trouble() or GO
        return Reject((Problem(decision.sentence),), decision.code)

    def _begun(self, proposal: Proposal) -> Run:
        """Return a new trial of an edit, as the nearest of all that is said of it wants it."""
        terms = self.terms(proposal)
        trial = self._trial.changed(terms.whole or {})
        if terms.keys:
            trial = most_careful([trial.changed(one) for one in terms.keys])
        digest, versions = proposal.new.digest, proposal.versions
        pool = self.shared()
        if pool is not None:
            pool.begin(digest)
        repeats = self.repeats() if trial.shadow else None
        run = Run(trial, digest, versions, self._now, self.draw(), terms.signals, repeats)
        run.left = partial(self._left, run)
        return run

    def _left(self, run: Run) -> None:
        """Leave the others, too, where it was the engine that ended it."""
        pool = self.shared()
        if run is self._run and pool is not None:
            pool.leave()

    def _end(self) -> None:
        run, self._run = self._run, None
        pool = self.shared()
        if run is not None and pool is not None:
            pool.leave()
        if run is not None:
            self.last = run.status()

    def status(self) -> TrialStatus | None:
        """Return what people are told of the trial that runs, if one does."""
        run = self.run
        return None if run is None else run.status()

    def latest(self) -> TrialStatus | None:
        """Return the same of the one before, however it ended."""
        run = self._run
        return run.status() if run is not None and run.is_over else self.last


def _nothing_said(proposal: Proposal) -> TrialTerms:
    """Leave it to the trial itself."""
    del proposal
    return NOTHING_SAID


def _never(_: Proposal) -> bool:
    return False


def _nobody() -> None:
    """Share no trial, and make nothing again."""
    return


def _private() -> random.Random:
    """Return a generator that is seeded by the operating system, here and now."""
    return random.Random()

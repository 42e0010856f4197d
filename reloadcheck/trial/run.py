"""One trial: who gets the candidate, what became of each unit of work, and what follows from it.

Draws and counts in the threads that serve, under a lock for as long as counting takes; decides in
whatever thread asks. It reads one clock, and knows nothing of engines, stores or servers.

What it decides is said by `verdicts`.

Long because counting and deciding read the same few numbers, and are understood together.
"""

import hashlib
import math
import random
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from ..seams.repeats import Repeats, Request
from ..seams.trial import Counted, Verdict
from ..types import SignalStatus, TrialStatus
from .judge import Judge
from .options import Trial
from .side import Side
from .ticket import Ticket
from .verdicts import FAILED, MARKED, SHADOW, SLOW, Decision, by_hand, harmed, lost, undone
from .watch import Watch
from .weighing import weighed

if TYPE_CHECKING:
    from .shadow import Shadow

BASELINE_UNITS: Final = 500
"""How many units of what serves tell how long a unit takes."""

LEAST_BASELINE: Final = 20
"""Fewer say nothing about what is slow."""

TROUBLE_SHARE, TROUBLE_SECONDS = 0.2, 10.0
"""Where so many of both sides' units fail for so long, no trial can tell anything."""

LEAST_SLOW: Final = 0.001
"""Seconds; below, it is our own handling of a unit that differs between the two versions."""

UNDRAWN: Final = 0.0
"""The share of what could not fall on the candidate, as a websocket."""

POKE_SECONDS: Final = 0.1
"""Seconds between two times that it asks to be asked."""

MOST_KEYS: Final = 1000
"""Visitors of whom one worker remembers that they had a bad unit, for each signal."""

MOST_NAMES: Final = 100
"""Names of marks that have a coin of their own; further ones share that of `OTHERS`."""

OTHERS: Final = "others"

LONGEST_NAME: Final = 100

STATUSES: Final = range(100, 1000)
"""What an answer can have."""

FIRST_SECOND: Final = 1.0
"""Seconds in which a resource that was just built is not judged to be slow."""


class Run:
    """One trial of one candidate; its methods may be called in any thread.

    `version` is the candidate's, `before` what serves, `now` gives monotonic seconds. `signals` are
    names of marks that count as failures in the watch, too, and are shown from the beginning.
    `others` is what other workers counted; where it `is_shared`, each bad unit is told at once.
    """

    def __init__(
        self,
        trial: Trial,
        digest: str,
        versions: tuple[int, int],
        now: Callable[[], float],
        draw: random.Random,
        signals: Sequence[str] = (),
        repeats: Repeats | None = None,
    ) -> None:
        self.trial = trial
        self.bad = frozenset(filter(trial.is_bad, STATUSES))
        self._signals = frozenset(signals)
        self.digest = digest
        self.version, self.before = versions
        self.poke: Callable[[], None] = _nothing
        self.left: Callable[[], None] = _nothing
        self.is_over = False
        self.opened_at = now()
        self._last_share = trial.shares[-1]
        self._last_share_from = self.opened_at + trial.first * (len(trial.shares) - 1)
        self.promoted_at: float | None = None
        self.watch: Watch | None = None
        self._now = now
        self._random = draw.random
        self._salt = hashlib.blake2b(digest.encode(), digest_size=16).digest()  # as in all workers
        self._names = set[str]()
        self._judges = {f"{MARKED}: {name}": Judge() for name in signals}
        self._sides = (Side(), Side())
        self._open: dict[int, Ticket] = {}
        self._serial = count()
        self._lock = threading.RLock()  # a finalizer may end a unit in the midst of this
        self._keyed: dict[str, dict[str, tuple[bool, float]]] = {}
        self._first: tuple[int, str] | None = None
        self._times: deque[float] = deque(maxlen=BASELINE_UNITS)
        self._slow_after: float | None = None
        self._poked_at = -math.inf
        self._told: Decision | None = None
        self._promoted: Decision | None = None
        self._frozen = False
        self._ended: Decision | None = None
        self._ordered: Decision | None = None
        self._wanted: tuple[str, str | None] | None = None
        self.others: tuple[Counted, ...] = ()
        self.is_shared = False
        self._shadow: Shadow | None = None
        self._odd_share = UNDRAWN
        if trial.shadow and repeats is not None:
            from . import shadow  # which few trials need

            self._odd_share = shadow.SHARE
            shuffle = random.Random(draw.randbytes(16))
            self._shadow = shadow.Shadow(
                trial.shadow, trial.compare, repeats, now, shuffle, self._differs
            )

    # --------------------------------------------------------------- where units are served

    @property
    def share(self) -> float:
        """Return the candidate's present share."""
        if self.promoted_at is not None:
            return 1.0
        return self._share_at(self._now())

    def _share_at(self, now: float) -> float:
        """Return the share in force at a time, which a unit that begins then is judged by."""
        if now >= self._last_share_from:
            return self._last_share
        return self.trial.shares[int((now - self.opened_at) / self.trial.first)]

    def draw(self, scope: Mapping[str, Any]) -> Ticket:
        """Return the ticket of a request that begins: on whom it falls, at which share."""
        now, number = self._now(), next(self._serial)
        key = None if self.trial.sticky is None else self._key(scope)
        if self.promoted_at is not None:
            share, falls = 1.0, True
        else:
            share = self._share_at(now)
            drawn = self._random() if key is None else int.from_bytes(key, "big") / 2**64
            falls = drawn < share
        ticket = self._open[number] = Ticket(self, number, falls, share, now, key)
        if self._shadow is not None and self.promoted_at is None:
            ticket.request = self._shadow.wanted(scope)
        return ticket

    def begin(self, on_candidate: bool) -> Ticket:
        """Return the ticket of a unit of work that is not drawn, as a websocket is not."""
        return Ticket(self, next(self._serial), on_candidate, UNDRAWN, self._now())

    def over(self) -> None:
        """Take note that the engine draws nobody any more; nothing asks it to decide then."""
        self.is_over = True
        self.poke = _nothing
        self.left()

    def mark(self, name: str, ticket: Ticket) -> None:
        """Take note that the application itself found a unit of work bad."""
        if name in self._signals:
            self._count_failure(ticket)
        elif name[:LONGEST_NAME] in self._names or len(self._names) < MOST_NAMES:
            name = name[:LONGEST_NAME]
            self._names.add(name)
        else:
            name = OTHERS
        self._bad(f"{MARKED}: {name}", ticket, name)

    def fail(self, ticket: Ticket, what: str) -> None:
        """Take note that a unit of work failed."""
        self._count_failure(ticket)
        self._bad(FAILED, ticket, what)

    def repeat(self, request: Request) -> None:
        """Make a request again whose answer is sent, while it can tell something."""
        if self._shadow is not None and not self.is_over and self.promoted_at is None:
            self._shadow.offer(request)

    def _differs(self, on_candidate: bool) -> None:
        """Take note of a request that was answered otherwise by one of three."""
        if self.is_over or self.promoted_at is not None:
            return
        with self._lock:
            judge = self._judges.setdefault(SHADOW, Judge())
            judge.add(on_candidate, self._odd_share)
            guilty = judge.luck <= self.trial.luck
        if guilty or (self.is_shared and on_candidate):
            self._hurry()

    def _count_failure(self, ticket: Ticket) -> None:
        side = self._sides[ticket.on_candidate]
        watch = self.watch
        with self._lock:
            side.failed += 1
            if watch is not None and ticket.on_candidate:
                watch.fail(self._now())
        if watch is not None and watch.is_guilty:
            self._hurry()

    def explain(self, ticket: Ticket, what: str) -> None:
        """Take a better word for a failure that is counted."""
        if self._first is not None and self._first[0] == ticket.number:
            self._first = ticket.number, what

    def end(self, ticket: Ticket, failed: bool) -> None:
        """Take note of the end of a unit of work."""
        side, now = self._sides[ticket.on_candidate], self._now()
        drawn = ticket.share != UNDRAWN
        with self._lock:
            side.units += 1
            if drawn:
                side.note(now, failed)
        if not drawn:
            return
        self._open.pop(ticket.number, None)
        after = self._slow_after
        if after is None:
            if not ticket.on_candidate and not self._frozen:
                self._times.append(now - ticket.began)
        elif now - ticket.began > after:
            self._slow(ticket)

    def _bad(self, signal: str, ticket: Ticket, what: str) -> None:
        if self.promoted_at is not None:
            return
        if ticket.share == UNDRAWN:  # where it fell was no matter of chance
            return
        with self._lock:
            if ticket.key is None:
                judge = self._judges.setdefault(signal, Judge())
                judge.add(ticket.on_candidate, ticket.share)
            else:  # a visitor who always falls alike is no new evidence, on whatever worker
                keyed, key = self._keyed.setdefault(signal, {}), ticket.key.hex()
                if key in keyed or len(keyed) >= MOST_KEYS:
                    return
                keyed[key] = ticket.on_candidate, ticket.share
                judge = weighed([self.counted()])[signal]
            if ticket.on_candidate and self._first is None and signal != SLOW:
                self._first = ticket.number, what
            guilty = judge.luck <= self.trial.luck
        # What is one of few here may be the last straw for all; one on what serves never is.
        if guilty or (self.is_shared and ticket.on_candidate):
            self._hurry()

    def _hurry(self) -> None:
        """Make the engine ask at once, but no more often than each tenth of a second."""
        now = self._now()
        if now - self._poked_at >= POKE_SECONDS:
            self._poked_at = now
            self.poke()

    def _slow(self, ticket: Ticket) -> None:
        with self._lock:  # its end and its age may be seen at the same time
            if ticket.slow:
                return
            ticket.slow = True
        if ticket.on_candidate and ticket.began - self.opened_at < FIRST_SECOND:
            return
        self._bad(SLOW, ticket, "slow")

    def _key(self, scope: Mapping[str, Any]) -> bytes | None:
        """Return what a visitor is known by; None where nothing is, or the function raises."""
        if self.trial.sticky is None:
            return None
        try:
            key = self.trial.sticky(scope)
            told = b"" if key is None else repr(key).encode(errors="surrogatepass")
        except Exception:  # an application's own function must not break its request
            return None
        if key is None:
            return None
        return hashlib.blake2b(told, key=self._salt, digest_size=8).digest()

    # --------------------------------------------------------------------- who decides

    def decide(self) -> Decision:
        """Return what follows now."""
        if self._ended is None:
            decision = self._decided()
            if decision.word not in ("go on", "promote"):
                self._ended = decision
            return decision
        return self._ended

    def order(self, word: str, reason: str | None) -> None:
        """Let a person decide: `promote` or `undo`; the engine is poked."""
        self._wanted = word, reason
        self.poke()

    def hear(self, verdict: Verdict) -> None:
        """Take note of what was decided for all workers."""
        self._ordered = Decision(verdict.word, verdict.code, verdict.sentence)

    def lose(self, name: str) -> None:
        """Take note that a worker's process ended in the midst of it, which undoes at once."""
        self._ordered = lost(name, self.version, self.before)

    def counted(self) -> Counted:
        """Return what was counted here, for the others."""
        with self._lock:
            signals = {n: (j.bad, j.on_candidate, j.sums) for n, j in self._judges.items()}
            first = None if self._first is None else self._first[1]
            keyed = {name: dict(told) for name, told in self._keyed.items()}
            units, baseline = self._sides[True].units, self._sides[False].units
            return Counted(units, baseline, signals, keyed, first)

    def _of_all(self) -> dict[str, Judge]:
        """Return the judges of all workers together."""
        return weighed([self.counted(), *self.others])

    @property
    def _units(self) -> int:
        return self._sides[True].units + sum(one.units for one in self.others)

    @property
    def _baseline(self) -> int:
        return self._sides[False].units + sum(one.baseline for one in self.others)

    @property
    def unjudged(self) -> str | None:
        """Return what is said of a promotion that nothing is known for, None where it is judged."""
        promoted = self._promoted
        return promoted.sentence if promoted and promoted.code == "unjudged" else None

    def promote(self, decision: Decision) -> None:
        """Take note that the candidate serves everybody now, and why; the watch begins."""
        now = self._now()
        self._promoted = self._promoted or decision
        if self.promoted_at is None:
            failed = sum(side.failed for side in self._sides)
            self.watch = Watch(failed, now - self.opened_at, now)
            self.promoted_at = now

    def _decided(self) -> Decision:
        now, ordered, wanted = self._now(), self._ordered, self._wanted
        if wanted is not None:
            ordered, self._wanted = by_hand(*wanted, self.version, self.before), None
        if ordered is not None:
            self._ordered = None
            if ordered.word == "undo" or self.promoted_at is None:
                return ordered
            return Decision("settle")
        if self.promoted_at is not None:
            return self._watched(now)
        self._freeze(now)
        self._scan(now)
        for signal, judge in self._of_all().items():
            if judge.luck <= self.trial.luck and self._is_common(signal, judge):
                verdict = self._undone(signal, judge, now)
                if self.trial.act == "undo":
                    return verdict
                self._told = self._told or verdict
        failing = all(s.fails(now, TROUBLE_SECONDS) >= TROUBLE_SHARE for s in self._sides)
        if failing and now - self.opened_at >= TROUBLE_SECONDS:
            return Decision("trouble")
        return self._scheduled(now)

    def _scheduled(self, now: float) -> Decision:
        elapsed, units = now - self.opened_at, self._units
        if elapsed < self.trial.seconds:
            return Decision("go on")
        if units >= self.trial.units:
            done = f"promoted: version {self.version} after {elapsed:.1f} s"
            return Decision("promote", "", f"{done}: {units} units told nothing against it")
        if elapsed < self.trial.longest:
            return Decision("go on")
        sentence = f"unjudged ({units} of {self.trial.units})"
        if self.trial.unjudged == "promote":
            return Decision("promote", "unjudged", f"promoted, {sentence}")
        return Decision("undo", "unjudged", f"undone: version {self.version} stays {sentence}")

    def _watched(self, now: float) -> Decision:
        watch = self.watch
        if watch is not None and watch.is_guilty:
            verdict = harmed(watch, now, self.version, self.before)
            if self.trial.act == "undo":
                return verdict
            self._told = self._told or verdict
        if watch is None or now - watch.since >= self.trial.watch:
            return Decision("settle")
        return Decision("go on")

    def _undone(self, signal: str, judge: Judge, now: float) -> Decision:
        told = [one.first for one in (self.counted(), *self.others) if one.first]
        first = told[0] if told and signal != SLOW else None
        if signal == SHADOW:
            first = None if self._shadow is None else self._shadow.status().first
        return undone(
            signal, judge, now - self.opened_at, self.share, self.version, self.before, first
        )

    def _is_common(self, signal: str, judge: Judge) -> bool:
        """Say, of slow units, whether they are at least twice as common on the candidate."""
        if signal != SLOW:
            return True
        on, off = self._units or 1, self._baseline or 1
        return judge.on_candidate / on >= 2 * (judge.bad - judge.on_candidate) / off

    def _freeze(self, now: float) -> None:
        """Settle what is slow once enough of what serves was seen."""
        if self._frozen:
            return
        full = len(self._times) >= BASELINE_UNITS
        if full or now - self.opened_at >= self.trial.first:
            self._frozen = True
            times = sorted(self._times)
            if len(times) >= LEAST_BASELINE:
                slowest = times[int(len(times) * self.trial.slow)]
                self._slow_after = max(slowest, LEAST_SLOW)

    def _scan(self, now: float) -> None:
        """Count a unit as slow when its age passes the limit, not when it ends."""
        after = self._slow_after
        if after is None:
            return
        for ticket in list(self._open.values()):
            if not ticket.done and now - ticket.began > after:
                self._slow(ticket)

    def status(self) -> TrialStatus:
        """Return what people are told of it."""
        now = self._now()
        signals = tuple(
            SignalStatus(name, judge.on_candidate, judge.bad, judge.luck)
            for name, judge in sorted(self._of_all().items())
        )
        said = (self._ended, self._told, self._promoted)
        decision = next((one for one in said if one is not None and one.sentence), None)
        phase = "trying" if self.promoted_at is None else "watching"
        since = self.opened_at if self.promoted_at is None else self.promoted_at
        lasts = self.trial.seconds if self.promoted_at is None else self.trial.watch
        return TrialStatus(
            phase,
            self.digest,
            self.version,
            self.share,
            max(0.0, lasts - (now - since)),
            self._units,
            self._baseline,
            signals,
            None if decision is None else decision.sentence,
            None if self._shadow is None else self._shadow.status(),
            0 if phase == "watching" else max(0, self.trial.units - self._units),
        )


def _nothing() -> None:
    """Let nobody to ask."""

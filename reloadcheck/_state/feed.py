"""The feed around an engine's feed: what the sources hold, or a kept edition that is wanted.

A hold is served from what was kept, with the confidential sources and the environment as they are
now; parsing, validating and building know nothing of that.

Long because what is held, what is wanted and what is known of both make one decision.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from .._load.source_set import Keeping, SourceSet
from .._runtime.clock import Clock
from ..exceptions import SourceError, TornError
from ..seams.feed import Feed, Reading
from ..types import Code, Outcome, Problem, Source, Stamp
from .board import Hold, State
from .content import content_of, with_kept
from .decide import Decision, Situation, decide
from .fallback import Fallback, not_served
from .keeper import Keeper
from .ledger import entries_from, stands
from .missing_sources import Gap, around
from .this_worker import ThisWorker
from .why_held import remark_on

__all__ = ["StoreFeed"]

_FIRST_LOOK_SECONDS = 2.0

_LAGS_SECONDS = 120.0
"""Seconds after which a file that lagged at the start is believed: a volume's copy takes 90."""

_ALL = Hold("together")
"""Stands for what all serve, where this worker does not yet."""


class StoreFeed:
    """One engine's sources beside one store.

    `last` is the digest and content that was given last, `decision` why it was that, `order` what
    held then, `is_own` whether the sources gave it. With `guards_start` an edit that a contract has
    not been asked about is nothing to start with.
    """

    def __init__(self, feed: Feed, worker: ThisWorker, fallback: Fallback | None) -> None:
        self.last: tuple[str, str | None] | None = None
        self.decision = Decision(None)
        self.order: Hold | None = None
        self.guards_start = False
        self._feed, self._worker, self._fallback = feed, worker, fallback
        self._fallen: tuple[str, Reading] | None = None
        self._error: SourceError | None = None
        self._held: str | None = None
        self._content_read: str | None = None
        self.is_own = False
        self._boots_with_kept = False
        self._passed_over: str | None = None
        self._passed_at = 0.0
        self._unasked: tuple[str | None, str] | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the engine's sources."""
        return self._feed.sources

    @property
    def _keeper(self) -> Keeper:
        return self._worker.keeper

    @property
    def _clock(self) -> Clock:
        return self._worker.clock

    # ------------------------------------------------------------------ looking

    def look(self) -> tuple[Stamp, ...]:
        """Return the sources' stamps, the first of which tells of orders, too."""
        self._keeper.ensure()
        if self._worker.serving is None:
            # In half the patience, so that no disk seems to hang.
            patience = self._worker.options().patience
            self._keeper.first_look(min(patience / 2, _FIRST_LOOK_SECONDS))
        first, *rest = self._seen()
        return (Stamp((first.value, self._mark()), first.newest_ns), *rest)

    def _seen(self) -> tuple[Stamp, ...]:
        try:
            return self._feed.look()
        except TornError:
            raise
        except SourceError:
            if not self._wants_kept():
                raise
            return self._around.look()

    @cached_property
    def _around(self) -> SourceSet:
        return around(self._feed, self._clock.wall)

    def _wants_kept(self) -> bool:
        """Return whether something else is wanted than what the sources hold and what serves."""
        if self._fallback is not None and self._worker.falls_back:
            return not self._worker.is_fallen(self._worker.serving)
        wanted = self._decided(None)[0].serve
        return wanted not in (None, self._worker.serving) and self._kept(wanted) is not None

    def keep(self) -> None:
        """Let the sources keep what they gave last, if that is what went live."""
        if self.is_own and isinstance(self._feed, Keeping):
            self._feed.keep()

    def _mark(self) -> object:
        state, rounds = self._worker.state, self._worker.rounds
        if rounds is not None:
            wanted = state.target if rounds.is_behind(state) else None
            return (wanted, self._orders_mark(state))
        return self._orders_mark(state)

    def _orders_mark(self, state: State) -> object:
        if self._passed_over and self._clock.monotonic() - self._passed_at > _LAGS_SECONDS:
            self._passed_over, self._boots_with_kept = None, True
        booted = self._boots_with_kept and self._worker.serving is not None
        if state.hold is None and not state.banned and not booted:
            return None
        falls_back = self._worker.falls_back
        fallback = self._fallback.mark() if self._fallback and falls_back else None
        source = self._worker.source  # once it serves, what is wrong with the file is told
        return (state.hold, frozenset(state.banned), state.retries, booted, fallback, source)

    # ------------------------------------------------------------------ reading

    def read(self, stamps: Sequence[Stamp], max_bytes: int) -> Reading:
        """Read the sources; what is wrong with them waits for `choose` where it may not matter."""
        first, *rest = stamps
        value: Any = first.value
        inner = (Stamp(value[0], first.newest_ns), *rest)
        self._error = None
        try:
            reading = self._read(inner, max_bytes)
        except TornError:
            raise
        except SourceError as error:
            if not self._wants_kept():
                raise
            self._error = error
            reading = self._around.read(inner, max_bytes)
        fallen: tuple[str, Reading] | None = None
        if self._fallback is not None and self._worker.falls_back:
            fallen = self._fallback.laid(self.sources, reading, max_bytes)
            if fallen is not None:
                self._worker.learn_fallback(fallen[0])
        self._fallen = fallen
        return reading

    def choose(self, reading: Reading) -> Reading:
        """Return what was read or, where an order or a ban says so, an edition that was kept.

        What it means is parsed for that: so it is no part of reading, which a disk may hold up.
        """
        error = self._error
        content = None if error is not None else self._content(reading)
        self._worker.note_order(self._held)
        given = self._given(reading, content)
        self.is_own = given.documents is reading.documents
        if error is not None and self.is_own:
            raise error
        self._held = content
        self.last = (reading.digest, content)
        rounds = self._worker.rounds
        if rounds is not None:
            read, _ = self._worker.known(given.digest)
            self.last = (given.digest, read)
            # Where a contract has yet to be asked, the start is on what was accepted last, for all.
            guarded = self._worker.serving is None and self.decision.code == Outcome.WAITING
            rounds.read(read if guarded else content, read, given.digest)
        if error is not None or self._worker.state.hold is None or given.digest == reading.digest:
            return given
        return replace(given, beside=reading)

    def _read(self, stamps: Sequence[Stamp], max_bytes: int) -> Reading:
        gaps = [one.value.reason for one in stamps if isinstance(one.value, Gap)]
        if gaps:
            raise SourceError(*map(Problem, gaps))
        return self._feed.read(stamps, max_bytes)

    def _content(self, reading: Reading) -> str | None:
        if self._worker.knows(reading.digest):
            return self._worker.known(reading.digest)[0]
        content = content_of(self.sources, reading)
        self._worker.learn(reading, content)
        return content

    def _decided(self, content: str | None) -> tuple[Decision, Hold | None]:
        """Return what to serve, and the order that says so."""
        decision = self._guarded(content, self._decide(content))
        hold = self._worker.state.hold
        running = self._worker.serving is not None
        rounds = self._worker.rounds
        ahead = rounds is not None and rounds.is_behind(self._worker.state)
        if running and ahead and not self._worker.falls_back:
            # What all serve comes first.
            decision = replace(decision, serve=self._worker.state.target)
            hold = hold or _ALL
        return decision, hold

    def _kept(self, content: str | None) -> bytes | None:
        """Return the documents that were kept of a content."""
        wanted = str(content)
        return self._worker.own.get(wanted) or self._keeper.known.contents.get(wanted)

    def _older(self, reading: Reading, content: str | None) -> Reading | None:
        """Return the reading with what was kept of a content; None where that cannot be had."""
        data = self._kept(content)
        if data is None:
            return None
        try:
            older = with_kept(self.sources, reading, data)
        except ValueError:
            return None
        self._worker.learn(older, content)
        return older

    def _given(self, reading: Reading, content: str | None) -> Reading:
        decision, hold = self._decided(content)
        self.decision, self._content_read = decision, content
        self.order = self._worker.state.hold
        serving, rounds = self._worker.serving, self._worker.rounds
        running = serving is not None
        if decision.ends_hold and hold is not None and content == hold.content:
            self._keeper.orders.ends_hold = hold
        passed_over = content is not None and content == self._passed_over
        if running and decision.serve == serving and _is_told(decision, hold):
            older = self._older(reading, serving)
            rotated = older is not None and older.digest != self._worker.source
            return self._remarked(older if older and rotated else reading, decision)
        if running and hold is None and not passed_over and decision.serve == serving:
            return self._remarked(reading, decision)  # what is wrong with it is told as ever
        if decision.serve in (None, content):
            return self._remarked(reading, decision)
        if self._fallen is not None and decision.serve == self._fallen[0]:
            self._worker.learn(self._fallen[1], decision.serve)
            return self._remarked(self._fallen[1], decision)
        older = self._older(reading, decision.serve)
        if older is None:
            return reading
        if not running:
            beside_others = hold is None and decision.code is None
            stale = beside_others and rounds is None and self._worker.was_live(content)
            self._boots_with_kept = not (beside_others if rounds is not None else stale)
            self._passed_over = content if stale else None
            self._passed_at = self._clock.monotonic()
        return self._remarked(older, decision)

    def _decide(self, content: str | None) -> Decision:
        view, state = self._keeper.known.view, self._worker.state
        serving = self._worker.serving
        if content is not None and content == self._passed_over and state.hold is None:
            return Decision(serving)  # what it held at the start, beside others who had more
        self._passed_over = None if serving is not None else self._passed_over
        fallback = None if self._fallen is None else self._fallen[0]
        kept = self._keeper.known.contents.keys() | self._worker.own.keys() | {fallback or ""}
        together = self._worker.rounds is not None
        others = view is not None and any(
            (together or one.content == state.target) and name != self._keeper.id
            for name, one in view.members.items()
        )
        others = others or (view is not None and view.crowd > 0)
        if together and serving is None and view is not None and state.hold is None:
            state = replace(state, active=view.served_beside(self._keeper.id) or state.active)
        return decide(
            Situation(
                content,
                serving,
                None if view is None else state,
                frozenset(kept),
                others,
                self._worker.options().boot == "last-good",
                fallback,
            )
        )

    def _guarded(self, content: str | None, decision: Decision) -> Decision:
        """Start with what was accepted last where nothing is to go live, or may not yet.

        So that an edit made while nothing ran waits for its window, its leave or the thaw, too.
        """
        active, view = self._worker.state.active, self._keeper.known.view
        frozen = self._worker.is_frozen
        if self._worker.serving is not None or not (frozen or self.guards_start):
            return decision
        if view is None:
            return replace(decision, unasked=True)
        news = content is not None and content != active
        if active is None or not news or decision.serve != content:
            return decision
        if not frozen and stands(entries_from(view.entries), str(content)):
            return decision
        if active not in self._keeper.known.contents:
            return replace(decision, unasked=True)
        return Decision(active, str(Outcome.WAITING))

    def _remarked(self, reading: Reading, decision: Decision) -> Reading:
        """Say beside it why something else serves than what was read, or that nobody was asked."""
        state = self._worker.state
        fallen = self._fallen is not None and decision.serve == self._fallen[0]
        if self._worker.falls_back and decision.behind:
            remark: str | None = not_served(self._fallback, state.hold)
        else:
            remark = remark_on(decision, state, self._content_read, fallen=fallen)
        if decision.unasked and remark is not None:
            self._unasked = self._content_read, remark
        elif self._unasked is not None and self._unasked[0] == self._content_read:
            remark = remark or self._unasked[1]
        else:
            self._unasked = None
        return reading if remark is None else replace(reading, remarks=(*reading.remarks, remark))


def _is_told(decision: Decision, hold: Hold | None) -> bool:
    """Return whether the sources are refused, beside what serves anyway and takes up secrets."""
    if hold is None:
        return decision.code == Code.BANNED
    return hold.kind == "rollback" and decision.code == Code.CONFIG

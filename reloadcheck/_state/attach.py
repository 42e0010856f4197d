"""Puts a store beside an engine: a feed around its feed, a gate, and a listener.

The engine knows none of it. A hold is served from what was kept, with the confidential sources and
the environment as they are now; parsing, validating and building know nothing of that.

Long because what a store says reaches an engine by all three seams, and they share what they know.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from .._observe.events import ReloadEvent
from .._observe.identity import Identity, identity
from .._runtime.clock import Clock
from .._runtime.log import WARNING, log
from ..exceptions import UsageError
from ..seams import (
    GO,
    Answer,
    Feed,
    Loaded,
    Proposal,
    Reading,
    Reject,
    StoreStatus,
    Together,
    Wait,
)
from ..types import (
    Code,
    Diff,
    Outcome,
    Problem,
    Source,
    Stamp,
    Store,
    Trigger,
    key_path_text,
)
from . import orders
from .barrier import Barrier
from .beside import Beside
from .board import Ban, Hold, Member, State, prefix_of
from .content import content_of, kept_tree, layers_of, looks_secret, packed, with_kept
from .decide import Decision, Situation, decide
from .fallback import Fallback
from .fleet import Fleet, fleet_in
from .keeper import Fact, Keeper
from .ledger import Entry, entries_from, served_before, stands
from .pool import Pool
from .rounds import Failure, Offer, Rounds
from .together import Vote
from .votes import round_in

__all__ = ["Memory", "attach"]

_KNOWN_READINGS = 8
_FIRST_LOOK_SECONDS = 2.0
_SHOWN = 20

_LAGS_SECONDS = 120.0
"""Seconds after which a file that lagged at the start is believed: a volume's copy takes 90."""

_FALLEN = "the fall-back serves"

_ORDERED = {"pin": Code.PINNED, "rollback": Code.BANNED, "fallback": Code.FALLBACK}

_ALL = Hold("together")
"""Stands for what all serve, where this worker does not yet."""

_OF_ALL = frozenset({Code.REFUSED, Code.BANNED, Code.PINNED})
"""Rejections that are no fault found here, but what all have decided or somebody has ordered."""

_MAY_TURN = frozenset({Code.FACTORY, Code.PROBE, Code.TIMEOUT, Code.RESOURCE, Code.INTERNAL})
"""Rejections that are tried again by themselves."""


class Options(Protocol):
    """What of an engine's options a store has to know."""

    @property
    def app(self) -> str | None:
        """The application's name."""
        ...

    @property
    def release(self) -> str | None:
        """The group of workers that are together."""
        ...

    @property
    def boot(self) -> str:
        """What to start with where the sources are bad: `file` or `last-good`."""
        ...

    @property
    def together(self) -> Together | None:
        """How many of the workers must have an edit ready, None where each goes by itself."""
        ...

    @property
    def window(self) -> float:
        """Seconds between two looks."""
        ...

    @property
    def patience(self) -> float:
        """Seconds that a request may wait."""
        ...

    @property
    def secrets(self) -> Collection[str]:
        """Names of keys that are secret, too."""
        ...

    @property
    def public(self) -> Collection[str]:
        """Names of keys that are not."""
        ...


class Memory:
    """What one engine and its store have to do with each other; is feed, gate and listener."""

    name = "store"
    seconds = 10.0

    def __init__(
        self,
        feed: Feed,
        store: Store,
        *,
        options: Callable[[], Options],
        clock: Clock,
        notify: Callable[[bool], None],
        fallback: Source | None = None,
    ) -> None:
        self._options = options
        self._fallback = None if fallback is None else Fallback(fallback)
        self._fallen: tuple[str, Reading] | None = None
        self._fell: set[str] = set()
        self._feed = feed
        self._clock = clock
        self._notify = notify
        self._contents: dict[str, tuple[str | None, Reading]] = {}
        self._serving: str | None = None
        self._last: tuple[str, str | None] | None = None
        self._held: str | None = None
        self._ordered: tuple[Hold, str | None] | None = None
        self._over: Hold | None = None
        self._remark: str | None = None
        self._own: dict[str, bytes] = {}
        self._boots_with_kept = False
        self._passed_over: str | None = None
        self._passed_at = 0.0
        self._unpublished = False
        self._before: str | None = None
        self._swapping: dict[str, str] = {}
        self._retried_at: int | None = None
        self._decision = Decision(None)
        self._member = Member()
        self._started = time.time()
        self.guards_start = False
        self.keeper = Keeper(
            store,
            lambda: prefix_of(self._who.application, options().release),
            lambda: self._member,
            notify=notify,
            begun=self._begun,
            window=lambda: options().window,
            clock=clock,
        )

        self.beside = Beside(self.keeper, self._content_by, lambda: self._serving, self._written_by)

    def _begun(self) -> Rounds | None:
        """Begin anew in this process."""
        self._started = self._clock.wall()
        together = self._options().together
        if together is None:
            return None
        return Rounds(together, self.keeper.store, self._clock, self._record, self._notify)

    @property
    def _rounds(self) -> Rounds | None:
        return self.keeper.rounds

    # ------------------------------------------------------------------ the feed

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the engine's sources."""
        return self._feed.sources

    def look(self) -> tuple[Stamp, ...]:
        """Return the sources' stamps, the first of which tells of orders, too."""
        self.keeper.ensure()
        if self._serving is None:
            # In half the patience, so that no disk seems to hang.
            self.keeper.first_look(min(self._options().patience / 2, _FIRST_LOOK_SECONDS))
        first, *rest = self._feed.look()
        return (Stamp((first.value, self._mark()), first.newest_ns), *rest)

    def read(self, stamps: Sequence[Stamp], max_bytes: int) -> Reading:
        """Read the sources; where an order or a ban says so, an edition that was kept instead."""
        first, *rest = stamps
        value: Any = first.value
        inner = (Stamp(value[0], first.newest_ns), *rest)
        reading = self._feed.read(inner, max_bytes)
        content = self._content(reading)
        fallen: tuple[str, Reading] | None = None
        if self._fallback is not None and self._falls_back:
            fallen = self._fallback.laid(self.sources, reading, max_bytes)
            self._fell.update(() if fallen is None else fallen[:1])
        self._fallen = fallen
        self._note_order()
        given = self._given(reading, content)
        rounds, self._held = self._rounds, content
        self._last = (reading.digest, content)
        if rounds is not None:
            read, _ = self._contents.get(given.digest, (None, None))
            self._last = (given.digest, read)
            rounds.read(content, read, given.digest)
        return given

    def _note_order(self) -> None:
        """Ban with a roll-back what the sources held here when it came: it ends by other content.

        The order itself bans what its giver could know of: this edit may have been read since.
        """
        view, held = self.keeper.known.view, self._held
        hold = None if view is None else view.state.hold
        if hold is None or hold.kind != "rollback":
            self._ordered = None
        elif self._ordered is None or self._ordered[0] != hold:
            news = held not in (None, hold.content, self._serving) and not self._was_live(held)
            self._ordered = hold, held if news and self._serving is not None else None
            if self._ordered[1] is not None:
                self.keeper.bans = hold, self._ordered[1]
        elif view is not None and self._ordered[1] in view.state.banned:
            self._ordered = hold, None  # from here on the store says so, or `unban` does not

    def _given(self, reading: Reading, content: str | None) -> Reading:
        decision = self._decision = self._guarded(content, self._decide(content))
        hold = self._state.hold
        if decision.ends_hold and hold is not None and content == hold.content:
            self.keeper.ends_hold = hold
        running = self._serving is not None
        rounds = self._rounds
        ahead = rounds is not None and rounds.is_behind(self._state)
        if running and ahead and not self._falls_back:
            decision = replace(decision, serve=self._state.target)  # what all serve comes first
            hold = hold or _ALL
        passed_over = content is not None and content == self._passed_over
        if running and hold is None and not passed_over:
            return self._remarked(reading, decision)  # what is wrong with it is told as ever
        if decision.serve in (None, content):
            return self._remarked(reading, decision)
        if self._fallen is not None and decision.serve == self._fallen[0]:
            self._know(self._fallen[1], decision.serve)
            return self._remarked(self._fallen[1], decision)
        data = self.keeper.known.contents.get(str(decision.serve)) or self._own.get(
            str(decision.serve)
        )
        if data is None:
            return reading
        if not running:
            beside_others = hold is None and decision.code is None
            stale = beside_others and rounds is None and self._was_live(content)
            self._boots_with_kept = not (beside_others if rounds is not None else stale)
            self._passed_over = content if stale else None
            self._passed_at = self._clock.monotonic()
        try:
            older = with_kept(self.sources, reading, data)
        except ValueError:
            return reading
        self._know(older, decision.serve)
        return self._remarked(older, decision)

    def _guarded(self, content: str | None, decision: Decision) -> Decision:
        """Start with what was accepted last where a contract has not been asked about the edit.

        So that an edit made while nothing ran waits for its window and its leave, too.
        """
        active, view = self._state.active, self.keeper.known.view
        if self._serving is not None or not self.guards_start or view is None:
            return decision
        news = content is not None and content != active
        if not news or decision.serve != content or active not in self.keeper.known.contents:
            return decision
        if stands(entries_from(view.entries), str(content)):
            return decision
        return Decision(active, str(Outcome.WAITING))

    def _content_by(self, digest: str) -> str | None:
        return self._contents.get(digest, (None, None))[0]

    def _written_by(self, digest: str) -> Mapping[str, Any]:
        found = self._contents.get(digest)
        return {} if found is None else kept_tree(self.sources, found[1])

    def _was_live(self, content: str | None) -> bool:
        """Return whether it may be the others' past: a file that lags, which they have not."""
        view = self.keeper.known.view
        entries = () if view is None else entries_from(view.entries)
        return content is not None and served_before(entries, content) is not None

    @property
    def _falls_back(self) -> bool:
        hold = self._state.hold
        return hold is not None and hold.kind == "fallback"

    def _mark(self) -> object:
        state, rounds = self._state, self._rounds
        if rounds is not None:
            wanted = state.target if rounds.is_behind(state) else None
            return (wanted, self._orders_mark(state))
        return self._orders_mark(state)

    def _orders_mark(self, state: State) -> object:
        if self._passed_over and self._clock.monotonic() - self._passed_at > _LAGS_SECONDS:
            self._passed_over, self._boots_with_kept = None, True
        booted = self._boots_with_kept and self._serving is not None
        if state.hold is None and not state.banned and not booted:
            return None
        fallback = self._fallback.mark() if self._fallback and self._falls_back else None
        return (state.hold, frozenset(state.banned), state.retries, booted, fallback)

    @property
    def _state(self) -> State:
        view = self.keeper.known.view
        if view is None:
            return State()
        state = view.state
        if state.retries == self._retried_at:
            state = replace(state, banned=orders.without_undone(state.banned))
        ended = state.hold is not None and state.hold == self._over
        if ended and self._serving not in state.banned:
            return replace(state, hold=None)  # other content ended it, which is yet to be told
        hold, held = self._ordered or (None, None)
        if hold is None or held is None or hold != state.hold or held in state.banned:
            return state
        ban = Ban(None, hold.by, hold.at, hold.why)  # until it stands in the store
        return replace(state, banned={**state.banned, held: ban})

    def _content(self, reading: Reading) -> str | None:
        known = self._contents.get(reading.digest)
        if known is not None:
            return known[0]
        content = content_of(self.sources, reading)
        self._know(reading, content)
        return content

    def _know(self, reading: Reading, content: str | None) -> None:
        self._contents.pop(reading.digest, None)
        self._contents[reading.digest] = (content, reading)
        while len(self._contents) > _KNOWN_READINGS:
            self._contents.pop(next(iter(self._contents)))

    def _decide(self, content: str | None) -> Decision:
        view, state = self.keeper.known.view, self._state
        if content is not None and content == self._passed_over and state.hold is None:
            return Decision(self._serving)  # what it held at the start, beside others who had more
        self._passed_over = None if self._serving is not None else self._passed_over
        fallback = None if self._fallen is None else self._fallen[0]
        kept = self.keeper.known.contents.keys() | self._own.keys() | {fallback or ""}
        together = self._rounds is not None
        others = view is not None and any(
            (together or one.content == state.target) and name != self.keeper.id
            for name, one in view.members.items()
        )
        return decide(
            Situation(
                content,
                self._serving,
                None if view is None else state,
                frozenset(kept),
                others,
                self._options().boot == "last-good",
                fallback,
            )
        )

    def _remarked(self, reading: Reading, decision: Decision) -> Reading:
        """Say beside it why what serves is not what the sources hold."""
        hold = self._state.hold
        self._remark = None
        fallen = self._fallen is not None and decision.serve == self._fallen[0]
        held = hold is not None and decision.serve == hold.content
        if hold is not None and not decision.ends_hold and (held or fallen):
            who = f" by {hold.by}" if hold.by else ""
            why = f" ({hold.why})" if hold.why else ""
            words = "rolled back" if hold.kind == "rollback" else "pinned"
            pending = "; what the sources hold is not served" if decision.pending else ""
            order = f"{words} to edition {hold.edition}" if held and not fallen else _FALLEN
            self._remark = f"{order}{who}{why}{pending}"
        elif self._falls_back and decision.behind:
            self._remark = self._no_fallback()
        elif decision.serve is not None and decision.code in (Code.BANNED, Code.BOOTED_LAST_GOOD):
            self._remark = "the last accepted edition serves: what the sources hold cannot"
        return reading if self._remark is None else _with_remark(reading, self._remark)

    # ------------------------------------------------------------------ the gate

    def may(self, proposal: Proposal) -> Answer:
        """Refuse what is banned, and hold everything but orders back while frozen."""
        content, _ = self._contents.get(proposal.new.source_digest, (None, None))
        state = self._state
        if self._decision.behind and proposal.old is None and state.hold is not None:
            hold = state.hold
            if hold.kind == "fallback":
                return Reject((Problem(self._no_fallback()),), Code.FALLBACK)
            words = (
                f"edition {hold.edition} is held by {hold.by or 'an order'} and is not kept here"
            )
            return Reject((Problem(words),), Code.PINNED)
        if content is not None and content in state.banned:
            ban = state.banned[content]
            who = f" by {ban.by}" if ban.by else ""
            why = f": {ban.why}" if ban.why else ""
            when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(ban.at))
            if ban.cause == "undone":
                reason = f"this content was taken back at {when}{why}"
                return Reject((Problem(reason),), Code.UNDONE_BEFORE)
            what = "this content" if ban.edition is None else f"edition {ban.edition}"
            reason = f"{what} was banned{who} at {when}{why}"
            return Reject((Problem(reason),), Code.BANNED)
        freeze = state.freeze
        now = self._clock.wall()
        if freeze is None or (freeze.until is not None and freeze.until <= now):
            barrier = None if self._is_fallen(content) else self._barrier
            first = proposal.old is None
            return GO if barrier is None else barrier.may(content, first=first)
        if proposal.old is None or content == state.target or self._is_fallen(content):
            return GO
        who = f" by {freeze.by}" if freeze.by else ""
        why = f": {freeze.why}" if freeze.why else ""
        return Wait(Code.FROZEN, f"edits are frozen{who}{why}", freeze.until, look=1.0)

    def _is_fallen(self, content: str | None) -> bool:
        """Return whether it is the fall-back's content, which is not voted on."""
        return self._falls_back and content in self._fell

    def now(self, proposal: Proposal) -> Answer:
        """Let through what was built, and remember of which reading it is."""
        source = proposal.new.source_digest
        self._swapping = {proposal.new.digest: source}
        content, reading = self._contents.get(source, (None, None))
        barrier = self._barrier
        if barrier is None or content is None or reading is None or self._is_fallen(content):
            return GO
        offer = barrier.rounds.offer
        if offer is None or offer.entry.source != source:
            offer = self._offer(proposal, content, reading)
        return barrier.now(offer, first=proposal.old is None)

    def _no_fallback(self) -> str:
        """Say why the fall-back that is ordered does not serve here."""
        hold = self._state.hold
        who = f" by {hold.by}" if hold is not None and hold.by else ""
        why = "this application names none: fallback=…"
        if self._fallback is not None:
            why = self._fallback.error or "it cannot be had"
        return f"the fall-back is on{who}, and is not served here: {why}"

    @property
    def _barrier(self) -> Barrier | None:
        rounds = self._rounds
        return None if rounds is None else Barrier(rounds, self.keeper)

    def _offer(self, proposal: Proposal, content: str, reading: Reading) -> Offer:
        """Return what others would need of an edit, and its row, should it go live."""
        documents = self._publishable(reading, packed(self.sources, reading))
        entry = self._entry(
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
                layers=layers_of(self.sources, reading, content),
                seconds={phase.name: round(phase.seconds, 4) for phase in proposal.phases},
                actor=proposal.actor,
                why=proposal.reason,
            ),
            documents,
        )

    def _entry(
        self,
        changes: Diff,
        trigger: Trigger,
        *,
        outcome: Outcome,
        at: float,
        content: str | None,
        source: str,
        first: bool,
    ) -> Entry:
        paths = [*changes.changed, *changes.added, *changes.removed]
        return Entry(
            None,
            str(outcome),
            at,
            content,
            source,
            cause="start" if first else "file",
            trigger=trigger.kind,
            trace=trigger.link if isinstance(trigger.link, str) else None,
            member=self.keeper.id,
            changed=tuple(key_path_text(path) for path in paths[:_SHOWN]),
            changes=len(paths),
            release=self._options().release,
        )

    def served(self, loaded: Loaded[Any]) -> bool:
        """Return whether it served and was not undone since, or is what an order wants."""
        return self.beside.served(loaded.source_digest)

    def is_news(self, proposal: Proposal) -> bool:
        """Return whether an edit is in the history for one reason: all have just decided on it."""
        content, _ = self._contents.get(proposal.new.source_digest, (None, None))
        rounds, view = self._rounds, self.keeper.known.view
        if rounds is None or view is None or content is None or view.state.hold is not None:
            return False
        offer, state = rounds.offer, view.state
        if offer is None or not (offer.content == content == state.active):
            return False
        before = [one for one in entries_from(view.entries) if one.edition != state.edition]
        return not stands(before, content)

    # ------------------------------------------------------------------ the listener

    def hear(self, event: ReloadEvent) -> None:
        """Write down what happened; runs in a call thread."""
        source, content = self._last or ("", None)
        reading = None
        if event.outcome is Outcome.RELOADED:
            source, content, reading = self._swapped(event.digest)
        entry = replace(
            self._entry(
                event.diff,
                event.trigger,
                outcome=event.outcome,
                at=event.at,
                content=content,
                source=source,
                first=event.first,
            ),
            code=event.code,
            error=None if event.error is None else str(event.error),
            seconds={name: round(seconds, 4) for name, seconds in event.seconds},
            actor=event.actor,
            why=event.reason,
            override=event.is_override,
            release=self._options().release,
        )
        self._tell_rounds(entry)
        if event.outcome is Outcome.UNDONE and content == self._serving:
            self._serving = self._before  # it had been promoted
        documents = None
        if reading is not None:
            documents = self._own.get(content or "") or packed(self.sources, reading)
            documents = self._publishable(reading, documents)
            layers = layers_of(self.sources, reading, content)
            entry = replace(entry, size=len(documents or b""), layers=layers)
        self._member = self._member_after(event, entry)
        if event.outcome is Outcome.UNCHANGED or entry.code == Code.WAITING:
            return
        fallen = event.outcome is Outcome.RELOADED and content in self._fell
        self.keeper.note(Fact(entry, documents, first=event.first, fallback=fallen))

    def _publishable(self, reading: Reading, documents: bytes) -> bytes | None:
        """Return what the store is to keep: nothing that looks secret, where it is asked so."""
        options = self._options()
        kept = self.keeper.store.retention.content
        if kept is not None:
            return documents if kept else None
        if not looks_secret(self.sources, reading, options.secrets, options.public):
            return documents
        if not self._unpublished:
            self._unpublished = True
            words = "something in the configuration looks secret: %s keeps no content of it"
            log(WARNING, words, self.keeper.store.name, code=str(Code.STORE))
        return None

    def _tell_rounds(self, entry: Entry) -> None:
        """Let the others know what came of an edit here."""
        rounds, content = self._rounds, entry.content
        if rounds is None or content is None:
            return
        if entry.outcome == Outcome.RELOADED:
            rounds.swapped(content)
        elif entry.outcome == Outcome.REJECTED and entry.code not in _OF_ALL:
            turns = entry.code in _MAY_TURN
            vote = Vote.FAILED if turns else Vote.FAILED_FOR_GOOD
            rounds.failed(content, Failure(vote, entry.code, entry.error))
        self.keeper.wake()

    def _swapped(self, digest: str | None) -> tuple[str, str | None, Reading | None]:
        """Return the source digest, content and documents of what was swapped in."""
        source = self._swapping.get(digest or "", "")
        content, reading = self._contents.get(source, (None, None))
        hold = self._state.hold
        if hold is not None and hold.kind == "rollback" and content not in (None, hold.content):
            self._over = hold
        self._before, self._serving = self._serving, content
        if reading is not None and content is not None:
            self._own = {content: packed(self.sources, reading)}
        return source, content, reading

    @property
    def application(self) -> str:
        """The application's name in the store."""
        return self._who.application

    @property
    def _who(self) -> Identity:
        return identity(self._options().app)

    def _record(self) -> Member:
        """Return this worker's record, also before it has served anything."""
        who = self._who
        return replace(
            self._member,
            host=who.host,
            pid=who.pid,
            worker=who.worker or "",
            app=who.application,
            release=self._options().release or "",
            started=self._started,
        )

    def _member_after(self, event: ReloadEvent, entry: Entry) -> Member:
        swapped = event.outcome is Outcome.RELOADED
        member = replace(
            self._record(),
            content=self._serving,
            digest=event.digest,
            version=event.version,
            outcome=str(event.outcome),
            code=entry.code,
            error=entry.error,
            since=event.at,
            pending=entry.content if event.outcome in _PENDING else None,
        )
        return replace(member, layers=entry.layers) if swapped else member

    # ------------------------------------------------------------------ the companion

    def trial_pool(self) -> Pool:
        """Return what the workers share a trial by, in this process."""
        return self.keeper.pool

    def close(self) -> None:
        """Leave the board; the engine has ended."""
        self._serving = None
        self.keeper.close()

    def retry(self) -> None:
        """Let what was undone be tried again: at once here, elsewhere when the store says so."""
        view = self.keeper.known.view
        self._retried_at = None if view is None else view.state.retries
        self.keeper.retry()

    def status(self) -> StoreStatus:
        """Return what people are told of the store."""
        known, state, rounds = self.keeper.known, self._state, self._rounds
        together = self._options().together
        hold = None if state.hold is None else state.hold.kind
        code = Code.STORE if known.error is not None else None
        tally = self.keeper.tally
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
        )

    def _order(self, state: State) -> str | None:
        """Return the code of the order that is in force."""
        freeze = state.freeze
        if state.hold is not None:
            return _ORDERED.get(state.hold.kind)
        now = self._clock.wall()
        frozen = freeze is not None and (freeze.until is None or freeze.until > now)
        return Code.FROZEN if frozen else None

    def _in_step(self) -> bool | None:
        if self.keeper.known.view is None or self._serving is None:
            return None
        return self._state.target in (None, self._serving)

    def fleet(self, now: float) -> Fleet | None:
        """Return all workers as the store was read last; never asks it. None before a first look.

        `now` is in epoch seconds.
        """
        view = self.keeper.known.view
        if view is None:
            return None
        release = self._options().release or ""
        return fleet_in(view, now, app=self.application, release=release)


_PENDING = frozenset({Outcome.WAITING, Outcome.TRYING})
"""What a roll-back bans, too: it would go live a moment later otherwise."""


def _with_remark(reading: Reading, remark: str) -> Reading:
    return replace(reading, remarks=(*reading.remarks, remark))


def attach(engine: Any, store: Store, fallback: Source | None = None) -> Memory:
    """Put a store beside an engine that has not started; `fallback` is served when ordered."""

    def notify(anew: bool) -> None:
        thread = engine.thread
        if thread is not None and not thread.closing:
            if anew:
                thread.reload.forgets = True
            wish, memory.keeper.wish = memory.keeper.wish, None
            if wish is not None:
                with suppress(UsageError):  # this worker tries nothing
                    engine.ended(wish.word, wish.why)
            thread.admission.ask(eager=False)

    memory = Memory(
        engine.feed,
        store,
        options=lambda: engine.options,
        clock=engine.clock,
        notify=notify,
        fallback=fallback,
    )
    engine.feed = memory
    engine.gates.append(memory)
    engine.listeners.add(memory.hear)
    engine.companion = memory
    return memory

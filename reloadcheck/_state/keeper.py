"""The store thread: looks at the board, writes down what happened, keeps this worker a member.

Nobody waits for it: what it has to write waits in a queue, what it has read is one value that
others look at. A store that is away stops nothing; it is told, and found again.

Long because one thread does all of it, in an order that is to be read from top to bottom.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from .._runtime.clock import Clock
from .._runtime.log import WARNING, log
from ..exceptions import StoreError, StoreRefusedError, StoreUnsureError
from ..types import Code, Store
from . import orders
from .bans import without_passing
from .board import MEMBERS, SEEN, STATE, Ban, Freeze, Hold, Member, State, View, Wish
from .identity import here, member_id
from .in_step import InStep
from .ledger import Entry, activated, dropped, editions_of, entries_from, served_before
from .mirror import Mirror, mirror_of
from .orders import Actor
from .outlook import Outlook
from .pool import Pool
from .rounds import Rounds
from .tally import Tally

__all__ = ["Fact", "Keeper", "Known"]

INFO, ERROR = 20, 40
LIMIT = 100
"""How many facts wait for a store that is away, before the oldest are dropped."""

BEAT_SECONDS = 5.0
LOST_SECONDS = 3600.0
"""How long who vanished without a farewell is named among the lost."""
TELL_SECONDS = 60.0
"""Seconds after which a record is written anew for the time in step alone."""

_TRIES = 20

_JUDGED = frozenset(
    {
        Code.UNDONE_FAILED,
        Code.UNDONE_SLOW,
        Code.UNDONE_MARKED,
        Code.UNDONE_BY_HAND,
        Code.WORKER_LOST,
        Code.WATCH,
        Code.UNJUDGED,
    }
)
"""Ends of a trial that are verdicts; others leave no ban."""

_AT_ONCE = 100
"""How many records go in one put: etcd takes 128."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened here: an entry, and with an activation what to keep of it.

    `fallback`: it is the fall-back that was ordered.
    """

    entry: Entry
    documents: bytes | None = None
    first: bool = False
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What was read last; `view` is None where nothing ever was. `error` while the store is away.

    `since` is when that began, in epoch seconds. `contents` are what was kept of what is wanted.
    """

    view: View | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    error: str | None = None
    since: float | None = None


_Orders: TypeAlias = tuple[Hold | None, frozenset[str], Freeze | None, int, str | None, Wish | None]


class Keeper:
    """One worker's dealings with one store.

    `notify` hears of orders that changed, and whether what was refused is to be judged anew.
    `rounds` is its part in deciding together, where workers do; `begun`, called in each process
    anew, makes it. `member` gives this worker's record. All but `note` and `known` belong to the
    store thread.
    """

    def __init__(
        self,
        store: Store,
        prefix: Callable[[], str],
        member: Callable[[], Member],
        *,
        notify: Callable[[bool], None] = lambda anew: None,
        begun: Callable[[], Rounds | None] = lambda: None,
        window: Callable[[], float] = lambda: 1.0,
        clock: Clock,
    ) -> None:
        self.store = store
        self.prefix = ""
        self._prefix = prefix
        self.known = Known()
        self.edition: int | None = None
        self.ends_hold: Hold | None = None
        self.bans: tuple[Hold, str] | None = None
        self.wish: Wish | None = None
        self._retries = False
        self._member = member
        self._notify = notify
        self._begun = begun
        self._window = window
        self._clock = clock
        self._made_for(0)

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._id = "" if pid == 0 else member_id()
        self._facts: deque[Fact] = deque()
        self._to_write: deque[Mapping[str, str | None]] = deque(maxlen=LIMIT)
        self._lost_facts = 0
        self._outlook = Outlook((here(),))
        self._told: Member | None = None
        self._started_at: int | None = None
        self._beaten = -1e9
        self._missing: dict[str, float] = {}
        self.tally = Tally()
        self._orders: _Orders | None = None
        self._looked = threading.Event()
        self._in_step = InStep()
        self._told_at = 0.0
        self.rounds: Rounds | None = None
        self.pool = Pool(
            self.store, self.wake, lambda: self._notify(False), lambda: self._view.revision
        )
        self._mirror: Mirror | None = None
        self._own: dict[str, bytes] = {}
        self._closing = False
        self._thread: threading.Thread | None = None
        self.edition = None

    @property
    def id(self) -> str:
        """Return this worker's name on the board; none before it was there."""
        return self._id

    # ------------------------------------------------------------------ from other threads

    def ensure(self) -> None:
        """Let the thread run in this process, a forked one too."""
        if self._pid == os.getpid() and self._thread is not None and self._thread.is_alive():
            return
        self.begin()
        self._thread = threading.Thread(target=self._run, name="reloadcheck-store", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Begin anew in this process, under a name of its own."""
        self._made_for(os.getpid())
        self.prefix = self._prefix()
        self._mirror = mirror_of(self.store, self.prefix)
        mirrored = None if self._mirror is None or self.known.view else self._mirror.load()
        if mirrored is not None:
            self.known = replace(
                self.known, view=View(state=mirrored.state), contents=mirrored.contents
            )
            self._orders = _orders_of(mirrored.state)
        self.rounds = self._begun()

    def first_look(self, seconds: float) -> bool:
        """Wait until the store was tried for the first time; blocks at most `seconds`."""
        return self._looked.wait(seconds)

    def note(self, fact: Fact) -> None:
        """Write something down; the oldest that waits is dropped beyond a hundred."""
        self._facts.append(fact)
        while len(self._facts) > LIMIT:
            self._facts.popleft()
            self._lost_facts += 1
        self.wake()

    def records(self, lead: str) -> Mapping[str, str]:
        """Return the texts of the group's records below a name, as they were read last."""
        return self._outlook.records(self.prefix, lead)

    def is_asked(self) -> None:
        """Read who else is there, in a crowd too, as somebody looks at it; nobody waits."""
        if self._outlook.is_asked():
            self.wake()

    def write(self, records: Mapping[str, str | None]) -> None:
        """Let records of the group be written, each by whoever is first; None takes one away."""
        self._to_write.append(records)
        self.wake()

    def retry(self) -> None:
        """Order that what was undone or refused be tried again."""
        self._retries = True
        self.wake()

    def close(self, seconds: float = 3.0) -> None:
        """Write down what waits, and leave the board; blocks at most `seconds`."""
        thread = self._thread
        self._closing = True
        self.wake()
        if thread is not None and self._pid == os.getpid():
            thread.join(seconds)

    def wake(self) -> None:
        """Have the thread look at once, where the store can be woken."""
        wake: Callable[[], None] | None = getattr(self.store, "wake", None)
        if wake is not None:
            wake()

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while True:
            closing = self._closing
            self.step()
            if closing:
                break
            self.store.wait(self._pause())
        for leave in (self._take_leave, self.store.close):
            try:
                leave()
            except StoreError as error:
                log(INFO, "the store was not left: %s", error, code=str(Code.STORE))

    def _take_leave(self) -> None:
        """Be no longer among those who are missed."""
        if self._told is not None:
            self.store.put({f"{self.prefix}{SEEN}{self.id}": None})

    def _pause(self) -> float:
        seconds = min(max(self._window(), 0.1), BEAT_SECONDS)
        if self.pool.is_on:
            return 0.1
        return seconds if self.rounds is None else self.rounds.pause(self._view, seconds)

    def step(self) -> None:
        """Look, write, tell, beat; whatever is wrong with the store is told once."""
        if self.rounds is not None:
            self.rounds.busy_since = self._now()
        try:
            self._look()
            self._end_hold()
            self._ban_with_hold()
            self._write_records()
            self._order_retry()
            self._decide()
            self._share_trial()
            self._write_facts()
            self._tell_member()
            self._beat()
            self._write_mirror()
        except StoreUnsureError as error:
            self._outlook.forget()  # look again at everything
            log(INFO, "%s", error, code=str(Code.STORE))
        except StoreError as error:
            self._lose(str(error))
        except Exception as error:
            self._lose(f"failed inside with {type(error).__name__}")
        else:
            self._heal()
        self._looked.set()
        if self.rounds is not None:
            self.rounds.busy_since = None
            self.rounds.stepped.set()

    def _share_trial(self) -> None:
        """Take part in a trial that all workers share."""
        for _ in range(_TRIES):
            board = self._outlook.whole
            if board is None or not self.pool.is_on:
                break
            if not self.pool.step(board, self.prefix, self.id):
                break
            self._look()

    def _ban(self, entry: Entry) -> None:
        """Let nobody serve again what was undone; what served before it is what all should."""
        content, serving = entry.content, self._member().content
        if content is None or content == serving:
            return
        for _ in range(_TRIES):
            state = self._view.state
            if content in state.banned:
                return
            ban = Ban(at=entry.at, why=entry.error, cause="undone")
            after = replace(state, banned={**state.banned, content: ban})
            records: dict[str, str | None] = {}
            if state.active == content and serving is not None:
                number = served_before(entries_from(self._view.entries), serving)
                back = Entry(None, "reloaded", entry.at, serving, of=number, cause="undone")
                after, back = activated(after, replace(back, member=self.id, why=entry.error))
                records[self.prefix + back.key] = back.to_text()
            key = f"{self.prefix}{STATE}"
            same = {key: self._view.state_revision, **dict.fromkeys(records, 0)}
            written = self.store.put({**records, key: after.to_text()}, same=same)
            self._look()
            if written is not None:
                return

    def _decide(self) -> None:
        """Take this worker's part in what all decide, until there is nothing to write."""
        rounds = self.rounds
        if rounds is None or self._closing:
            return
        for _ in range(_TRIES):
            freeze = self._view.state.freeze
            now = self._clock.wall()
            frozen = freeze is not None and (freeze.until is None or freeze.until > now)
            if not rounds.step(self._view, self.prefix, self.id, frozen=frozen):
                break
            self._look()

    def _look(self, *, whole: bool = False, history: bool = False) -> None:
        before, votes = self.known.view, self.rounds is not None or self.pool.is_on
        found = self._outlook.look(
            self.store,
            self.prefix,
            self._now(),
            before,
            whole=whole,
            history=history,
            votes=votes,
        )
        if found is None:
            self._fetch()
            return
        if found.replaced:
            words = "the store %s was replaced: it is told anew"
            log(WARNING, words, self.store.name, code=str(Code.STORE))
            self._told = None
        view, state = found.view, found.view.state
        if self._started_at is None:
            self._started_at = state.edition
        self.known = replace(self.known, view=view)
        self._fetch()
        self.tally.look(state, self._now())
        orders = _orders_of(state)
        if orders != self._orders:
            known, self._orders = self._orders, orders
            if known is not None:
                self.wish = state.wish if known[5] != orders[5] else None
                forgiven = known[1] - orders[1] or known[3] != orders[3]
                self._notify(bool(forgiven))

    def _fetch(self) -> None:
        contents = self._contents_for(self._view.state)
        if contents != self.known.contents:
            self.known = replace(self.known, contents=contents)
            if self.rounds is not None and contents:
                self._notify(False)

    def _contents_for(self, state: State) -> Mapping[str, bytes]:
        """Read what an order could want served, at first what a start could, and what all serve."""
        before, rounds = self.known.contents, self.rounds
        behind = rounds is not None and (rounds.booting or rounds.is_behind(state))
        if state.hold is None and not state.banned and self._looked.is_set() and not behind:
            return {}
        found: dict[str, bytes] = {}
        for content in {state.target, state.active} - {None}:
            known = before.get(str(content)) or self.store.content(str(content))
            if known is not None:
                found[str(content)] = known
        return found

    @property
    def _view(self) -> View:
        return self.known.view or View()

    def _end_hold(self) -> None:
        """End a roll-back whose content the sources hold again; bans stay."""
        hold, self.ends_hold = self.ends_hold, None
        state = self._view.state
        if hold is None or state.hold != hold:
            return
        key = self.prefix + STATE
        after = replace(state, hold=None).to_text()
        self.store.put({key: after}, same={key: self._view.state_revision})
        self._look()

    def _ban_with_hold(self) -> None:
        """Ban what the sources held here when a roll-back came, while it is in force."""
        for _ in range(_TRIES):
            state = self._view.state
            hold, content = self.bans or (None, "")
            if hold is None or state.hold != hold or content in state.banned:
                break
            ban = Ban(None, hold.by, hold.at, hold.why)
            after = replace(state, banned={**state.banned, content: ban}).to_text()
            key = self.prefix + STATE
            self.store.put({key: after}, same={key: self._view.state_revision})
            self._look()
        self.bans = None

    def _write_records(self) -> None:
        while self._to_write:
            records = {self.prefix + key: text for key, text in self._to_write[0].items()}
            same = {key: 0 for key, text in records.items() if text is not None}
            self.store.put(records, same=same)
            self._to_write.popleft()

    def _order_retry(self) -> None:
        """Write the order down, where there is anything to forget."""
        view = self._view
        state = view.state
        if not self._retries:
            return
        if state.refused is not None or state.banned != without_passing(state.banned):
            ordered = orders.retry(state, Actor(at=self._clock.wall()))
            key, row = self.prefix + STATE, self.prefix + ordered.entry.key
            records = {key: ordered.state.to_text(), row: ordered.entry.to_text()}
            if self.store.put(dict(records), same={key: view.state_revision, row: 0}) is None:
                return  # somebody was faster: once more, after the next look
            self._look()
        self._retries = False

    def _write_facts(self) -> None:
        while self._facts:
            fact = self._facts[0]
            if fact.documents is not None and fact.entry.content is not None:
                self._own = {fact.entry.content: fact.documents}
            if fact.entry.outcome == "reloaded":
                self._activate(fact)
            else:
                if fact.entry.outcome == "undone" and fact.entry.code in _JUDGED:
                    self._ban(fact.entry)
                key = self.prefix + fact.entry.key
                self.store.put({key: fact.entry.to_text()}, same={key: 0})
            if self._facts and self._facts[0] is fact:
                self._facts.popleft()
        if self._lost_facts:
            words = "%d rows of history were lost while the store was away"
            log(WARNING, words, self._lost_facts, code=str(Code.STORE))
            self._lost_facts = 0

    def _activate(self, fact: Fact) -> None:
        """Write an activation down, unless another worker's tells of the very same one."""
        content = fact.entry.content
        for _ in range(_TRIES):
            if self._outlook.crowded:
                if not fact.first and self._is_written_by_others(fact):
                    self.edition = self._view.state.edition
                    return
                if fact.first or self._view.state.edition != self.edition:
                    self._look(history=True)  # others have written, and which is to be read
            view = self._view
            state, entries = view.state, entries_from(view.entries)
            if fact.fallback and state.hold is not None and state.hold.kind == "fallback":
                if self._fall_back(fact, state, view.state_revision):
                    return
                continue  # somebody was faster
            if self.rounds is not None:  # whoever decided has written it; who went alone has not
                self.edition = None if content is None else served_before(entries, content)
                if self.edition is None:
                    key = self.prefix + fact.entry.key
                    self.store.put({key: fact.entry.to_text()}, same={key: 0})
                elif editions_of(entries)[self.edition].member == self.id:
                    self._drop_old()
                return
            if fact.first and content is not None and state.target == content:
                self.edition = served_before(entries, content)
                return
            # What others told since my last edition, or since the look that I started with.
            since = (self._started_at or 0) if fact.first else (self.edition or 0) + 1
            for number, entry in editions_of(entries).items():
                if number >= since and entry.content == content:
                    self.edition = number
                    return
            if content is not None and state.target == content:  # a secret was rotated, for one
                self.edition = served_before(entries, content)
                return
            hold = state.hold
            if content in state.banned:
                return  # taken up before its ban could be read; the order stands
            if hold is not None and (hold.kind != "rollback" or hold.content == content):
                return  # an order was faster: what it wants is written already
            kept = self._keep(content, fact.documents)
            after, entry = activated(replace(state, hold=None), replace(fact.entry, kept=kept))
            key, state_key = self.prefix + entry.key, self.prefix + STATE
            records = {state_key: after.to_text(), key: entry.to_text()}
            same = {state_key: view.state_revision, key: 0}
            written = self.store.put(dict(records), same=same)
            self._look(whole=written is not None)
            if written is not None:
                self.edition = entry.edition
                self._drop_old()
                return

    def _fall_back(self, fact: Fact, state: State, revision: int) -> bool:
        """Give the fall-back that serves now its number; whoever is first says which it is."""
        hold = state.hold
        assert hold is not None
        if hold.content is not None:
            self.edition = hold.edition if hold.content == fact.entry.content else None
            return True
        kept = self._keep(fact.entry.content, fact.documents)
        number = state.edition + 1
        hold = replace(hold, content=fact.entry.content, edition=number)
        entry = replace(fact.entry, edition=number, kept=kept, cause="fallback", trigger="order")
        entry = replace(entry, actor=hold.by, why=hold.why)
        key, state_key = self.prefix + entry.key, self.prefix + STATE
        after = replace(state, edition=number, hold=hold)
        same = {state_key: revision, key: 0}
        put = self.store.put({state_key: after.to_text(), key: entry.to_text()}, same=same)
        self._look(whole=put is not None)
        if put is not None:
            self.edition = number
            self._drop_old()
        return put is not None

    def _is_written_by_others(self, fact: Fact) -> bool:
        """Return whether the state alone tells that: in a crowd that is all there is to read."""
        state = self._view.state
        alone = len(self._facts) == 1 and state.hold is None
        return alone and state.active == fact.entry.content and state.edition > (self.edition or 0)

    def _keep(self, content: str | None, documents: bytes | None) -> bool:
        """Keep what an edition is made of, before anything points to it; say whether it is kept."""
        if content is None or documents is None or self.store.retention.content is False:
            return False
        try:
            self.store.keep(content, documents)
        except StoreRefusedError as error:  # too large, for one: a history without it
            log(WARNING, "%s", error, code=str(Code.STORE))
            return False
        return True

    def _drop_old(self) -> None:
        view = self._view
        accepted = {one.content for one in view.members.values() if one.content is not None}
        gone = dropped(entries_from(view.entries), view.state, self.store.retention, accepted)
        for first in range(0, len(gone.keys), _AT_ONCE):
            some = gone.keys[first : first + _AT_ONCE]
            self.store.put(dict.fromkeys(self.prefix + key for key in some))
        for content in gone.contents:
            self.store.keep(content, None)

    def _tell_member(self) -> None:
        member, now, view = replace(self._member(), edition=self.edition), self._now(), self._view
        if member.version is None:
            return  # it serves nothing yet
        self._in_step.note(now, inside=view.state.target in (None, member.content))
        crowded = self._outlook.crowded  # then who is on the board is read seldom
        is_told = self.id in view.members or crowded
        pause = TELL_SECONDS * (5 if crowded else 1)
        if self._told == member and is_told and now - self._told_at < pause:
            return
        same = None
        if self.rounds is not None:
            if not is_told:
                return  # it joins by what all decide
            same = {f"{self.prefix}{STATE}": view.state_revision}
        if self._told is None:  # outlives it, so that a worker that is killed is missed
            seen = Member(member.host, member.pid, member.worker, member.app, member.release)
            seen = replace(seen, started=member.started)
            self.store.put({f"{self.prefix}{SEEN}{self.id}": seen.to_text()})
        record = replace(member, in_step=self._in_step.seconds)
        key = f"{self.prefix}{MEMBERS}{self.id}"
        if self.store.put({key: record.to_text()}, same=same, mortal=True) is not None:
            self._told, self._told_at = member, now

    def _now(self) -> float:
        return self._clock.monotonic()

    def _beat(self) -> None:
        now = self._clock.monotonic()
        if now - self._beaten >= BEAT_SECONDS:
            self._beaten = now
            if not self.store.beat():
                self._told = None
            self._forget_lost(now)

    def _forget_lost(self, now: float) -> None:
        """Take away who has been missing for an hour by this worker's own clock."""
        view = self._view
        missing = view.seen.keys() - view.members.keys()
        self._missing = {each: self._missing.get(each, now) for each in missing}
        gone = [each for each, at in self._missing.items() if now - at >= LOST_SECONDS]
        if gone:
            self.store.put(dict.fromkeys(f"{self.prefix}{SEEN}{each}" for each in gone))

    def _write_mirror(self) -> None:
        """Write down what a start would need while the store is away, where that has changed."""
        mirror, state = self._mirror, self._view.state
        if mirror is None or not mirror.wants(state, state.target):
            return
        content, data = state.target, None
        if content is not None:
            data = self.known.contents.get(content) or self._own.get(content)
            data = data or self.store.content(content)
        mirror.save(state, content, data)

    def _lose(self, error: str) -> None:
        if self.known.error is None:
            level, words = WARNING, "the store is away, serving goes on: %s"
            if self.known.view is None:
                level, words = ERROR, "the store is away, its orders are unknown: %s"
            log(level, words, error, code=str(Code.STORE))
            self.known = replace(self.known, error=error, since=self._clock.wall())
            self._notify(False)
        if self.rounds is not None:
            self.rounds.lost()

    def _heal(self) -> None:
        if self.known.error is not None:
            log(INFO, "the store is back: %s", self.store.name, code=str(Code.STORE))
            self.known = replace(self.known, error=None, since=None)
            self._notify(False)
        if self.rounds is not None:
            self.rounds.found()


def _orders_of(state: State) -> _Orders:
    """Return what of a state workers are woken for."""
    bans = frozenset(state.banned)
    return (state.hold, bans, state.freeze, state.retries, state.target, state.wish)

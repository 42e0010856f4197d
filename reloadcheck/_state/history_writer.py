"""Write what happened here to the store: rows of history, editions, bans; bounded while it waits.

Reading the history is `ledger`'s. What waits is bounded. Workers that see the same edit write it
once: whoever is first gives it its number, the others find theirs in the history.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Event
from typing import Final

from .._observe.history import VERDICTS
from .._runtime.log import WARNING, log
from ..exceptions import StoreRefusedError
from ..types import Code
from .board import STATE, Ban, Member, State
from .ledger import (
    Entry,
    activated,
    dropped,
    editions_of,
    entries_from,
    served_before,
    stands,
)
from .sight import TRIES, Sight
from .undone import records_of, same_in, undone

__all__ = ["LIMIT", "Fact", "Facts"]

LIMIT: Final = 100
"""How many facts wait for a store that is away, before the oldest are dropped."""

_NUMBERED = 100
"""Versions of this process whose numbers are remembered."""

_AT_ONCE = 100
"""How many records go in one put: etcd takes 128."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened here: an entry, and with an activation what to keep of it.

    `version` is the number in this process. `fallback`: it is the fall-back that was ordered.
    """

    entry: Entry
    documents: bytes | None = None
    version: int | None = None
    first: bool = False
    fallback: bool = False


class Facts:
    """One process's facts, in the order in which they happened.

    `edition` is the number of what serves, `editions` has those of this process's versions. `own`
    are the documents of what was activated last. `told` is cleared by whoever takes an edit back,
    and set when it is banned.
    """

    def __init__(self, sight: Sight, member: Callable[[], Member]) -> None:
        self.edition: int | None = None
        self.editions: dict[int, int] = {}
        self.own: dict[str, bytes] = {}
        self._sight, self._member = sight, member
        self._waiting: deque[Fact] = deque()
        self._last: Fact | None = None
        self._lost = 0
        self.told = Event()
        self.told.set()
        self._numbered_at = 0

    def add(self, fact: Fact) -> None:
        """Queue what is to be written down; the oldest that waits is dropped. From any thread."""
        self._waiting.append(fact)
        while len(self._waiting) > LIMIT:
            self._waiting.popleft()
            self._lost += 1

    def again(self) -> None:
        """Write first what serves: the store is another one or an older copy, and may lack it."""
        self.edition, last = None, self._last
        self.editions.clear()
        if last is not None and last.entry.content == self._member().content:
            self._waiting.appendleft(replace(last, first=True))

    def restore(self, contents: Mapping[str, bytes]) -> None:
        """Put what was read last into a store that is empty: its orders, and what serves by them.

        So that whoever takes the file away lifts no ban, and numbers go on.
        """
        sight, view = self._sight, self._sight.view
        if view.state == State():
            return
        state = replace(view.state, round=None, refused=None)
        records: dict[str, str | None] = {f"{sight.prefix}{STATE}": state.to_text()}
        entry, content = editions_of(entries_from(view.entries)).get(state.edition), state.target
        if entry is not None:
            documents = contents.get(str(content)) or self.own.get(str(content))
            kept = entry.content == content and self._keep(content, documents)
            records[sight.prefix + entry.key] = replace(entry, kept=kept).to_text()
        sight.store.put(records, same=dict.fromkeys(records, 0))

    def write(self) -> None:
        """Write down what waits; raise `StoreError`, and what is not written waits on."""
        sight = self._sight
        while self._waiting:
            fact = self._waiting[0]
            if fact.documents is not None and fact.entry.content is not None:
                self.own = {fact.entry.content: fact.documents}
            if fact.entry.outcome == "reloaded":
                self._last = None if fact.fallback else fact
                self._activate(fact)
                self._number(fact)
            else:
                if fact.entry.outcome == "undone" and fact.entry.code in VERDICTS:
                    self._ban(fact.entry)
                    self.told.set()
                key = sight.prefix + fact.entry.key
                same = None if self._served_since(fact.entry) else {key: 0}
                sight.store.put({key: fact.entry.to_text()}, same=same)
            if self._waiting and self._waiting[0] is fact:
                self._waiting.popleft()
        if self._lost:
            words = "%d rows of history were lost while the store was away"
            log(WARNING, words, self._lost, code=str(Code.STORE))
            self._lost = 0

    def _ban(self, entry: Entry) -> None:
        """Let nobody serve again what was undone; what served before it is what all should."""
        sight, content = self._sight, entry.content
        ban = Ban(at=entry.at, why=entry.error, cause="undone")
        for _ in range(TRIES if content is not None else 0):
            left = undone(sight.view, str(content), ban, self._member().content, sight.id)
            if not left:
                return
            records, same = records_of(left, sight.prefix), same_in(left, sight.prefix)
            written = sight.store.put(records, same=same)
            sight.look()
            if written is not None:
                return

    def _served_since(self, entry: Entry) -> bool:
        """Return whether what was undone before had been tried once more, and has served again."""
        told = entries_from(self._sight.view.entries)
        is_over = entry.outcome == "undone" or entry.code == Code.TROUBLE
        return is_over and stands(told, entry.content or "")

    def _number(self, fact: Fact) -> None:
        """Take note of the number that a version of this process has here."""
        state, content = self._sight.view.state, fact.entry.content
        entry = editions_of(entries_from(self._sight.view.entries)).get(self.edition or 0)
        known = state.active if entry is None and state.edition == self.edition else None
        known = known if entry is None else entry.content
        if fact.version is None or self.edition is None or known != content:
            return
        self.editions[fact.version] = self.edition
        while len(self.editions) > _NUMBERED:
            del self.editions[min(self.editions)]

    def follow(self) -> None:
        """Take the newest number of what serves here: it may be wanted again, and never have left.

        Whoever went back to it has that number, and all who serve the same speak of one edition.
        """
        sight, member = self._sight, self._member()
        state, content = sight.view.state, member.content
        before = self.editions.get(member.version or 0)
        if self._waiting or before is None or content is None or state.target != content:
            return
        if state.edition in (before, self._numbered_at):
            return
        if sight.outlook.crowded:
            sight.look(history=True)
        self._numbered_at = state.edition
        number = served_before(entries_from(sight.view.entries), content)
        if number is not None and member.version is not None:
            self.edition = self.editions[member.version] = number

    def _activate(self, fact: Fact) -> None:
        """Write an activation down, unless another worker's tells of the very same one."""
        sight, content = self._sight, fact.entry.content
        for _ in range(TRIES):
            if sight.outlook.crowded:
                if not fact.first and self._is_written_by_others(fact):
                    self.edition = sight.view.state.edition
                    return
                if fact.first or sight.view.state.edition != self.edition:
                    sight.look(history=True)  # others have written, and which is to be read
            view = sight.view
            state, entries = view.state, entries_from(view.entries)
            if fact.fallback and state.hold is not None and state.hold.kind == "fallback":
                if self._fall_back(fact, state, view.state_revision):
                    return
                continue  # somebody was faster
            if sight.rounds is not None:  # whoever decided has written it; who went alone has not
                self.edition = None if content is None else served_before(entries, content)
                if self.edition is None:
                    key = sight.prefix + fact.entry.key
                    sight.store.put({key: fact.entry.to_text()}, same={key: 0})
                elif editions_of(entries)[self.edition].member == sight.id:
                    self.drop_old()
                return
            if fact.first and content is not None and state.target == content:
                self.edition = served_before(entries, content)
                return
            # What others told since my last edition, or since the look that I started with.
            since = (sight.started_at or 0) if fact.first else (self.edition or 0) + 1
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
            key, state_key = sight.prefix + entry.key, sight.prefix + STATE
            records = {state_key: after.to_text(), key: entry.to_text()}
            same = {state_key: view.state_revision, key: 0}
            written = sight.store.put(dict(records), same=same)
            sight.look(whole=written is not None)
            if written is not None:
                self.edition = entry.edition
                self.drop_old()
                return

    def _fall_back(self, fact: Fact, state: State, revision: int) -> bool:
        """Assign a number to the fall-back that serves now; whoever is first says which it is."""
        sight, hold = self._sight, state.hold
        assert hold is not None
        if hold.content is not None:
            self.edition = hold.edition if hold.content == fact.entry.content else None
            return True
        kept = self._keep(fact.entry.content, fact.documents)
        number = state.edition + 1
        hold = replace(hold, content=fact.entry.content, edition=number)
        entry = replace(fact.entry, edition=number, kept=kept, cause="fallback", trigger="order")
        entry = replace(entry, actor=hold.by, why=hold.why)
        key, state_key = sight.prefix + entry.key, sight.prefix + STATE
        after = replace(state, edition=number, hold=hold)
        same = {state_key: revision, key: 0}
        put = sight.store.put({state_key: after.to_text(), key: entry.to_text()}, same=same)
        sight.look(whole=put is not None)
        if put is not None:
            self.edition = number
            self.drop_old()
        return put is not None

    def _is_written_by_others(self, fact: Fact) -> bool:
        """Return whether the state alone tells that: in a crowd that is all there is to read."""
        state = self._sight.view.state
        alone = len(self._waiting) == 1 and state.hold is None
        return alone and state.active == fact.entry.content and state.edition > (self.edition or 0)

    def _keep(self, content: str | None, documents: bytes | None) -> bool:
        """Keep what an edition is made of, before anything points to it; say whether it is kept."""
        store = self._sight.store
        if content is None or documents is None or store.retention.content is False:
            return False
        try:
            store.keep(content, documents)
        except StoreRefusedError as error:  # too large, for one: a history without it
            log(WARNING, "%s", error, code=str(Code.STORE))
            return False
        return True

    def drop_old(self) -> None:
        """Keep no more than the store is to, but what is held, active or served."""
        view, store = self._sight.view, self._sight.store
        accepted = {one.content for one in view.members.values() if one.content is not None}
        gone = dropped(entries_from(view.entries), view.state, store.retention, accepted)
        for first in range(0, len(gone.keys), _AT_ONCE):
            some = gone.keys[first : first + _AT_ONCE]
            store.put(dict.fromkeys(self._sight.prefix + key for key in some))
        for content in gone.contents:
            store.keep(content, None)

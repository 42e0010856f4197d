"""Take the steps of a round: says to `together` how things stand, writes what follows.

The engine's side tells what the sources hold, what is built and what failed, from its own threads;
the store thread takes the steps. A worker's own monotonic clock alone says what is late.

Long because what both sides tell is one picture, of which each step is taken.
"""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from .._runtime.clock import Clock
from .._runtime.log import WARNING, log
from ..exceptions import StoreRefusedError
from ..seams.store import Together
from ..types import Code, Store
from .alive import is_gone
from .board import MEMBERS, STATE, VOTES, Member, Refusal, State, View, view_of, vote_text
from .ledger import Entry, activated, entries_from
from .together import Action, Kind, Me, Vote, mends, react

__all__ = ["Offer", "Rounds"]

GONE_SECONDS: Final = 5.0
"""Seconds without the opener of a round after which any other worker decides it."""

ASK_SECONDS: Final = 1.0
"""Seconds between two times that the engine is asked for one and the same thing."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds after which what was refused is tried again, the first time and at most."""

HUNG_SECONDS: Final = 5.0
"""Seconds after which a store that has not returned counts as away."""

LOOK_SECONDS: Final = 0.1
"""Seconds between two looks while a round is open."""

HOST_DEADLINE, FLEET_DEADLINE = 30.0, 120.0


@dataclass(frozen=True, slots=True)
class Offer:
    """What this worker has built and not swapped in: its content, row, and what to keep of it."""

    content: str
    entry: Entry
    documents: bytes | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a content cannot be had here."""

    vote: Vote
    code: str | None = None
    error: str | None = None


class Rounds:
    """One worker's part in deciding together. `ask` has the engine make a check.

    With `anew` it judges anew what it refused. `member` gives the worker's record.
    """

    def __init__(
        self,
        together: Together,
        store: Store,
        clock: Clock,
        member: Callable[[], Member],
        ask: Callable[[bool], None],
    ) -> None:
        self.need, self.alone_after = together.need, together.alone_after
        on_host = getattr(store, "on_one_host", False)
        self.deadline = together.deadline or (HOST_DEADLINE if on_host else FLEET_DEADLINE)
        self.file: str | None = None
        self._given: str | None = None
        self.serving: str | None = None
        self._tries: str | None = None
        self.offer: Offer | None = None
        self.booting = True
        self.beaten = False
        self.stepped = threading.Event()
        self._failures: dict[str, Failure] = {}
        self._store = store
        self._clock = clock
        self._member = member
        self._ask = ask
        self._asked: tuple[Action | None, float] = (None, 0.0)
        self._shown: int | None = None
        self._round_since: tuple[int, float] = (0, 0.0)
        self._opener_gone_since: float | None = None
        self._refused: tuple[str, int] | None = None
        self._retry_at = 0.0
        self._retries: int = 0
        self._voted: str | None = None
        self._turned_away: str | None = None
        self._lost_since: float | None = None
        self.busy_since: float | None = None

    # ------------------------------------------------------------ from the engine's side

    def read(self, file: str | None, content: str | None, source: str) -> None:
        """Take note of what the sources hold, and of the content and digest that were read."""
        self.file, self._given = file, content
        offer = self.offer
        if offer is not None and (offer.content, offer.entry.source) != (content, source):
            self.offer = None

    def built(self, offer: Offer) -> None:
        """Take note that something is built, and waits for the others."""
        self._failures.pop(offer.content, None)
        self.offer = offer

    def turned_away(self, content: str | None) -> None:
        """Take note that the engine was told to refuse it, and has let it go."""
        self._turned_away, self.offer = content, None

    def swapped(self, content: str | None) -> None:
        """Take note of what serves."""
        self.serving, self.booting = content, False
        offer = self.offer
        if offer is not None and offer.content == content:
            self.offer = None
        if content is not None:
            self._failures.pop(content, None)

    def tried(self, content: str) -> None:
        """Take note that what all have decided on is tried here first."""
        self._tries = content

    def failed(self, content: str, failure: Failure) -> None:
        """Take note that a content cannot be had here, for now or for good."""
        self._failures[content] = failure

    def is_refused(self, view: View, content: str | None) -> bool:
        """Return whether a content was refused, and is not to be tried again yet."""
        refused = view.state.refused
        if refused is None or refused.content != content:
            return False
        opened = view.state.round
        if opened is not None and opened.content == content:
            return False  # somebody's pause is over
        if any(each in view.members for each in refused.by):
            return True
        return self._refused != (content, refused.attempt) or not self.may_retry

    @property
    def may_retry(self) -> bool:
        """Return whether the pause after the last refusal is over."""
        return self._clock.monotonic() >= self._retry_at

    def is_behind(self, state: State) -> bool:
        """Return whether what all serve is read, and not the sources; as `reads` has it."""
        failures = {content: one.vote for content, one in list(self._failures.items())}
        if mends(state, self.file, failures):
            return False
        return state.target not in (None, self.serving, self._tries, self.file)

    # ------------------------------------------------------------ from the store thread

    def lost(self) -> None:
        """Take note that the store is away; a round that was open is forgotten."""
        self._lost_since = self._lost_since or self._clock.monotonic()

    def found(self) -> None:
        """Take note that the store answers."""
        if self._lost_since is not None:
            self._lost_since = None
            self._ask(False)

    @property
    def lost_for(self) -> float | None:
        """Return for how many seconds the store has been away, or has not answered at all."""
        now, since, busy = self._clock.monotonic(), self._lost_since, self.busy_since
        if since is None and busy is not None and now - busy >= HUNG_SECONDS:
            since = busy
        return None if since is None else now - since

    def pause(self, view: View, window: float) -> float:
        """Return the seconds until the next look."""
        return min(LOOK_SECONDS, window) if view.state.round is not None else window

    def step(self, view: View, prefix: str, own: str, *, frozen: bool) -> bool:
        """Do what is to be done next; return whether something was written."""
        view = self._living(view, prefix, own)
        self._leave_votes(view, prefix, own)
        me = self._me(view, own, frozen=frozen)
        action = react(me, view)
        if action.kind is Kind.PUT:
            return self._put(action, view, prefix, own)
        self.beaten = self.booting and action.kind is Kind.BUILD and self.offer is not None
        opened = view.state.round
        if action.kind in (Kind.BUILD, Kind.SWAP, Kind.DROP):
            self._have(action)
        elif opened is not None and self.file != opened.content:
            self._have(Action(Kind.BUILD, opened.content))  # a file that lags is looked at again
        return False

    def _me(self, view: View, own: str, *, frozen: bool) -> Me:
        now, state = self._clock.monotonic(), view.state
        opened, offer = state.round, self.offer
        late = absent = False
        if opened is not None:
            if self._round_since[0] != opened.id:
                self._round_since, self._opener_gone_since = (opened.id, now), None
                if opened.by != own:
                    self._ask(self._is_anew(opened.content))
            late = now - self._round_since[1] > self.deadline
            if opened.by in view.members:
                self._opener_gone_since = None
            else:
                self._opener_gone_since = self._opener_gone_since or now
                absent = now - self._opener_gone_since > GONE_SECONDS
            if self.file == opened.content:
                self._shown = opened.id
        self._heed(state, now)
        if self._tries != state.target:
            self._tries = None
        failed = {content: one.vote for content, one in self._failures.items()}
        turns = opened is not None and failed.get(opened.content) is Vote.FAILED
        return Me(
            own,
            booting=self.booting,
            serving=self.serving,
            tries=self._tries,
            candidate=None if offer is None else offer.content,
            failed=failed,
            file=self._given if frozen and self.booting else self.file,
            shown=self._shown,
            late=late,
            absent=absent,
            # The engine tries again what failed for now; what it has come to so far is the vote.
            may_retry=now >= self._retry_at and not turns,
            last_good_boots=True,
            need=self.need,
            frozen=frozen,
        )

    def _is_anew(self, content: str | None) -> bool:
        """Return, once, whether the engine has been told that this content is refused."""
        told, self._turned_away = self._turned_away, None
        if content == told:
            return told is not None
        self._turned_away = told
        return False

    def _heed(self, state: State, now: float) -> None:
        """Take note of refusals and of orders to forget them."""
        refused = state.refused
        known = None if refused is None else (refused.content, refused.attempt)
        if known != self._refused:
            self._refused = known
            pause = 0.0
            if refused is not None:
                longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**refused.attempt)
                pause = longest * random.uniform(0.5, 1.0)
                self._ask(False)
            self._retry_at = now + pause
        if state.retries != self._retries:  # the keeper has all judged anew
            self._retries, self._retry_at = state.retries, now
            self._failures.clear()

    def _have(self, action: Action) -> None:
        """Ask the engine to build or swap; again only after a while."""
        now = self._clock.monotonic()
        before, at = self._asked
        if before != action or now - at >= ASK_SECONDS:
            self._asked = action, now
            self._ask(self._is_anew(action.content))

    def _put(self, action: Action, view: View, prefix: str, own: str) -> bool:
        """Write what was decided on, if the look that it was decided on still holds."""
        key = f"{prefix}{STATE}"
        same = {key: view.state_revision}
        since = (f"{prefix}{MEMBERS}", view.revision) if action.alone else None
        records: dict[str, str | None] = {}
        if action.joins is not None:
            member = replace(self._member(), content=action.joins, edition=view.state.edition)
            records[f"{prefix}{MEMBERS}{own}"] = member.to_text()
        if action.leaves:
            records[f"{prefix}{MEMBERS}{own}"] = None
        if action.vote is not None and view.state.round is not None:
            told = self._failures.get(view.state.round.content)
            why = (None, None) if told is None else (told.code, told.error)
            self._voted = f"{prefix}{VOTES}{view.state.round.id}/{own}"
            records[self._voted] = vote_text(action.vote, *why)
        if not records:
            self._decide(action, view, prefix, same, since)
            return True
        written = self._store.put(records, same=same, mortal=not action.leaves)
        if written is not None and self.booting and action.joins is not None:
            self.swapped(action.joins)
        return True

    def _decide(
        self,
        action: Action,
        view: View,
        prefix: str,
        same: Mapping[str, int],
        since: tuple[str, int] | None,
    ) -> None:
        state, offer = action.state or view.state, self.offer
        rows: dict[str, str | None] = {}
        same = dict(same)
        if action.why == "open" and offer is not None and state.round is not None:
            offer = self.offer = self._kept(offer)
            state = replace(state, round=replace(state.round, source=offer.entry.source))
        elif action.why in ("activate", "found") and state.active is not None:
            if action.why == "found" and offer is not None:
                self.offer = self._kept(offer)
            entry = self._entry(view, state.active)
            before = replace(state, edition=state.edition - 1)
            state, entry = activated(before, entry)
            rows[prefix + entry.key] = entry.to_text()
            same[prefix + entry.key] = 0
        elif action.why == "refuse" and state.refused is not None:
            state = replace(state, refused=_why(state.refused, view))
        records = {f"{prefix}{STATE}": state.to_text(), **rows}
        written = self._store.put(records, same=same, none_since=since)
        if written is None or view.state.round is None:
            return
        if action.why != "activate":
            self._forget(prefix, view.state.round.content)
        elif offer is not None and offer.content == state.active:
            self._kept(offer)  # again: another worker may have kept it no longer meanwhile

    def _entry(self, view: View, content: str) -> Entry:
        """Return the row of an activation, from what is known of it here."""
        offer, opened = self.offer, view.state.round
        if offer is not None and offer.content == content:
            return offer.entry
        source = None if opened is None else opened.source
        kept = self._store.content(content) is not None
        return Entry(None, "reloaded", self._clock.wall(), content, source, kept=kept)

    def _kept(self, offer: Offer) -> Offer:
        """Keep what an edit is made of, before anything points to it."""
        if offer.documents is None:
            return offer
        try:
            self._store.keep(offer.content, offer.documents)
        except StoreRefusedError as error:  # too large, for one: who is behind needs its own file
            log(WARNING, "%s", error, code=str(Code.STORE))
            return replace(offer, documents=None, entry=replace(offer.entry, kept=False))
        return offer

    def _forget(self, prefix: str, content: str) -> None:
        """Keep a content no longer that did not go live, unless it is asked for anew by now."""
        board = self._store.look(prefix)
        view = View() if board is None else view_of(board, prefix)
        state, entries = view.state, entries_from(view.entries)
        opened = state.round is not None and state.round.content == content
        known = content == state.target or any(one.content == content for one in entries)
        if not opened and not known:
            self._store.keep(content, None)

    def _living(self, view: View, prefix: str, own: str) -> View:
        """Leave out members of this host whose process is gone, and take them off the board."""
        gone = [name for name in view.members if is_gone(name, own)]
        if not gone:
            return view
        self._store.put({f"{prefix}{MEMBERS}{name}": None for name in gone})
        members = {name: one for name, one in view.members.items() if name not in gone}
        votes = {name: vote for name, vote in view.votes.items() if name not in gone}
        return replace(view, members=members, votes=votes)

    def _leave_votes(self, view: View, prefix: str, own: str) -> None:
        """Take back a vote whose round is over."""
        opened = view.state.round
        vote = self._voted
        if vote is not None and (opened is None or vote != f"{prefix}{VOTES}{opened.id}/{own}"):
            self._voted = None
            self._store.put({vote: None})


def _why(refused: Refusal, view: View) -> Refusal:
    """Say which member stands in the way, and why; or that some have not said anything."""
    for name in sorted(view.members):
        vote = view.votes.get(name)
        if vote in (Vote.FAILED_FOR_GOOD, Vote.FAILED):
            code, error = view.reasons.get(name, (None, None))
            told = f"{name} cannot take it up: {error or vote}"
            return replace(refused, code=code, error=told)
    silent = [name for name in sorted(view.members) if view.votes.get(name) != Vote.PREPARED]
    return replace(refused, error=f"not ready in time: {', '.join(silent)}" if silent else None)

"""What each order of an operator does, from a state and the history to the next state. Pure.

Each gives the new state and the row of history that tells of it, or raises `OrderRefusedError` with
a sentence that says who stands in the way. An order is not voted on and waits for nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ..exceptions import OrderRefusedError
from .bans import banned_as, content_named, named_in, without_passing
from .board import Ban, Freeze, Hold, Member, State, Wish
from .ledger import REVIEWED, Entry, activated, editions_of, served_before

__all__ = [
    "Actor",
    "Ordered",
    "fallback",
    "freeze",
    "not_kept",
    "pin",
    "promote",
    "retry",
    "rollback",
    "thaw",
    "unban",
    "undo",
    "unpin",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who orders it, when (epoch seconds), and why; `force` overrides another's pin."""

    by: str | None = None
    at: float = 0.0
    why: str | None = None
    force: bool = False
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order that can be written: the state after it, its entry, and what it does, in words."""

    state: State
    entry: Entry
    says: str


def rollback(
    state: State,
    entries: Collection[Entry],
    actor: Actor,
    edition: int | None = None,
    *,
    waiting: Collection[str] = (),
    trying: bool = False,
) -> Ordered:
    """Serve an older edition, and ban what serves now; `waiting` contents are banned with it.

    Without a number: the newest older edition that is neither banned nor the same content, so that
    a second roll-back goes on walking back. `trying`: workers try an edit, which `undo` takes back.
    """
    _respect(state, actor)
    editions = editions_of(entries)
    serving = state.target
    if serving is None:
        raise OrderRefusedError("nothing was live yet: there is nothing to go back from")
    present = served_before(entries, serving)
    if edition is None:
        target = _older(state, editions, trying=trying)
    else:
        target = _found(editions, edition)
    content = _servable(state, target)
    if content == serving:
        raise OrderRefusedError(f"edition {target.edition} is what serves now")
    gone = [each for each in (serving, *waiting) if each != content]
    bans = {each: Ban(served_before(entries, each), actor.by, actor.at, actor.why) for each in gone}
    banned = {**state.banned, **bans}
    hold = Hold("rollback", content, target.edition, actor.by, actor.at, actor.why)
    after = replace(state, hold=hold, banned=banned, round=None, refused=None)
    after, entry = activated(after, _again(target, "rollback", actor))
    says = f"edition {entry.edition} is {entry.of} again; edition {present} is banned"
    never_live = sorted(each for each, ban in bans.items() if ban.edition is None)
    if never_live:
        says += f", and what waited: {', '.join(map(content_named, never_live))}"
    return Ordered(after, entry, says)


def pin(
    state: State, entries: Collection[Entry], actor: Actor, edition: int | None = None
) -> Ordered:
    """Serve an edition whatever the sources hold, until `unpin`; without a number: what serves."""
    _respect(state, actor)
    editions = editions_of(entries)
    if edition is None:
        number = None if state.target is None else served_before(entries, state.target)
        if number is None:
            raise OrderRefusedError("nothing was live yet: there is nothing to pin")
        edition = number
    target = _found(editions, edition)
    content = _servable(state, target)
    hold = Hold("pin", content, edition, actor.by, actor.at, actor.why)
    after = replace(state, hold=hold, round=None)
    if content == state.target:
        return Ordered(after, _row("pin", actor, content, edition), f"edition {edition} is pinned")
    after, entry = activated(after, _again(target, "pin", actor))
    says = f"edition {entry.edition} is {entry.of} again, and pinned"
    return Ordered(after, entry, says)


def unpin(state: State, entries: Collection[Entry], actor: Actor) -> Ordered:
    """Follow the sources again; bans stay."""
    del entries
    if state.hold is None or state.hold.kind != "pin":
        raise OrderRefusedError("nothing is pinned")
    after = replace(state, hold=None)
    return Ordered(after, _row("unpin", actor, state.hold.content, state.hold.edition), "unpinned")


def unban(state: State, entries: Collection[Entry], actor: Actor, which: int | str) -> Ordered:
    """Let a content be served again, should the sources hold it.

    `which` is an edition, or the beginning of a content's digest where that was never live.
    """
    edition: int | None
    if isinstance(which, int):
        content = _found(editions_of(entries), which).content
        edition, name = which, f"edition {which}"
    else:
        content = banned_as(state, which)
        edition = None if content is None else state.banned[content].edition
        name = content_named(content or which)
    if content is None or content not in state.banned:
        raise OrderRefusedError(f"{name} is not banned{named_in(state)}")
    banned = {each: ban for each, ban in state.banned.items() if each != content}
    row = _row("unban", actor, content, edition)
    return Ordered(replace(state, banned=banned), row, f"{name} may be served again")


def freeze(state: State, actor: Actor, until: float | None = None) -> Ordered:
    """Let no edit go live, until a time or a thaw; orders still do."""
    if until is not None and until <= actor.at:
        raise OrderRefusedError("that time is over: nothing would be frozen")
    after = replace(state, freeze=Freeze(until, actor.by, actor.at, actor.why), round=None)
    return Ordered(after, _row("freeze", actor), "frozen: no edit goes live")


def thaw(state: State, actor: Actor) -> Ordered:
    """End a freeze, and nothing else."""
    if state.freeze is None:
        raise OrderRefusedError("nothing is frozen")
    return Ordered(replace(state, freeze=None), _row("thaw", actor), "thawed: edits go live again")


def fallback(state: State, actor: Actor, *, on: bool) -> Ordered:
    """Serve the application's fall-back instead of its sources, or its sources again."""
    if not on:
        if state.hold is None or state.hold.kind != "fallback":
            raise OrderRefusedError("the fall-back is not on")
        return Ordered(replace(state, hold=None), _row("fallback", actor), "the fall-back is off")
    _respect(state, actor)
    hold = Hold("fallback", by=actor.by, at=actor.at, why=actor.why)
    after = replace(state, hold=hold, round=None)
    return Ordered(after, _row("fallback", actor), "the fall-back serves")


def retry(state: State, actor: Actor) -> Ordered:
    """Forget a refusal, back-offs, and the bans on what was never live for all."""
    banned = without_passing(state.banned)
    after = replace(state, refused=None, banned=banned, retries=state.retries + 1)
    return Ordered(after, _row("retry", actor), "what failed is tried again")


def promote(state: State, members: Collection[Member], actor: Actor) -> Ordered:
    """End the trial that is on in the workers, for all; or the watch after it."""
    if not is_tried(members):
        raise OrderRefusedError("no worker tries an edit: there is nothing to promote")
    return _wished(state, "promote", actor, "promoted: what is tried serves everybody")


def undo(
    state: State, entries: Collection[Entry], members: Collection[Member], actor: Actor
) -> Ordered:
    """Take back what is tried; where nothing is, serve the edition before, and ban the present."""
    if is_tried(members):
        return _wished(state, "undo", actor, "undone: what is tried is taken back")
    ordered = rollback(state, entries, actor, waiting=pending(members))
    return replace(ordered, says=f"undone: {ordered.says}")


def pending(members: Collection[Member]) -> frozenset[str]:
    """Return the contents of edits that wait somewhere, or are tried."""
    return frozenset(one.pending for one in members if one.pending is not None)


def is_tried(members: Collection[Member]) -> bool:
    """Return whether some worker tries an edit."""
    return any(one.outcome == "trying" for one in members)


def _wished(state: State, word: str, actor: Actor, says: str) -> Ordered:
    number = 1 if state.wish is None else state.wish.number + 1
    wish = Wish(number, word, actor.by, actor.at, actor.why)
    return Ordered(replace(state, wish=wish), _row(word, actor), says)


def reviewed(edition: int, actor: Actor) -> Entry:
    """Return the row that says that somebody looked at an override."""
    return _row(REVIEWED, actor, of=edition)


def _respect(state: State, actor: Actor) -> None:
    hold = state.hold
    if hold is not None and hold.kind == "pin" and not actor.force:
        who = hold.by or "somebody"
        why = f": {hold.why}" if hold.why else ""
        raise OrderRefusedError(
            f"edition {hold.edition} is pinned by {who}{why}; --force overrides"
        )


def _older(state: State, editions: Mapping[int, Entry], *, trying: bool) -> Entry:
    held = state.hold.edition if state.hold is not None and state.hold.kind == "rollback" else None
    below = state.edition if held is None else held
    lost: list[int] = []
    for number in sorted(editions, reverse=True):
        entry = editions[number]
        usable = entry.content not in state.banned and entry.content != state.target
        usable = usable and entry.cause != "fallback"  # it served in an emergency, by an order
        if (entry.of or number) <= below and usable:
            if entry.kept:
                return entry
            lost.append(number)
    why = f"; the store keeps no content of edition {lost[0]}" if lost else ""
    why += "; `undo` takes back what is tried" if trying else ""
    raise OrderRefusedError(f"there is no older edition that is kept and not banned{why}")


def _found(editions: Mapping[int, Entry], edition: int) -> Entry:
    if edition not in editions:
        raise OrderRefusedError(f"there is no edition {edition} in the history")
    return editions[edition]


def _servable(state: State, entry: Entry) -> str:
    if entry.content is None or not entry.kept:
        raise OrderRefusedError(not_kept(entry.edition))
    ban = state.banned.get(entry.content)
    if ban is not None:
        who = f" by {ban.by}" if ban.by else ""
        raise OrderRefusedError(f"edition {entry.edition} is banned{who}: unban it first")
    return entry.content


def not_kept(edition: int | None) -> str:
    """Say that an edition cannot be had back, and why that may be."""
    why = "something in it looked secret, or the store is to keep none"
    return f"the content of edition {edition} is not kept: {why}"


def _again(target: Entry, cause: str, actor: Actor) -> Entry:
    return replace(
        target,
        of=target.of or target.edition,
        outcome="reloaded",
        at=actor.at,
        actor=actor.by,
        cause=cause,
        why=actor.why,
        trace=actor.trace,
        trigger="order",
        member=None,
        changed=(),
        changes=0,
        seconds={},
    )


def _row(cause: str, actor: Actor, content: str | None = None, of: int | None = None) -> Entry:
    return Entry(
        None,
        "ordered",
        actor.at,
        content,
        of=of,
        actor=actor.by,
        cause=cause,
        why=actor.why,
        trace=actor.trace,
        trigger="order",
    )

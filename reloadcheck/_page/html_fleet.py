"""The part of the page for people that lists all workers, and says which one has answered.

Pure: from what the store said last to pieces of a document.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from .._observe.ages import ago
from .._observe.identity import Identity
from ..seams.store import StoreStatus
from ..types import Outcome
from .html_markup import (
    NONE,
    Cell,
    badge,
    breaking,
    code,
    error,
    shown,
    table,
    text_of,
    time_of,
)

if TYPE_CHECKING:
    from .._state.fleet import Fleet, MemberStatus

MOST_WORKERS: Final = 200
"""How many workers one page lists, those first of whom something is to be said."""

_NAMES: Final = ["Serves", "Edition", "Content", "Since", "Last check"]
_BAD: Final = frozenset({str(Outcome.REJECTED), str(Outcome.UNDONE)})


def fleet(
    workers: "Fleet | None", store: StoreStatus | None, who: Identity, now: float
) -> Iterator[str]:
    """List all workers as the store was read last; nothing where there is no store."""
    if store is None:
        return
    yield '<section aria-labelledby="fleet">'
    yield f'<h2 id="fleet">{_title(workers)}</h2>'
    if store.error is not None:
        since = "" if store.since is None else f" since {time_of(store.since)}"
        yield error(f"The store is away: {store.error}", "warn")
        yield f'<p class="soft">It is away{since}; what follows is what it said before that.</p>'
    if workers is None:
        yield "<p>The store has not been read so far.</p></section>"
        return
    yield from _order(workers)
    for told in (workers.waiting, workers.refusal):
        if told is not None:
            yield error(f"{told[0].upper()}{told[1:]}", "warn")
    ranked = sorted(workers.members, key=lambda one: (one.in_step, one.lost))
    rows = [(_who(one, who), [*_cells(one, now)]) for one in ranked[:MOST_WORKERS]]
    yield from table("fleet", "Worker", _NAMES, rows)
    if len(ranked) > MOST_WORKERS:
        yield f'<p class="soft">and {len(ranked) - MOST_WORKERS} more; '
        yield "<code>reloadcheck fleet</code> lists them all</p>"
    yield "</section>"


def said_of(workers: "Fleet | None", who: Identity) -> str:
    """Say whom the rest of the page is of."""
    one = f"one worker process, {who.pid} on {shown(who.host)}"
    if workers is None:
        return (
            f"What this page tells is of {one}; another may be a moment ahead or behind. "
            "<code>reloadcheck status --all</code> asks them all."
        )
    return (
        f"All workers are listed as the store was read last; what else this page tells is of {one}."
    )


def _title(workers: "Fleet | None") -> str:
    if workers is not None and workers.unread:
        return f"All workers: {workers.unread:,}, which are being read: look again in a moment"
    if workers is None or not workers.live:
        return "All workers"
    live = workers.live
    right = sum(one.in_step for one in live)
    lost = len(workers.members) - len(live)
    tone = "good" if right == len(live) else "bad" if workers.drift else "warn"
    word = "in step" if right == len(live) else f"{len(live) - right} behind"
    verb = "try" if any(one.tries for one in live) else "serve"
    words = f"All workers: {right} of {len(live)} {verb} edition {workers.edition}"
    missed = f" {badge(f'{lost} lost', 'warn')}" if lost else ""
    return f"{shown(words)} {badge(word, tone)}{missed}"


_ENDS = {"pin": "reloadcheck unpin", "fallback": "reloadcheck fallback off"}


def _order(workers: "Fleet") -> Iterator[str]:
    hold, freeze = workers.order, workers.freeze
    if freeze is not None:
        by = "" if freeze.by is None else f" by {freeze.by}"
        why = "" if freeze.why is None else f": {freeze.why}"
        yield error(f"Edits are frozen{by}{why}", "warn")
        until = "" if freeze.until is None else f"{time_of(freeze.until)}, or by: "
        since = time_of(freeze.at)
        yield f'<p class="remedy">Since {since}; it ends by: {until}reloadcheck thaw</p>'
    if hold is None:
        return
    by = "" if hold.by is None else f" by {hold.by}"
    why = "" if hold.why is None else f": {hold.why}"
    edition = "" if hold.edition is None else f" of edition {hold.edition}"
    yield error(f"A {hold.kind}{edition} is in force{by}{why}", "warn")
    ends = _ENDS.get(hold.kind, "another good edit")
    yield f'<p class="remedy">Since {time_of(hold.at)}; it ends by: {ends}</p>'


def _who(one: "MemberStatus", who: Identity) -> str:
    member = one.member
    worker = f" {shown(member.worker)}" if member.worker else ""
    here = (member.host, member.pid) == (who.host, who.pid)
    mine = ' <span class="soft">(this one)</span>' if here else ""
    return f"<span>{breaking(member.host)} {member.pid}{worker}{mine}</span>"


def _cells(one: "MemberStatus", now: float) -> Iterator[Cell]:
    member = one.member
    yield "Serves", _verdict(one)
    yield "Edition", text_of(member.edition)
    yield "Content", NONE if member.content is None else code(member.content[:8])
    yield "Since", f"<span>{ago(now - member.since)}</span>" if member.since else NONE
    yield "Last check", _last(one)


def _verdict(one: "MemberStatus") -> str:
    if one.lost:
        return f'<span>{badge("lost", "warn")} <span class="soft">left without a word</span></span>'
    if one.in_step:
        return f"<span>{badge(one.word, 'warn' if one.tries else 'good')}</span>"
    why = "" if one.behind is None else f" {shown(one.behind)}"
    return f"<span>{badge('behind', 'bad')}{why}</span>"


def _last(one: "MemberStatus") -> str:
    member = one.member
    if one.lost or member.outcome is None:
        return NONE
    tone = "bad" if member.outcome in _BAD else "" if member.code is None else "warn"
    told = badge(member.outcome, tone)
    named = "" if member.code is None else f" {code(member.code)}"
    text = "" if member.error is None else f" {breaking(member.error)}"
    return f"<span>{told}{named}{text}</span>"

"""Ways to be wrong: each reaction differs in one rule, and some schedule must notice."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from reloadcheck._state.board import View
from reloadcheck._state.together import LOOK, Action, Kind, Me, Vote, react, reads

from .world import Reaction, Stage

__all__ = ["MUTANTS", "Mutant"]


@dataclass(frozen=True)
class Mutant:
    """A wrong reaction, or writes that are not conditional on the look.

    `seed` is of a schedule that is known to notice it.
    """

    reaction: Reaction = react
    unguarded: frozenset[str] = frozenset()
    stage: Stage = reads
    seed: int = 0


def _after(change: Callable[[Me, View, Action], Action], seed: int = 0) -> Mutant:
    return Mutant(lambda me, view: change(me, view, react(me, view)), seed=seed)


def _before(change: Callable[[Me, View], tuple[Me, View]], seed: int = 0) -> Mutant:
    return Mutant(lambda me, view: react(*change(me, view)), seed=seed)


def _never(why: str, seed: int = 0) -> Mutant:
    return _after(lambda me, view, action: LOOK if action.why == why else action, seed)


def _past_joiners(me: Me, view: View, action: Action) -> Action:
    return replace(action, alone=False) if action.why == "activate" else action


def _with_half_of_them(me: Me, view: View) -> tuple[Me, View]:
    return (replace(me, need="quorum") if me.need == "all" else replace(me, need="all")), view


def _boots_by_its_file(me: Me, view: View) -> tuple[Me, View]:
    return me, replace(view, members={}) if me.booting else view


def _swaps_when_ready(me: Me, view: View, action: Action) -> Action:
    ready = me.candidate is not None and me.candidate == me.file and not me.booting
    return Action(Kind.SWAP, me.candidate) if ready else action


def _deaf_to_bans(me: Me, view: View) -> tuple[Me, View]:
    return me, replace(view, state=replace(view.state, banned={}))


def _deaf_to_pins(me: Me, view: View) -> tuple[Me, View]:
    hold = view.state.hold
    pinned = hold is not None and hold.kind == "pin" and me.serving == view.state.target
    return me, replace(view, state=replace(view.state, hold=None)) if pinned else view


def _keeps_the_hold(me: Me, view: View, action: Action) -> Action:
    if action.why != "activate" or action.state is None:
        return action
    return replace(action, state=replace(action.state, hold=view.state.hold))


def _votes_unprepared(me: Me, view: View, action: Action) -> Action:
    opened = view.state.round
    if opened is None or action.content != opened.content or action.kind is not Kind.BUILD:
        return action
    if me.booting or view.votes.get(me.id) == Vote.PREPARED:
        return action
    return Action(Kind.PUT, vote=Vote.PREPARED, why="vote")


def _never_late(me: Me, view: View) -> tuple[Me, View]:
    return replace(me, late=False), view


def _stubborn(me: Me, view: View) -> tuple[Me, View]:
    state = replace(view.state, refused=None)
    failed = {c: v for c, v in me.failed.items() if v is not Vote.FAILED_FOR_GOOD}
    return replace(me, failed=failed, may_retry=True), replace(view, state=state)


def _never_mends(me: Me, view: View) -> str | None:
    return reads(replace(me, failed={}), view)


def _keeps_its_vote(me: Me, view: View, action: Action) -> Action:
    return LOOK if action.vote is Vote.BUILDING else action


def _builds_while_it_is_counted(me: Me, view: View, action: Action) -> Action:
    behind = view.state.target not in (None, me.serving)
    taken_back = action.vote is Vote.BUILDING and me.candidate is not None
    return Action(Kind.BUILD, view.state.target) if behind and taken_back else action


MUTANTS = {
    "activates past a joiner": _after(_past_joiners, 71),
    "takes half for all": _before(_with_half_of_them),
    "boots by its file": _before(_boots_by_its_file, 107),
    "swaps when it is ready": _after(_swaps_when_ready),
    "activates what is banned": _before(_deaf_to_bans, 3),
    "activates against a pin": _before(_deaf_to_pins, 11),
    "keeps the hold that ended": _after(_keeps_the_hold, 15),
    "votes before it has built": _after(_votes_unprepared, 9),
    "knows no deadline": _before(_never_late, 14),
    "tries what failed for good": _before(_stubborn, 46),
    "does not join again": _never("rejoin"),
    "does not tell what it serves": _never("tell"),
    "stays where it cannot be": _never("leave", 79451),
    "reads its file whatever was ordered": Mutant(stage=lambda me, view: me.file, seed=3),
    "reads what cannot be had though an edit may mend it": Mutant(stage=_never_mends, seed=15),
    "keeps its vote for what it builds anew": _after(_keeps_its_vote, 3),
    "catches up while it is counted": _after(_builds_while_it_is_counted, 54091),
    "decides on an old look": Mutant(
        unguarded=frozenset({"activate", "refuse", "withdraw", "open", "found"}), seed=11
    ),
}

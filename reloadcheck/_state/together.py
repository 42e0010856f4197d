"""What one worker does next in a round, so that all activate an edit as one, or none does. Pure.

`react` is pure: it sees the last look at the board and the worker itself, and gives one action. The
driver carries it out, tells what came of it by other fields of `Me`, and looks again. Whatever it
writes is conditional on the look that it was decided on, so that a slow worker decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from .board import Refusal, Round, State, View

__all__ = ["LOOK", "Action", "Kind", "Me", "Vote", "mends", "react", "reads", "wanted"]


class Vote(StrEnum):
    """What a worker says of a round's content."""

    PREPARED = "prepared"
    FAILED = "failed"
    FAILED_FOR_GOOD = "failed for good"
    BUILDING = "building"


class Kind(StrEnum):
    """What there is to do."""

    LOOK = "look"
    BUILD = "build"
    SWAP = "swap"
    DROP = "drop"
    PUT = "put"


@dataclass(frozen=True, slots=True)
class Me:
    """One worker; contents are digests.

    `file` is what its sources hold, None where that is bad. `candidate` is built and probed, and
    not swapped in. `tries` is what all serve, where it is tried here or was until its sources moved
    on; it is not built again. `shown` is the round whose content its sources have shown. `late`:
    its own clock says that the open round is past its deadline; `absent`: that the opener has been
    gone for some seconds. `may_retry`: its back-off allows another try at what failed.
    """

    id: str
    booting: bool = True
    serving: str | None = None
    candidate: str | None = None
    tries: str | None = None
    building: str | None = None
    failed: Mapping[str, Vote] = field(default_factory=dict[str, Vote])
    file: str | None = None
    shown: int | None = None
    late: bool = False
    absent: bool = True
    may_retry: bool = True
    last_good_boots: bool = True
    need: str = "all"
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. A put is conditional on the look; `alone`: and on nobody having joined.

    `leaves`: it takes itself off the board.
    """

    kind: Kind
    content: str | None = None
    state: State | None = None
    joins: str | None = None
    vote: Vote | None = None
    alone: bool = False
    leaves: bool = False
    why: str = ""


LOOK = Action(Kind.LOOK)


def wanted(state: State, content: str | None) -> str | None:
    """Return what the sources ask for, if it may be served at all and does not serve yet."""
    if content is None or content in state.banned:
        return None
    if state.hold is not None and state.hold.kind != "rollback":
        return None
    return content if content != state.target else None


def reads(me: Me, view: View) -> str | None:
    """Return what a worker reads: what all serve, as long as it does not, else its own sources.

    Orders act here: all that follows takes what is read for what the sources hold. What cannot be
    had is left for the edit that may mend it.
    """
    state = view.state
    if me.booting:
        return _boots_with(me, view)
    if state.target in (None, me.serving, me.tries):
        return me.file
    return me.file if mends(state, me.file, me.failed) else state.target


def mends(state: State, file: str | None, failures: Mapping[str, Vote]) -> bool:
    """Return whether what the sources hold may mend that what all serve cannot be had here.

    What may turn is tried again once the others have refused the edit.
    """
    failed = failures.get(str(state.target))
    never = failures.get(str(file)) is Vote.FAILED_FOR_GOOD
    if failed is None or never or wanted(state, file) is None:
        return False
    if failed is Vote.FAILED_FOR_GOOD:
        return True
    if state.round is not None:
        return state.round.content == file
    return state.refused is None or state.refused.content != file


def react(me: Me, view: View) -> Action:
    """Return the next action of a worker."""
    state = view.state
    if me.booting:
        return _boot(me, view)
    target = state.target
    if target is not None and target not in (me.serving, me.tries):
        if me.candidate == target:
            return Action(Kind.SWAP, target)
        if me.building == target:
            return LOOK
        again = me.may_retry and (state.round is None or state.round.content != me.file)
        may_mend = mends(state, me.file, me.failed)
        if not may_mend and (target not in me.failed or again):
            return _without_vote(me, view) or Action(Kind.BUILD, target)
        if me.id not in view.members and not may_mend:
            return LOOK  # it cannot have the target: it serves on, and nobody waits for it
    if target is None:  # it started while the board was away, and is the first one there
        return _found(state, me.serving)
    if me.id not in view.members:
        return Action(Kind.PUT, joins=me.serving, why="rejoin")
    if view.members[me.id].content != me.serving:
        return Action(Kind.PUT, joins=me.serving, why="tell")
    return _calm(me, view) if state.round is None else _in_round(me, view, state.round)


def _boot(me: Me, view: View) -> Action:
    """Build what the others serve, or what the sources hold, and join on it, or found the group."""
    state = view.state
    content = _boots_with(me, view)
    if content is None:
        return LOOK
    if me.candidate != content:
        if content in me.failed and me.id in view.members:
            # It has joined on something else and was not told so: nobody is to wait for it.
            return Action(Kind.PUT, leaves=True, why="leave")
        if me.building == content or (content in me.failed and not me.may_retry):
            return LOOK
        return Action(Kind.BUILD, content)
    if content == state.target or content == view.served_beside(me.id):
        return Action(Kind.PUT, joins=content, why="join")
    return _found(state, content)


def _found(state: State, content: str | None) -> Action:
    """Begin with a content; it is joined next, as a member ends with its process and this not."""
    after = replace(state, edition=state.edition + 1, active=content, round=None, refused=None)
    return Action(Kind.PUT, state=after, alone=True, why="found")


def _boots_with(me: Me, view: View) -> str | None:
    state = view.state
    if state.hold is not None and state.hold.content is not None:
        return state.hold.content
    beside = view.served_beside(me.id)
    if beside is not None:
        return beside
    file = me.file if me.file is not None and me.file not in state.banned else None
    banned = me.file is not None and file is None
    good = state.active if state.active not in state.banned else None
    last = good if banned or me.last_good_boots else None
    if file is not None and (last is None or file not in me.failed):
        return file
    # Neither may be had at once: what may still turn goes before what never will.
    never = me.failed.get(last or "") is Vote.FAILED_FOR_GOOD
    turns = file is not None and me.failed.get(file) is not Vote.FAILED_FOR_GOOD
    return file if never and turns else last


def _calm(me: Me, view: View) -> Action:
    """Open a round where the sources ask for something that may be tried."""
    state = view.state
    content = None if me.frozen else wanted(state, me.file)
    if content is None:
        spare = me.candidate is not None and me.candidate != state.target
        return Action(Kind.DROP) if spare else LOOK
    attempt = 0
    if state.refused is not None and state.refused.content == content:
        barred = any(each in view.members for each in state.refused.by)
        if barred or not me.may_retry:
            return LOOK if me.candidate is None else Action(Kind.DROP)
        attempt = state.refused.attempt + 1
    if content not in (me.candidate, me.serving):  # nobody opens what he has not built himself
        return _build(me, content)
    opened = Round(view.revision + 1, content, by=me.id, attempt=attempt)
    return Action(Kind.PUT, state=replace(state, round=opened), why="open")


def _in_round(me: Me, view: View, opened: Round) -> Action:
    """Vote, and decide what all votes come to."""
    state = view.state
    if _is_over(me, view, opened):
        return Action(Kind.PUT, state=replace(state, round=None), why="withdraw")
    has = opened.content in (me.candidate, me.serving)
    if me.file == opened.content and not has:  # a secret was rotated, and it is built anew
        taken_back = _without_vote(me, view)
        if taken_back is not None:
            return taken_back
    if _has_enough(me, view):
        if opened.by != me.id and not me.absent:
            return LOOK  # the opener decides, as long as it is there
        after = replace(
            state,
            edition=state.edition + 1,
            active=opened.content,
            hold=None,
            round=None,
            refused=None,
        )
        return Action(Kind.PUT, state=after, alone=True, why="activate")
    if me.late or _is_hopeless(me, view):
        never = tuple(sorted(m for m, v in view.votes.items() if v == Vote.FAILED_FOR_GOOD))
        refused = Refusal(opened.content, opened.attempt, never)
        return Action(Kind.PUT, state=replace(state, round=None, refused=refused), why="refuse")
    return _vote(me, view, opened)


def _without_vote(me: Me, view: View) -> Action | None:
    """Take back that the round's edit is ready here; what is built next takes its place.

    It is told like a joiner, whom no decision passes.
    """
    if view.votes.get(me.id) != Vote.PREPARED or me.id not in view.members:
        return None
    return Action(Kind.PUT, vote=Vote.BUILDING, joins=me.serving, why="vote")


def _vote(me: Me, view: View, opened: Round) -> Action:
    if me.file != opened.content:
        return LOOK
    mine = view.votes.get(me.id)
    if opened.content in (me.candidate, me.serving):
        vote = Vote.PREPARED
    elif me.failed.get(opened.content) is None or _builds(me, opened.content):
        return _build(me, opened.content)
    else:
        vote = me.failed[opened.content]
    return LOOK if mine == vote else Action(Kind.PUT, vote=vote, why="vote")


def _builds(me: Me, content: str) -> bool:
    """Return whether a content that failed is built again, or about to be."""
    transient = me.failed.get(content) is Vote.FAILED
    return me.building == content or (transient and me.may_retry)


def _build(me: Me, content: str) -> Action:
    """Build what is not being built, unless it can never be had."""
    failed = me.failed.get(content)
    if me.building == content or (failed is not None and not _builds(me, content)):
        return LOOK
    return Action(Kind.BUILD, content)


def _is_over(me: Me, view: View, opened: Round) -> bool:
    """Return whether the sources have moved on from the round's content, as I know for sure."""
    if me.file == opened.content:
        return False
    if me.frozen or me.shown == opened.id or opened.by == me.id:
        return True
    return opened.by not in view.members and not view.votes


def _has_enough(me: Me, view: View) -> bool:
    members = view.members
    ready = sum(view.votes.get(each) == Vote.PREPARED for each in members)
    return ready == len(members) > 0 if me.need == "all" else ready > len(members) // 2


def _is_hopeless(me: Me, view: View) -> bool:
    """Return whether enough members can never have it, or all have failed for now."""
    members = view.members
    votes = [view.votes.get(each) for each in members]
    never = votes.count(Vote.FAILED_FOR_GOOD)
    if members and all(v in (Vote.FAILED, Vote.FAILED_FOR_GOOD) for v in votes):
        return True
    return never > 0 if me.need == "all" else never >= len(members) - len(members) // 2

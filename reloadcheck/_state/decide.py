"""What one worker serves, from what its sources hold and what is wanted: the truth table. Pure.

What workers do together is `together`'. A banned content is never served, not at a start either.
What runs goes on where a hold cannot be built here; a start fails then, and names it. Orders that
nobody knows count as none, and are told.
"""

from dataclasses import dataclass

from ..types import Code
from .board import State

__all__ = ["Decision", "Situation", "decide"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a worker knows; contents are digests.

    `file` is what its sources hold, None where that is bad. `running` is what it serves, None at a
    start. `state` is what was read last of the store or its mirror, None where nothing ever was.
    `kept` are the contents that can be read back and built here. `others` serve what is active.
    """

    file: str | None
    running: str | None
    state: State | None
    kept: frozenset[str] = frozenset()
    others: bool = False
    last_good_boots: bool = False
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to serve: a content, from the sources or from what is kept; None: the start fails.

    `code` says why it is not what the sources hold. `ends_hold`: what the sources hold now ends a
    roll-back. `pending`: it is validated and told, and not built. `unasked`: a start goes on what
    nobody was asked about, since what was accepted last is not kept.
    """

    serve: str | None
    code: str | None = None
    ends_hold: bool = False
    pending: bool = False
    behind: bool = False
    unasked: bool = False


def decide(now: Situation) -> Decision:
    """Return what to serve now."""
    state = State() if now.state is None else now.state
    hold = state.hold
    if hold is None:
        return _following(now, state)
    held = now.fallback if hold.kind == "fallback" else hold.content
    if hold.kind == "rollback":
        if now.file is not None and now.file == held:
            return Decision(held, ends_hold=True)
        ends = now.file is not None and now.file not in state.banned
        if ends and (now.running is not None or held is None):
            return Decision(now.file, ends_hold=True)
        if now.file is None:
            return _holding(now, held, Code.CONFIG)
        return _holding(now, held, Code.BANNED if now.file in state.banned else None)
    code = Code.PINNED if hold.kind == "pin" else Code.FALLBACK
    return _holding(now, held, code)


def _holding(now: Situation, held: str | None, code: str | None) -> Decision:
    """Serve what is held, where it can be had."""
    pending = now.file is not None and now.file != held
    if held is not None and (held == now.running or held == now.file or held in now.kept):
        return Decision(held, None if held == now.file else code, pending=pending)
    return Decision(now.running, code, pending=pending, behind=True)


def _following(now: Situation, state: State) -> Decision:
    """Serve what the sources hold, unless that is bad or banned; what is banned no longer."""
    active = None if state.active in state.banned else state.active
    accepted = active if active is not None and active in now.kept else None
    if now.running is not None:
        if now.file is None:
            return Decision(now.running, Code.CONFIG)
        if now.file not in state.banned:
            return Decision(now.file)
        back = now.running in state.banned and accepted is not None
        return Decision(accepted if back else now.running, Code.BANNED)
    if now.others and active is not None and (accepted is not None or active == now.file):
        return Decision(active)
    if now.file is not None and now.file not in state.banned:
        return Decision(now.file)
    if now.file is not None:
        return Decision(accepted, Code.BANNED)
    return Decision(accepted if now.last_good_boots else None, Code.BOOTED_LAST_GOOD)

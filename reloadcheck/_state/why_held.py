"""Say in one sentence why what serves is not what the sources hold. Pure."""

from ..types import Code
from .bans import ban_named
from .board import State
from .decide import Decision

__all__ = ["remark_on"]

_WORDS = {"rollback": "rolled back", "pin": "pinned"}


def remark_on(decision: Decision, state: State, content: str | None, *, fallen: bool) -> str | None:
    """Return the sentence, None where there is nothing to say.

    `content` is what the sources hold; `fallen`: the fall-back serves.
    """
    hold = state.hold
    held = hold is not None and decision.serve == hold.content
    if hold is not None and not decision.ends_hold and (held or fallen):
        who = f" by {hold.by}" if hold.by else ""
        why = f" ({hold.why})" if hold.why else ""
        order = f"{_WORDS.get(hold.kind, hold.kind)} to edition {hold.edition}"
        order = "the fall-back serves" if fallen else order
        return f"{order}{who}{why}{_pending(decision, state, content)}"
    if decision.serve is not None and decision.code in (Code.BANNED, Code.BOOTED_LAST_GOOD):
        why = "is banned" if decision.code == Code.BANNED else "could not be used at the start"
        return f"what the sources hold {why}: the last accepted edition serves"
    if decision.unasked:
        why = f"edition {state.edition}, which was accepted last, is not kept in the store"
        why = "the store had not answered at the start" if state.active is None else why
        return f"what the sources hold serves, and no window, leave or freeze was asked: {why}"
    return None


def _pending(decision: Decision, state: State, content: str | None) -> str:
    if not decision.pending:
        return ""
    ban = None if content is None else state.banned.get(content)
    if content is not None and ban is not None:
        return f"; what the sources hold is not served: {ban_named(content, ban)}, banned"
    return "; what the sources hold is not served"

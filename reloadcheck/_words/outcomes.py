"""What a check, a probe or an edit came to: outcomes, codes, and the steps on the way.

What to do about a code is `_observe/remedies`'.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What a check came to."""

    UNCHANGED = "unchanged"
    RELOADED = "reloaded"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    WAITING = "waiting"
    TRYING = "trying"
    UNDONE = "undone"
    REBUILT = "rebuilt"


class ProbeOutcome(StrEnum):
    """What asking a resource's probe came to."""

    PASSED = "passed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    RUNNING = "still running"
    NOT_PROBED = "not probed"


class Code(StrEnum):
    """Why an edit did not go live, or what went wrong around one."""

    SOURCE_UNREADABLE = "source-unreadable"
    TORN = "torn"
    UNSETTLED = "unsettled"
    HANGING = "hanging"
    SYNTAX = "syntax"
    MERGE = "merge"
    SCHEMA = "schema"
    FACTORY = "factory"
    PROBE = "probe"
    TIMEOUT = "timeout"
    RESOURCE = "resource"
    DRAIN = "drain"
    CONFIG = "config"
    USAGE = "usage"
    INTERNAL = "internal"
    FORCED_CLOSE = "forced-close"
    CLOSE = "close"
    LISTENER = "listener"
    STORE = "store"
    RULE = "rule"
    RULE_ERROR = "rule-error"
    CONTRACT = "contract"
    RANGE = "range"
    REQUIRED = "required"
    WINDOW = "window"
    FREEZE = "freeze"
    APPROVAL = "approval"
    SIGNATURE = "signature"
    RESTART = "restart"
    BANNED = "banned"
    PINNED = "pinned"
    FROZEN = "frozen"
    FALLBACK = "fallback"
    REFUSED = "refused"
    WAITING = "waiting"
    BOOTED_LAST_GOOD = "booted-last-good"
    UNDONE_FAILED = "undone-failed"
    UNDONE_SLOW = "undone-slow"
    UNDONE_MARKED = "undone-marked"
    UNDONE_SHADOW = "undone-shadow"
    UNDONE_BY_HAND = "undone-by-hand"
    UNDONE_BEFORE = "undone-before"
    WORKER_LOST = "worker-lost"
    WATCH = "watch"
    TROUBLE = "trouble"
    REHEARSAL = "rehearsal"
    SUPERSEDED = "superseded"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a check: `read`, `parse`, `validate` or `build`.

    `begun` is wall-clock time in seconds since the epoch, `seconds` how long it took.
    """

    name: str
    begun: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Trigger:
    """What had a check made: a `request`, a `lease`, a `call` by name, or the engine's own `timer`.

    `link` is what a tracer knows the request by; None where it knows none.
    """

    kind: str
    link: object = None


TIMER: Final = Trigger("timer")

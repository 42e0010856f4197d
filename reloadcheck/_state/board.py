"""The records of a board: from JSON to values and back; a view of all that one application has.

Pure. What another release added to a record is left out when it is read, and what is missing or
makes no sense has a default; a record that is no JSON object is as if it were not there.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from .._config.containers import is_dict
from ..types import Board
from .records import object_in, record

__all__ = [
    "Ban",
    "Freeze",
    "Hold",
    "Member",
    "Refusal",
    "Round",
    "State",
    "View",
    "prefix_of",
    "view_of",
]

DEFAULT_GROUP = "default"
STATE, MEMBERS, VOTES, ENTRIES = "state", "member/", "vote/", "entry/"
STATEMENTS = "statement/"
SEEN = "seen/"
"""Who joined and took no leave; not bound to a life, so that the lost can be named."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is served whatever the sources hold: `rollback`, `pin` or `fallback`, and by whom."""

    kind: str
    content: str | None = None
    edition: int | None = None
    by: str | None = None
    at: float = 0.0
    why: str | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Ban:
    """Why a content is never served again; `cause` is `rollback` or `undone`."""

    edition: int | None = None
    by: str | None = None
    at: float = 0.0
    why: str | None = None
    cause: str = "rollback"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Until when (epoch seconds) no edit goes live, by whose order."""

    until: float | None = None
    by: str | None = None
    at: float = 0.0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """How a person wants the trial that is on to end: `promote` or `undo`; `number` counts them."""

    number: int
    word: str
    by: str | None = None
    at: float = 0.0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One try to activate together; `id` is the store's revision at which it was opened."""

    id: int
    content: str
    source: str | None = None
    by: str | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a round came to that was not activated; `by` are those who can never have it."""

    content: str
    attempt: int = 0
    by: tuple[str, ...] = ()
    code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is wanted: one record, changed by compare-and-set alone.

    `active` is the content that all should serve, `source` the digest of its kept documents.
    `retries` counts the orders to forget what failed; `wish` is the last one about a trial.
    """

    edition: int = 0
    active: str | None = None
    source: str | None = None
    hold: Hold | None = None
    banned: Mapping[str, Ban] = field(default_factory=dict[str, Ban])
    round: Round | None = None
    refused: Refusal | None = None
    freeze: Freeze | None = None
    retries: int = 0
    wish: Wish | None = None

    @property
    def target(self) -> str | None:
        """What everybody should serve: what is held, else what is active."""
        if self.hold is not None and self.hold.content is not None:
            return self.hold.content
        return self.active

    def to_text(self) -> str:
        """Write it as JSON."""
        return to_text(self)


@dataclass(frozen=True, slots=True)
class Member:
    """One worker as the store knows it; times are epoch seconds.

    `in_step` are seconds on the target and seconds at all, of the present and the last hour.
    `pending` is the content of an edit that waits here or is tried.
    """

    host: str = ""
    pid: int = 0
    worker: str = ""
    app: str = ""
    release: str = ""
    state: str = "serving"
    edition: int | None = None
    content: str | None = None
    digest: str | None = None
    layers: Mapping[str, str] = field(default_factory=dict[str, str])
    version: int | None = None
    outcome: str | None = None
    code: str | None = None
    error: str | None = None
    since: float = 0.0
    started: float = 0.0
    in_step: tuple[float, float] = (0.0, 0.0)
    behind: str | None = None
    pending: str | None = None

    def has(self, content: str) -> bool:
        """Return whether it serves a content, or tries it: then it is on its way like the rest."""
        return self.content == content or self.tries(content)

    def tries(self, content: str | None) -> bool:
        """Return whether it serves a content to a share of its units of work."""
        return self.pending is not None and (self.pending, self.outcome) == (content, "trying")

    def to_text(self) -> str:
        """Write it as JSON."""
        return to_text(self)


@dataclass(frozen=True, slots=True)
class View:
    """One look at all that a group of an application has; keys are without the group's prefix.

    `seen` are the members that joined and took no leave, the present ones too. `votes` are those of
    the open round; `reasons` has code and error of each that failed. `crowd` is how many members
    there are where they are too many to be read; then neither they nor `seen` are sure to be here.
    """

    revision: int = 0
    state: State = field(default_factory=State)
    state_revision: int = 0
    members: Mapping[str, Member] = field(default_factory=dict[str, Member])
    votes: Mapping[str, str] = field(default_factory=dict[str, str])
    reasons: Mapping[str, tuple[str | None, str | None]] = field(
        default_factory=dict[str, tuple[str | None, str | None]]
    )
    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    seen: Mapping[str, Member] = field(default_factory=dict[str, Member])
    crowd: int = 0

    def served_beside(self, own: str) -> str | None:
        """Return what who starts beside others is to serve, None where nobody else is there.

        That is what is active; where they try that, what they serve meanwhile: who is new tries it
        with them, and gives it to nobody before.
        """
        others = [one for name, one in self.members.items() if name != own]
        if not others:
            return None
        trying = [one for one in others if one.tries(self.state.active)]
        return next((one.content for one in trying if one.content), self.state.active)


def prefix_of(app: str, release: str | None = None) -> str:
    """Return the prefix of a group's records; names may hold anything."""
    return f"{quote(app, safe='')}/{quote(release or DEFAULT_GROUP, safe='')}/"


def groups_in(board: Board, app: str) -> tuple[str, ...]:
    """Return the groups of an application that have a state."""
    lead, tail = f"{quote(app, safe='')}/", f"/{STATE}"
    keys = [key for key in board.records if key.startswith(lead) and key.endswith(tail)]
    return tuple(unquote(key[len(lead) : -len(tail)]) for key in keys)


def view_of(board: Board, prefix: str) -> View:
    """Read the records below a prefix."""
    state, state_revision = State(), 0
    members: dict[str, Member] = {}
    votes: dict[str, dict[str, str]] = {}
    reasons: dict[str, tuple[str | None, str | None]] = {}
    entries: dict[str, Mapping[str, Any]] = {}
    seen: dict[str, Member] = {}
    for key, one in board.records.items():
        kind = key.removeprefix(prefix)
        found = object_in(one.value)
        if not key.startswith(prefix) or found is None:
            continue
        if kind == STATE:
            state, state_revision = state_from(found), one.revision
        elif kind.startswith(MEMBERS):
            members[kind.removeprefix(MEMBERS)] = record(Member, found) or Member()
        elif kind.startswith(VOTES):
            number, _, voter = kind.removeprefix(VOTES).partition("/")
            votes.setdefault(number, {})[voter] = str(found.get("vote"))
            reasons[voter] = _text_of(found.get("code")), _text_of(found.get("error"))
        elif kind.startswith(ENTRIES):
            entries[kind] = found
        elif kind.startswith(SEEN):
            seen[kind.removeprefix(SEEN)] = record(Member, found) or Member()
    of_round = {} if state.round is None else votes.get(str(state.round.id), {})
    return View(board.revision, state, state_revision, members, of_round, reasons, entries, seen)


def state_from(found: Mapping[str, Any]) -> State:
    """Read a state from its JSON object."""
    given: Any = found.get("banned")
    banned: dict[str, Any] = given if is_dict(given) else {}
    # Whatever is told of a ban, it is one.
    bans = {content: record(Ban, ban) or Ban() for content, ban in banned.items()}
    return record(State, {**found, "banned": bans}) or State()


def to_text(value: Any) -> str:
    """Write a record as JSON, small and in one order."""
    return json.dumps(asdict(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def vote_text(vote: str, code: str | None = None, error: str | None = None) -> str:
    """Write a vote as JSON; a failure with its code and scrubbed error."""
    told = {"vote": str(vote), "code": code, "error": error}
    return json.dumps(told, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _text_of(found: object) -> str | None:
    return found if isinstance(found, str) else None

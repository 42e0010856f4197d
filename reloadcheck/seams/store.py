"""What stands beside an engine, as a contract, a status page and the engine itself see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..types import KeyPath


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the workers of one server keep until a restart: values by key path.

    `left` are key paths whose values are not written down, as they are nowhere to be read.
    """

    kept: tuple[tuple[KeyPath, Any], ...] = field(repr=False)
    left: tuple[KeyPath, ...] = ()


class Beside(Protocol):
    """What a store knows that a contract asks for; never blocks."""

    def statements(self, kind: str) -> Sequence[tuple[str, bytes]]:
        """Return the statements of a kind that are in the store, each with a name."""
        ...

    def running(self, who: str) -> Agreed | None:
        """Return what the siblings of this process keep; None where this is the first of them.

        `who` tells apart those who ask: the code and the contract.
        """
        ...

    def run_with(self, who: str, source_digest: str, agreed: Agreed) -> None:
        """Let siblings to come know what was read, as far as it may be kept."""
        ...


@dataclass(frozen=True, slots=True)
class Together:
    """How workers act as one, for `ReloadCheck(…, together=Together())`; times in seconds.

    `need` says how many members must have an edit ready before it goes live: `all`, or a `quorum`,
    which is more than half. After `deadline` without enough of them it is refused; None stands for
    30 on a host, 120 in a fleet. While the store is away nothing is activated; with `alone_after`
    this worker goes on alone once it has been away for so long.
    """

    need: str = "all"
    deadline: float | None = None
    alone_after: float | None = None


@dataclass(frozen=True, slots=True)
class RoundStatus:
    """One try of the workers to activate an edit together; `content` is the edit's digest.

    `by` is the member that opened it, `votes` what each member says: `prepared`, `failed`,
    `failed for good`, or None so far. `attempt` counts from 0.
    """

    content: str
    by: str | None
    votes: Mapping[str, str | None]
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What people are told of the store; `code` is `store` while it is away, and `error` why.

    `since` is when that began, in seconds since the epoch, `edition` the number of what serves,
    `hold` the kind of the order in force, `order` its code. `in_step`: what serves is what all
    should serve, as was read last; None before that. `rounds`, `round_seconds` and `refusals` count
    the tries to activate together that this worker has seen, `last_rounds` are the seconds of the
    newest.
    `together` is how many must be ready, None where each worker goes by itself; `round` is the one
    that is open. `frozen` says by whom edits are held back, and until when.
    """

    name: str
    code: str | None = None
    error: str | None = None
    since: float | None = None
    edition: int | None = None
    hold: str | None = None
    order: str | None = None
    in_step: bool | None = None
    rounds: int = 0
    round_seconds: float = 0.0
    refusals: int = 0
    last_rounds: tuple[float, ...] = ()
    together: str | None = None
    round: RoundStatus | None = None
    frozen: str | None = None


class Companion(Protocol):
    """What lives beside an engine: ended with it, asked by its status."""

    def close(self) -> None:
        """End; the engine has closed everything."""
        ...

    def retry(self) -> None:
        """Let what was undone be tried again, here at once and elsewhere soon; never blocks."""
        ...

    def until_told(self, seconds: float) -> None:
        """Wait until nobody else serves what was taken back here; blocks at most `seconds`."""
        ...

    def status(self) -> StoreStatus:
        """Return what people are told of it; never blocks."""
        ...

    def edition_of(self, version: int) -> int | None:
        """Return the number that a version of this process has there; never blocks."""
        ...

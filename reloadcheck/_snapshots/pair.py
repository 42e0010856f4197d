"""Two versions at a time: what doors look at while an edit is tried, or watched after it.

Written by the engine thread in one assignment to the doors' cell; read by every unit of work that
begins meanwhile. While there is none, nothing of this is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .tenancy import LiveSnapshot, NamedLease

if TYPE_CHECKING:
    from ..seams.trial import Units, UnitTicket

C = TypeVar("C")

tickets_here: ContextVar[tuple[UnitTicket, ...]] = ContextVar("reloadcheck-tickets", default=())
"""The tickets of the units of work around this code, one an engine, while an edit is tried."""


def mark(name: str) -> None:
    """Count the units of work around this code as bad, under a name of the application's.

    Those of all engines: nobody but chance knows whose edit it was.
    """
    for ticket in tickets_here.get():
        ticket.marked(name)


def raised(error: BaseException | None) -> None:
    """Let the units of work around this code know what a framework makes an answer of.

    Where the answer's status is that of a failure, the exception says better what it was.
    """
    for ticket in tickets_here.get():
        ticket.raised = None if error is None else type(error).__name__


def begin_ticket(ticket: UnitTicket) -> Token[tuple[UnitTicket, ...]]:
    """Let code from here on mark a unit of work, too; `end_ticket` takes what this gives."""
    return tickets_here.set((*tickets_here.get(), ticket))


def end_ticket(token: Token[tuple[UnitTicket, ...]]) -> None:
    """Let it do so no longer; from another context than it began in, this does nothing."""
    try:
        tickets_here.reset(token)
    except ValueError:
        return


class Pair(Generic[C]):
    """The candidate, None once it serves everybody, and who is told of each unit of work."""

    __slots__ = ("candidate", "units")

    def __init__(self, candidate: LiveSnapshot[C] | None, units: Units) -> None:
        self.candidate = candidate
        self.units = units

    def drawn(
        self, lease: NamedLease, current: LiveSnapshot[C], scope: Mapping[str, Any] | None
    ) -> tuple[LiveSnapshot[C], UnitTicket]:
        """Return which version a unit of work gets that has entered the current one, and a ticket.

        `scope` is a request's scope or environ; None for what is never drawn to the candidate, as a
        websocket is not.
        """
        candidate = self.candidate
        if scope is None:
            return current, self.units.begin(candidate is None)
        ticket = self.units.draw(scope)
        if candidate is None:
            ticket.on_candidate = True  # all are, once it serves everybody
        elif ticket.on_candidate:
            if candidate.enter(lease):
                current.leave(lease.key)
                return candidate, ticket
            current.join(lease)  # the trial has just ended; this one holds it still
            ticket.on_candidate = False
        return current, ticket

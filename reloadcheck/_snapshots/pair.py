"""Two versions at a time: what doors look at while an edit is tried, or watched after it.

Written by the engine thread in one assignment to the doors' cell; read by every unit of work that
begins meanwhile. While there is none, nothing of this is touched.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from ..seams import Units, UnitTicket
from .tenancy import LiveSnapshot, NamedLease

C = TypeVar("C")

ticket_here: ContextVar[UnitTicket | None] = ContextVar("reloadcheck-ticket", default=None)
"""The ticket of the unit of work around this code, while an edit is tried."""


def mark(name: str) -> None:
    """Count the unit of work around this code as bad, under a name of the application's."""
    ticket = ticket_here.get()
    if ticket is not None:
        ticket.marked(name)


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
        if candidate is None:
            return current, self.units.begin(True, scope)
        if scope is not None and self.units.falls(scope):
            if candidate.enter(lease):
                current.leave(lease.key)
                return candidate, self.units.begin(True, scope)
            current.join(lease)  # the trial has just ended; this one holds it still
        return current, self.units.begin(False, scope)

"""Two versions at a time: what doors look at while an edit is tried, or watched after it.

Written by the engine thread in one assignment to the doors' cell; read by every unit of work that
begins meanwhile. While there is none, nothing of this is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .tenancy import LeaseRef, LiveSnapshot, NamedLease

if TYPE_CHECKING:
    import asyncio

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
    """What serves, the candidate (None once it serves everybody), and who hears of each unit.

    While it is fresh, doors hold either by a reference and ask nobody, as they do without a trial:
    in the event loop `home`, None: in any. Where the two have two homes, it is never offered.
    """

    __slots__ = ("candidate", "current", "has_one_home", "home", "units")

    def __init__(
        self, current: LiveSnapshot[C] | None, candidate: LiveSnapshot[C] | None, units: Units
    ) -> None:
        self.current = current
        self.candidate = candidate
        self.units = units
        homes = {one.before.home for one in (current, candidate) if one is not None} - {None}
        self.has_one_home = len(homes) < 2
        self.home: asyncio.AbstractEventLoop | None = homes.pop() if homes else None

    def admit(self, scope: Mapping[str, Any]) -> tuple[LeaseRef[C], UnitTicket] | None:
        """Return what holds the version that a request gets, and its ticket; None: ask the engine.

        Takes the reference first and looks second whether that version has just been retired, as
        whoever enters by name does.
        """
        ticket, one = self.units.draw(scope), self.candidate
        if one is None or not ticket.on_candidate:
            one = self.current
        if one is None:
            return None
        hold = one.hold
        if not one.retired:
            return hold, ticket
        ticket.ended()
        del hold
        one.let_go()
        return None

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
        if candidate is not None and ticket.on_candidate:
            if candidate.enter(lease):
                current.leave(lease.key)
                return candidate, ticket
            current.join(lease)  # the trial has just ended; this one holds it still
            ticket.on_candidate = False
        return current, ticket

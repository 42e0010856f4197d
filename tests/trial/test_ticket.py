"""Each thing that is told of a unit of work counts once, however often it is told."""

from reloadcheck.seams.repeats import Request
from reloadcheck.trial.ticket import Ticket


class _Told:
    """A trial that writes down what it is told."""

    bad = frozenset({500})

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    def mark(self, name: str, ticket: Ticket) -> None:
        """Write it down."""
        del ticket
        self.heard.append(("mark", name))

    def fail(self, ticket: Ticket, what: str) -> None:
        """Write it down."""
        del ticket
        self.heard.append(("fail", what))

    def explain(self, ticket: Ticket, what: str) -> None:
        """Write it down."""
        del ticket
        self.heard.append(("explain", what))

    def repeat(self, request: Request) -> None:
        """Write it down."""
        self.heard.append(("repeat", request))

    def end(self, ticket: Ticket, failed: bool) -> None:
        """Write it down."""
        del ticket
        self.heard.append(("end", failed))


def _begun() -> tuple[Ticket, list[tuple[str, object]]]:
    told = _Told()
    return Ticket(told, 1, on_candidate=True, share=0.2, began=0.0), told.heard


def test_a_name_is_marked_once() -> None:
    """A loop that marks each line of an order is one bad request; another name is another."""
    ticket, heard = _begun()
    for name in ("lost", "lost", "late", "lost"):
        ticket.marked(name)
    assert heard == [("mark", "lost"), ("mark", "late")]


def test_an_exception_behind_a_status_only_says_it_better() -> None:
    """It is the same failure."""
    ticket, heard = _begun()
    ticket.failed("GET / → 500")
    ticket.failed("GET / → KeyError")
    assert heard == [("fail", "GET / → 500"), ("explain", "GET / → KeyError")]


def test_a_request_is_made_again_once() -> None:
    """Whoever says twice that the answer is sent."""
    ticket, heard = _begun()
    request = ticket.request = Request("GET", "/", "/")
    ticket.sent()
    ticket.sent()
    assert heard == [("repeat", request)]
    assert not ticket.repeats


def test_it_ends_once() -> None:
    """With its answer, and not once more when its task has ended; who leaves then has not gone."""
    ticket, heard = _begun()
    ticket.answered()
    ticket.gone()
    ticket.ended()
    ticket.failed("background task → KeyError")
    assert heard == [("end", False), ("fail", "background task → KeyError")]

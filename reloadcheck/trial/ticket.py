"""One unit of work of a trial, told of what becomes of it by whoever serves it.

Remembers what was told, so that each thing counts once; the trial counts.
"""

from typing import Protocol

from ..seams.repeats import Request


class Counting(Protocol):
    """The trial that a ticket belongs to."""

    bad: frozenset[int]
    """The statuses that are failures."""

    def mark(self, name: str, ticket: "Ticket") -> None:
        """Take note that the application itself found a unit of work bad."""
        ...

    def fail(self, ticket: "Ticket", what: str) -> None:
        """Take note that a unit of work failed."""
        ...

    def explain(self, ticket: "Ticket", what: str) -> None:
        """Take a better word for a failure that is counted."""
        ...

    def repeat(self, request: Request) -> None:
        """Make a request again whose answer is sent; never blocks, and never raises."""
        ...

    def end(self, ticket: "Ticket", failed: bool) -> None:
        """Take note of the end of a unit of work."""
        ...


class Ticket:
    """One unit of work of a trial; what hardly any unit has is said of all of them here."""

    raised: str | None = None
    request: Request | None = None
    done = slow = False
    _failed = _gone = False
    _marks: tuple[str, ...] = ()

    def __init__(
        self,
        run: Counting,
        number: int,
        on_candidate: bool,
        share: float,
        began: float,
        key: bytes | None = None,
    ) -> None:
        self._run = run
        self.number = number
        self.on_candidate = on_candidate
        self.share = share
        self.began = began
        self.key = key

    def is_bad(self, status: int) -> bool:
        """Return whether the trial calls this status a failure."""
        return status in self._run.bad

    @property
    def repeats(self) -> bool:
        """Return whether the request is to be made again once its answer is sent."""
        return self.request is not None

    def sent(self) -> None:
        """Take note that the answer is sent; the first time the request is made again."""
        request, self.request = self.request, None
        if request is not None:
            self._run.repeat(request)

    def answered(self) -> None:
        """Take note that the answer is complete."""
        if not self.done:
            self.done = True
            self._run.end(self, self._failed)

    def failed(self, what: str) -> None:
        """Take note of a failure, once; what is said of it later says it better."""
        if self._failed:
            self._run.explain(self, what)
        elif not self._gone:
            self._failed = True
            self._run.fail(self, what)

    def gone(self) -> None:
        """Take note that the client went away; after a complete answer every client does."""
        self._gone = self._gone or not self.done

    def marked(self, name: str) -> None:
        """Take note that the application itself calls it bad, once a name."""
        if name not in self._marks:
            self._marks = (*self._marks, name)
            self._run.mark(name, self)

    def ended(self) -> None:
        """Take note of the end, however it came."""
        if not self.done:
            self.answered()

"""Rehearsal: what the application itself tries on an edit before any user gets it.

Functions that the code names, and requests that a contract names as safe to repeat. Each runs on
the new version, whole, with its resources; what fails there and not on what serves rejects the
edit. Asked in a call thread, never on the request path.
"""

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..exceptions import RegistrationError
from ..seams.gates import GO, Answer, Go, Proposal, Reject, Wait
from ..seams.trial import Stage
from ..types import Code, Problem

LOOK_SECONDS: Final = 30.0
"""Seconds after which what failed on what serves, too, is rehearsed again."""

_LEAST_BAD: Final = 500


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One thing that is tried: a function, and the seconds that it may take."""

    name: str
    run: Callable[..., Any]
    timeout: float
    takes_snapshot: bool

    def arguments(self, stage: Stage) -> tuple[object, ...]:
        """Return what the function is called with."""
        return (stage.snapshot,) if self.takes_snapshot else ()


class Rehearsals:
    """The rehearsals of one engine; a gate that judges edits, and never the first load.

    `requests` returns what a contract names, as `GET /healthz`.
    """

    name = "the rehearsal"

    def __init__(self, requests: Callable[[], tuple[str, ...]] = tuple) -> None:
        self.requests = requests
        self._functions: list[Rehearsal] = []

    @property
    def seconds(self) -> float:
        """Return how long one answer may take, in seconds: all of them, on both versions."""
        return 2 * sum(one.timeout for one in self._functions) + 20.0 * (len(self.requests()) + 1)

    def add(self, function: Callable[..., Any], timeout: float) -> None:
        """Register a function; raise `RegistrationError` where it wants more than a snapshot."""
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:  # some of C's tell nothing
            raise RegistrationError("a rehearsal is a function that says what it takes") from None
        needed = [one for one in parameters if one.default is one.empty]
        if len([one for one in needed if one.kind not in _OPEN]) > 1:
            raise RegistrationError("a rehearsal takes no argument, or the snapshot alone")
        takes = any(one.kind in _POSITIONAL for one in parameters)
        name = getattr(function, "__name__", type(function).__name__)
        self._functions.append(Rehearsal(name, function, timeout, takes))

    def may(self, proposal: Proposal) -> Answer:
        """Let everything be built."""
        del proposal
        return GO

    def now(self, proposal: Proposal) -> Answer:
        """Let through what was rehearsed."""
        del proposal
        return GO

    def rehearse(self, proposal: Proposal, new: Stage, old: Stage) -> Answer:
        """Try everything on the new version; what served before is not held up by it."""
        if proposal.is_back:
            return GO
        tries = [self._of_function(one) for one in self._functions]
        requests = self.requests()
        untried = bool(requests) and not new.takes_requests
        if not untried:
            tries += [_of_request(one) for one in requests]
        broken: list[Problem] = []
        for one in tries:
            found = one(new)
            if found is None:
                continue
            if one(old) is not None:
                why = f"{found}; so it does on what serves: it is rehearsed again"
                return Wait(Code.TROUBLE, why, look=LOOK_SECONDS)
            broken.append(Problem(found))
        if broken:
            return Reject(tuple(broken), Code.REHEARSAL)
        return Go((_UNTRIED,)) if untried else GO

    def _of_function(self, one: Rehearsal) -> Callable[[Stage], str | None]:
        def tried(stage: Stage) -> str | None:
            late = f"rehearsal {one.name} took longer than {one.timeout:g} s"
            until = time.monotonic() + one.timeout
            try:
                said = stage.run(lambda: one.run(*one.arguments(stage)), one.timeout)
            except TimeoutError:
                return late
            except BaseException as error:  # an exit too: it is the rehearsal's, and not ours
                return f"rehearsal {one.name} failed with {type(error).__name__}"
            if time.monotonic() > until:  # a plain function is not cut short
                return late
            return f"rehearsal {one.name}: {said}" if isinstance(said, str) and said else None

        return tried


def _of_request(line: str) -> Callable[[Stage], str | None]:
    method, _, target = line.partition(" ")

    def tried(stage: Stage) -> str | None:
        try:
            status = stage.answer(method, target)
        except TimeoutError:
            return f"rehearsal {line}: no answer in time"
        except Exception as error:
            return f"rehearsal {line}: failed with {type(error).__name__}"
        return f"rehearsal {line}: answered {status}" if status >= _LEAST_BAD else None

    return tried


_OPEN: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_POSITIONAL: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
_UNTRIED: Final = (
    "the contract's requests were not rehearsed: this process has not served its application yet"
)

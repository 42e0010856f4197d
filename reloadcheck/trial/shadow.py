"""The shadow of a trial: requests that are made again on both versions, and judged by who differs.

Each is made three times, twice on what serves and once on the candidate, in an order that is drawn
anew and that nobody knows who compares. Counted are those where two of the three answers agree and
the third agrees with neither. If the candidate is harmless its answer is one like the other two,
however they vary (clocks, random ids, what others write meanwhile), so that by chance alone it is
the odd one in one case of three: a coin with share 1/3, for the judge of all other signals. By
Ville's inequality a harmless candidate is ever undone by it with chance `luck` at most, 0.1 % if
nothing else is said; seven odd answers on the candidate, and none on what serves, undo it. Pages
that are never the same twice have no two answers that agree, and count for nothing. Where what
serves fails and the candidate does not, nothing counts either, which errs on its side alone.

Runs after the answer is sent, one at a time, and rests as long as it took; never raises.
"""

import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any, Final

from .._runtime.request_words import asked
from ..seams.repeats import Answered, Repeats, Request
from ..types import ShadowStatus
from .options import Compare

SHARE: Final = 1 / 3
"""The chance that a harmless candidate's answer is the odd one of three."""

_FAILED: Final = 500
_HEADERS: Final = ("content-type", "location")
"""The headers that say what an answer is; all others are of one answer, or of its way."""

_ODD: Final[Mapping[tuple[bool, ...], int]] = {
    (True, False, False): 2,
    (False, True, False): 1,
    (False, False, True): 0,
}

_TIMES: Final = re.compile(
    rb"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    rb"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d"
    rb"|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b"
)
"""Dates and times as ISO 8601 and RFC 9110 write them, and times of day."""


class Shadow:
    """What of one trial is made again; `told` hears of each odd answer: is it the candidate's?

    Its methods may be called in any thread.
    """

    def __init__(
        self,
        paths: Sequence[str],
        compare: Compare | None,
        repeats: Repeats,
        now: Callable[[], float],
        draw: random.Random,
        told: Callable[[bool], None],
    ) -> None:
        self._is_meant = re.compile("|".join(map(_expression, paths)), re.DOTALL).fullmatch
        self._compare: Compare = agree if compare is None else compare
        self._repeats = repeats
        self._now = now
        self._draw = draw
        self._told = told
        self._lock = threading.Lock()
        self._is_busy = False
        self._rests_until = now()
        self._status = ShadowStatus(0, 0, 0, 0)

    def wanted(self, scope: Mapping[str, Any]) -> Request | None:
        """Return how to make a request again; None where it is not one of those."""
        if scope.get("method", scope.get("REQUEST_METHOD")) not in ("GET", "HEAD"):
            return None
        try:
            request = self._repeats.request(scope)
        except Exception:  # whatever a server has put there must not break a request
            return None
        return request if request is not None and self._is_meant(request.path) else None

    def offer(self, request: Request) -> None:
        """Make a request again, whose answer is sent; drop it while another one is."""
        now = self._now()
        with self._lock:
            is_free = not self._is_busy and now >= self._rests_until
            self._is_busy = self._is_busy or is_free
        if not is_free:
            self._count(dropped=1)
            return
        order = [True, False, False]
        self._draw.shuffle(order)
        try:
            self._repeats.start(request, order, partial(self._came, request, order, now))
        except Exception:  # no thread to be had, or the trial has ended
            self._free(now)

    def status(self) -> ShadowStatus:
        """Return what people are told of it."""
        return self._status

    def _came(
        self,
        request: Request,
        order: Sequence[bool],
        began: float,
        answers: Sequence[Answered] | None,
    ) -> None:
        try:
            if answers is None:
                self._count(unjudged=1)
            else:
                self._weigh(request, order, answers)
        finally:
            self._free(began)

    def _weigh(self, request: Request, order: Sequence[bool], answers: Sequence[Answered]) -> None:
        try:
            odd = _odd([bool(self._compare(*pair)) for pair in combinations(answers, 2)])
        except Exception as error:  # told, and nobody is judged by it
            self._count(unjudged=1, error=type(error).__name__)
            return
        self._count(compared=1)
        if odd is None:
            return
        usual, found = answers[(odd + 1) % 3], answers[odd]
        if order[odd]:
            if usual.status >= _FAILED:
                return
            what = difference(usual, found)
            self._count(differing=1, first=f"{asked(request.method, request.path)} → {what}")
        self._told(order[odd])

    def _count(
        self,
        *,
        compared: int = 0,
        differing: int = 0,
        dropped: int = 0,
        unjudged: int = 0,
        first: str | None = None,
        error: str | None = None,
    ) -> None:
        """Add up, and keep the first of each word."""
        with self._lock:
            was = self._status
            self._status = ShadowStatus(
                was.compared + compared,
                was.differing + differing,
                was.dropped + dropped,
                was.unjudged + unjudged,
                was.first or first,
                was.error or error,
            )

    def _free(self, began: float) -> None:
        now = self._now()
        with self._lock:
            self._is_busy = False
            self._rests_until = now + (now - began)


def agree(one: Answered, other: Answered) -> bool:
    """Return whether two answers are the same but for times, and headers of one answer alone."""
    return _same_head(one, other) and _timeless(one.body) == _timeless(other.body)


def difference(usual: Answered, found: Answered) -> str:
    """Return where an answer differs from the usual one, in words that show nothing of a body."""
    if (usual.status, usual.error) != (found.status, found.error):
        return f"{found.error or found.status} instead of {usual.error or usual.status}"
    for name in _HEADERS:
        if usual.header(name) != found.header(name):
            return f"another {name}"
    one, other = _timeless(usual.body), _timeless(found.body)
    if one == other:
        return "another answer by compare="
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    at = min(len(one), len(other)) if same is None else same
    return f"another body from byte {at + 1} on"


def _same_head(one: Answered, other: Answered) -> bool:
    return (one.status, one.error, *map(one.header, _HEADERS)) == (
        other.status,
        other.error,
        *map(other.header, _HEADERS),
    )


def _timeless(body: bytes) -> bytes:
    return _TIMES.sub(b"", body)


def _odd(pairs: Sequence[bool]) -> int | None:
    """Return which of three agrees with neither of two that agree; None where there is none.

    `pairs` says so of the first and second, the first and third, the second and third.
    """
    return _ODD.get(tuple(pairs))


def _expression(path: str) -> str:
    return ".*".join(map(re.escape, path.split("*")))

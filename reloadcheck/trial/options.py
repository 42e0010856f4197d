"""How an edit is tried: shares, times, and what counts as bad."""

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from ..exceptions import OptionError
from ..seams.repeats import Answered

Sticky = Callable[[Mapping[str, Any]], object]
"""Takes a scope or an environ, gives a key whose unit of work always falls alike, or None."""

Compare = Callable[[Answered, Answered], object]
"""Takes two answers to the same request, gives whether they agree."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How an edit is tried first, for `ReloadCheck(…, trial=Trial())`; times in seconds.

    `shares` are the candidate's, one after another: each but the last for `first` seconds, all of
    them for `seconds`, longer until it had `units`, at most `longest`. After the promotion the old
    version is kept ready for `watch` seconds. `luck` is how unlikely a harmless candidate may look
    before it is undone; `slow` the quantile of what serves beyond which a unit is slow; `bad` what
    statuses count as failures, as `5xx` or `503`. `sticky` gives a key by which a visitor always
    gets the same version. `unjudged` says what becomes of a candidate that had fewer units:
    `promote` or `undo`; `act` is `undo`, or `tell` to only say what would have been undone.
    `shadow` are paths, as `/products*`, whose GET and HEAD requests are made again on both versions
    once they are answered; an edit that answers otherwise is undone. `compare` says whether two
    answers agree; without it statuses, types, places to go to and bodies save for times do.
    """

    shares: tuple[float, ...] = (0.01, 0.2)
    first: float = 3.0
    seconds: float = 60.0
    units: int = 20
    longest: float = 600.0
    watch: float = 60.0
    luck: float = 0.001
    slow: float = 0.9
    bad: tuple[str, ...] = ("5xx",)
    sticky: Sticky | None = None
    unjudged: Literal["promote", "undo"] = "promote"
    act: Literal["undo", "tell"] = "undo"
    shadow: tuple[str, ...] = ()
    compare: Compare | None = None

    def __post_init__(self) -> None:
        for name in ("first", "seconds", "longest", "watch"):
            good = _is_number(value := getattr(self, name)) and value >= 0
            _check(good, name, "a number of seconds, 0 or more")
        object.__setattr__(self, "shares", _tuple(self.shares, "shares"))
        object.__setattr__(self, "bad", _tuple(self.bad, "bad"))
        good = bool(self.shares) and all(_is_number(one) and 0 < one < 1 for one in self.shares)
        good = good and sorted(set(self.shares)) == list(self.shares)
        _check(good, "shares", "numbers between 0 and 1 that rise, as in (0.01, 0.2)")
        _check(type(self.units) is int and self.units >= 0, "units", "a whole number")
        _check(_is_number(self.luck) and 0 < self.luck < 1, "luck", "a number between 0 and 1")
        _check(_is_number(self.slow) and 0 < self.slow < 1, "slow", "a number between 0 and 1")
        good = self.sticky is None or _takes(self.sticky, 1)
        _check(good, "sticky", "a function of a scope or an environ, and no coroutine function")
        _check(all(map(_is_status, self.bad)), "bad", "statuses, as in ('5xx', '429')")
        _check(self.unjudged in ("promote", "undo"), "unjudged", "'promote' or 'undo'")
        object.__setattr__(self, "shadow", _tuple(self.shadow, "shadow"))
        _check(all(map(_is_path, self.shadow)), "shadow", "paths, as in ['/products*']")
        good = self.compare is None or _takes(self.compare, 2)
        _check(good, "compare", "a function of two answers, and no coroutine function")
        _check(self.act in ("undo", "tell"), "act", "'undo' or 'tell'")

    def is_bad(self, status: int) -> bool:
        """Return whether a status counts as a failure."""
        return any(_matches(one, status) for one in self.bad)

    def changed(self, words: Mapping[str, object]) -> "Trial":
        """Return the same with what a contract says; raise `OptionError`."""
        known = {one.name for one in fields(self)}
        for name in words:
            _check(name in known, name, "nothing: there is no such option of a trial")
        given: dict[str, Any] = dict(words)
        return replace(self, **given)


def most_careful(trials: Sequence[Trial]) -> Trial:
    """Return how an edit is tried of which several things are said: each option at its safest.

    The smallest shares, the longest times, the most units; undone rather than promoted or told.
    """
    first, *_ = trials
    longest = {name: max(getattr(one, name) for one in trials) for name in _LONGER_IS_SAFER}
    return replace(
        first,
        shares=min(one.shares for one in trials),
        slow=min(one.slow for one in trials),
        bad=tuple(dict.fromkeys(bad for one in trials for bad in one.bad)),
        shadow=tuple(dict.fromkeys(path for one in trials for path in one.shadow)),
        unjudged=max((one.unjudged for one in trials), key=("promote", "undo").index),
        act=max((one.act for one in trials), key=("tell", "undo").index),
        **longest,
    )


_LONGER_IS_SAFER = ("first", "seconds", "units", "longest", "watch", "luck")


def _tuple(value: object, name: str) -> tuple[Any, ...]:
    _check(isinstance(value, Sequence) and not isinstance(value, str), name, "a list")
    return tuple(value)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float holds
        return False


def _is_status(text: object) -> bool:
    return (
        isinstance(text, str)
        and len(text) == 3
        and text[0] in "12345"
        and (text[1:] == "xx" or (text.isascii() and text[1:].isdecimal()))
    )


def _is_path(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[/*][^\s?#]*", text) is not None


def _takes(function: object, arguments: int) -> bool:
    if not callable(function) or inspect.iscoroutinefunction(function):
        return False
    try:
        inspect.signature(function).bind(*[None] * arguments)
    except TypeError:
        return False
    except ValueError:  # one that is written in C tells nothing of what it takes
        return True
    return True


def _matches(text: str, status: int) -> bool:
    return text[0] == str(status)[:1] and (text[1:] == "xx" or text == str(status))


def _check(good: object, name: str, wanted: str) -> None:
    if not good:
        raise OptionError(f"Trial: {name} must be {wanted}")

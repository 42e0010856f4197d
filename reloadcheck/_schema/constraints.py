"""What stands beside a type in `Annotated`: bounds of numbers, lengths and patterns.

Reads the words of `annotated_types` and of `msgspec.Meta` by their attributes, so that neither is
imported. Gives for each a check that says what is wrong, never what the value is.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

__all__ = ["Check", "checks_of"]

Check: TypeAlias = Callable[[Any], str | None]

_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "gt": ("should be greater than", lambda value, bound: value > bound),
    "ge": ("should be at least", lambda value, bound: value >= bound),
    "lt": ("should be less than", lambda value, bound: value < bound),
    "le": ("should be at most", lambda value, bound: value <= bound),
    "multiple_of": ("should be a multiple of", lambda value, bound: value % bound == 0),
}


def checks_of(metadata: Iterable[Any]) -> list[Check]:
    """Return a check for each constraint among what is annotated; nothing else is looked at."""
    return [check for one in metadata for check in _checks(one)]


def _checks(constraint: Any) -> Iterator[Check]:
    for name, (words, holds) in _BOUNDS.items():
        if (bound := _given(constraint, name)) is not None:
            yield _bounded(words, holds, bound)
    if (least := _given(constraint, "min_length")) is not None and least > 0:
        yield _long_enough(least)
    if (most := _given(constraint, "max_length")) is not None:
        yield _short_enough(most)
    if (pattern := _given(constraint, "pattern")) is not None:
        yield _matching(re.compile(pattern))


def _given(constraint: Any, name: str) -> Any:
    """Return what a constraint says, and None also for a class, or for what merely has a method."""
    found = None if isinstance(constraint, type) else getattr(constraint, name, None)
    return None if callable(found) else found


def _bounded(words: str, holds: Callable[[Any, Any], bool], bound: Any) -> Check:
    return lambda value: None if holds(value, bound) else f"{words} {bound}"


def _long_enough(least: int) -> Check:
    return lambda value: None if len(value) >= least else f"should have length at least {least}"


def _short_enough(most: int) -> Check:
    return lambda value: None if len(value) <= most else f"should have length at most {most}"


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(value: Any) -> str | None:
        return None if pattern.search(value) else f"should match the pattern {pattern.pattern}"

    return check

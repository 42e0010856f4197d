"""What a trial cannot be asked for is said where it is written, not found out in a request."""

from typing import Any

import pytest

from reloadcheck import OptionError
from reloadcheck.trial import Trial


async def _later(scope: Any) -> object:
    return scope


def _of_nothing() -> object:
    return 1


def _of_two(one: Any, other: Any) -> object:
    return one, other


def _with_more(scope: Any, more: int = 1) -> object:
    return scope, more


KEYS: list[Any] = [None, dict, str, _with_more]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"sticky": "cookie"}, "sticky"),
        ({"sticky": _of_nothing}, "sticky"),
        ({"sticky": _of_two}, "sticky"),
        ({"sticky": _later}, "sticky"),
        ({"seconds": 10**400}, "seconds"),
        ({"shares": (float("nan"),)}, "shares"),
        ({"shares": (0.0,)}, "shares"),
        ({"shares": 0.5}, "shares"),
        ({"luck": float("nan")}, "luck"),
        ({"bad": ("5٣٣",)}, "bad"),
        ({"bad": (503,)}, "bad"),
    ],
)
def test_what_would_fail_in_a_request_fails_here(options: dict[str, Any], wrong: str) -> None:
    """A key function that takes no scope would else make each visitor fall anew, in silence."""
    with pytest.raises(OptionError, match=f"Trial: {wrong} must be"):
        Trial(**options)


@pytest.mark.parametrize("sticky", KEYS)
def test_whatever_takes_a_scope_gives_a_key(sticky: Any) -> None:
    """A class, or a function with more that has defaults."""
    assert Trial(sticky=sticky).sticky is sticky

"""What a trial cannot be asked for is said where it is written, not found out in a request."""

from typing import Any

import pytest

from reloadcheck import OptionError
from reloadcheck.trial import Trial


async def _later(scope: Any) -> object:
    return scope


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"sticky": "cookie"}, "sticky"),
        ({"sticky": lambda: 1}, "sticky"),
        ({"sticky": lambda one, other: (one, other)}, "sticky"),
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


@pytest.mark.parametrize("sticky", [None, dict, str, lambda scope, more=1: (scope, more)])
def test_whatever_takes_a_scope_gives_a_key(sticky: Any) -> None:
    """A class, or a function with more that has defaults."""
    assert Trial(sticky=sticky).sticky is sticky

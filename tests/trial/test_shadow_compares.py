"""How two answers are compared: by themselves or by the application's function, told in words."""

from typing import Any

import pytest

from reloadcheck import OptionError, Outcome
from reloadcheck.trial import Answered, Trial
from reloadcheck.trial.shadow import agree, difference
from reloadcheck.types import ShadowStatus

from .shadowed import shadow_of, visit
from .site import Making


def test_a_function_of_the_applications_compares(site: Making) -> None:
    """It gets two answers and says whether they agree; what it calls equal is."""
    seen: list[Answered] = []

    def compare(one: Answered, other: Answered) -> bool:
        seen.extend((one, other))
        return one.status == other.status

    shop = site(trial=Trial(shadow=("/",), compare=compare))
    shop.edit(2)
    visit(shop, 8)
    assert shadow_of(shop).differing == 0
    assert {one.body for one in seen} == {b"1", b"2"}
    assert {one.header("content-type") for one in seen} == {"text/plain"}


def test_a_function_that_raises_is_told(site: Making) -> None:
    """By the name of its error; nobody is judged by it."""
    shop = site(trial=Trial(shadow=("/",), compare=lambda one, other: one["body"]))  # type: ignore[index]
    shop.edit(2)
    visit(shop, 8)
    assert shadow_of(shop) == ShadowStatus(0, 0, 0, 8, error="TypeError")
    assert shop.live.status().outcome is Outcome.TRYING


def takes_one(one: Answered) -> bool:
    """Compare with nothing."""
    return one.status == 200


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"shadow": "/products*"}, "Trial: shadow must be a list"),
    ({"shadow": ["products"]}, r"Trial: shadow must be paths, as in \['/products\*'\]"),
    ({"shadow": ["/products?a=1"]}, "Trial: shadow must be paths"),
    ({"shadow": ["GET /products"]}, "Trial: shadow must be paths"),
    ({"shadow": [1]}, "Trial: shadow must be paths"),
    ({"compare": "body"}, "Trial: compare must be a function of two answers"),
    ({"compare": takes_one}, "Trial: compare must be a function of two answers"),
]


@pytest.mark.parametrize(("options", "wanted"), WRONG)
def test_wrong_options_are_told_at_once(options: Any, wanted: str) -> None:
    """By the name of the option and what it should be."""
    with pytest.raises(OptionError, match=wanted):
        Trial(**options)


def test_a_coroutine_function_compares_nothing() -> None:
    """Its coroutine would always agree."""

    async def compare(one: Answered, other: Answered) -> bool:
        return one == other

    with pytest.raises(OptionError, match="no coroutine function"):
        Trial(compare=compare)


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (Answered(200), Answered(404), "404 instead of 200"),
        (Answered(200), Answered(500, error="KeyError"), "KeyError instead of 200"),
        (
            Answered(302, (("location", "/a"),)),
            Answered(302, (("location", "/b"),)),
            "another location",
        ),
        (
            Answered(200, body=b"price 1"),
            Answered(200, body=b"price 2"),
            "another body from byte 7",
        ),
        (Answered(200, body=b"price"), Answered(200, body=b"price 2"), "another body from byte 6"),
        (Answered(200, body=b"same"), Answered(200, body=b"same"), "another answer by compare="),
    ],
)
def test_a_difference_in_words(one: Answered, other: Answered, words: str) -> None:
    """Where it is, and nothing of what is there."""
    assert difference(one, other).startswith(words)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (b"at Sun, 06 Nov 1994 08:49:37 GMT", b"at Mon, 07 Nov 1994 08:49:38 GMT", True),
        (b"at 2026-11-29 20:00:01.5+01:00.", b"at 2026-11-30 20:00:02.5+01:00.", True),
        (b"price 12:34", b"price 12:35", False),
        (b"10 left", b"11 left", False),
    ],
)
def test_what_agrees_without_a_function(one: bytes, other: bytes, equal: bool) -> None:
    """Dates and times of day are no difference, and other numbers are."""
    assert agree(Answered(200, body=one), Answered(200, body=other)) is equal

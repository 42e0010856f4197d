"""One environment variable's text, read as one YAML scalar."""

from datetime import date, datetime

import pytest
import yaml

from reloadcheck.exceptions import ConfigSyntaxError
from reloadcheck.parsers import parse_scalar

VALUES: dict[str, object] = {
    "": None,
    "null": None,
    "5": 5,
    "010": 8,
    "22:22": 1342,
    "1.5": 1.5,
    "1e5": "1e5",
    "yes": True,
    "off": False,
    "text": "text",
    "two words": "two words",
    "2024-02-29": date(2024, 2, 29),
    "2024-02-29 01:02:03": datetime(2024, 2, 29, 1, 2, 3),
    "'5'": "5",
    '"a\\nb"': "a\nb",
    "'it''s'": "it's",
    "http://h:80/?a=b": "http://h:80/?a=b",
}
VERBATIM = [
    "[a]",
    "{a: b}",
    "a: b",
    "- a",
    "%x",
    "@x",
    "`x",
    "#fff",
    "abc #d",
    "5 # five",
    "'a' # b",
    "|",
    "> x",
    "|\n  x",
    "!!int 5",
    "!!str 'a'",
    "&a 'b'",
    "!x",
    "&a",
    "&a b",
    "*a",
    "=",
    "<<",
    "--- a",
    "...",
    "a\nb",
    "a\n\nb\n",
    "-----BEGIN KEY-----\nabc\n-----END KEY-----\n",
    "'a",
    '"\\x"',
    "? a",
    " ",
    " 5",
    "5\n",
    "\t'a'",
    " yes ",
    "a\tb",
    "x\x07",
    "[" * 100_000,
]


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_a_plain_or_quoted_scalar_has_the_value_that_yaml_gives_it(
    text: str, value: object
) -> None:
    """A text that is one scalar means what it means in a YAML file."""
    assert repr(value) == repr(parse_scalar(text, "APP_X"))
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize("text", VERBATIM, ids=lambda text: repr(text)[:20])
def test_anything_else_is_taken_as_it_is_written(text: str) -> None:
    """A password with brackets, colons, hashes or line ends in it arrives unchanged."""
    assert text == parse_scalar(text, "APP_X")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (".nan", "must be finite"),
        ("-.inf", "must be finite"),
        ("9223372036854775808", "64 bits"),
        ("1" * 10_000, "at most 400 characters"),
        ("2024-02-30", "does not exist"),
        ("a\udc80", "surrogate"),
    ],
)
def test_the_limits_hold_for_variables_too(text: str, reason: str) -> None:
    """A variable may hold what a file may hold, and the error names the variable."""
    with pytest.raises(ConfigSyntaxError) as caught:
        parse_scalar(text, "APP_X")
    assert reason in caught.value.reason
    assert caught.value.path == "APP_X"
    assert text not in str(caught.value)
    assert caught.value.__context__ is None

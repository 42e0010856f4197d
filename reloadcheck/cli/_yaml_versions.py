"""Find the scalars of a YAML document that readers of YAML 1.1 and of 1.2 take differently.

This package reads 1.1, as PyYAML does; much else that may read the same file reads the core schema
of YAML 1.2 (section 10.3.2). Takes what is written, gives sentences that quote none of it.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from ..parsers import Survey, Written

__all__ = ["differences"]

_MOST_DIGITS: Final = 400
"""More than any integer has that is accepted here; of a longer one only its kind is compared."""

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOUNS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (int, "an integer"),
    (float, "a number"),
    (datetime, "a date and time"),
    (date, "a date"),
    (str, "text"),
)


def differences(known: Survey) -> Iterator[tuple[Written, str]]:
    """Return each such scalar with a sentence on it."""
    for written in known.scalars:
        other = core_value(written.text)
        if other != written.value:
            yield written, _sentence(written, other)


def core_value(text: str) -> object:
    """Return the value of a plain scalar by the core schema of YAML 1.2."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text[:_MOST_DIGITS])
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.lower().replace(".", "", 1))
    return text


def _sentence(written: Written, other: object) -> str:
    here, there = _noun(written.value), _noun(other)
    if here == "an integer":
        there = "another integer" if there == here else there
        here += _base(written.text)
    subject = "this key is" if written.is_key else "is"
    return f"{subject} {here} here (YAML 1.1) and {there} in YAML 1.2; {_remedy(written)}"


def _remedy(written: Written) -> str:
    if written.is_key:
        return "put it in quotes"
    if isinstance(written.value, bool):
        return "write true or false, or put text in quotes"
    if isinstance(written.value, int | float):
        return "write a plain decimal number, or put text in quotes"
    return "put text in quotes, write a number in full"


def _base(text: str) -> str:
    """Name the base of an integer that only YAML 1.1 knows how to write."""
    if ":" in text:
        return " to the base of 60"
    return " to the base of 8" if re.match(r"[-+]?0[0-9_]", text) else ""


def _noun(value: object) -> str:
    if value is None:
        return "null"
    return next(noun for kind, noun in _NOUNS if isinstance(value, kind))

"""The words that problems of all validators share.

A reason says what should be there and the *type* of what was found, never the value; a sentence
that somebody else wrote is scrubbed first.
"""

from collections.abc import Callable
from datetime import date, datetime, time

from ..types import KeyPath, Problem, Tree

__all__ = ["foreign_problem", "foreign_reason", "mismatch", "noun_of", "tidy"]

_NOUNS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    type(None): "null",
    list: "a list",
    dict: "a mapping",
    datetime: "a date and time",
    date: "a date",
    time: "a time",
    bytes: "binary data",
}
_WRITTEN_AS_STRINGS = frozenset({
    "a date", "a date and time", "a time", "a duration", "a URL", "a UUID", "JSON", "base64 text",
    "a time zone", "an IPv4 address", "an IPv4 interface", "an IPv4 network", "an IPv6 address",
    "an IPv6 interface", "an IPv6 network",
})  # fmt: skip


def noun_of(value: object) -> str | None:
    """Return what people call values of this type; None for a type that no parser makes."""
    return next((noun for kind, noun in _NOUNS.items() if type(value) is kind), None)


def mismatch(wanted: str, found: str | None) -> str:
    """Say what should be there and what is, unless that misleads: a bad date *is* a string."""
    as_string = found == "a string" and wanted in _WRITTEN_AS_STRINGS
    if found is None or found == wanted or as_string:
        return f"should be {wanted}"
    return f"should be {wanted}, not {found}"


def foreign_reason(error: BaseException, scrubbed: Callable[[str], str], kind: str = "") -> str:
    """Return the type of an exception and its text, `scrubbed` of what it quotes."""
    kind = kind or type(error).__name__
    try:
        text = str(error)
    except Exception:  # an exception's own `__str__` may be anything
        return kind
    message = scrubbed(text).strip()
    return f"{kind}: {message}" if message else kind


def foreign_problem(error: Exception, tree: Tree, kind: str = "") -> Problem:
    """Return the problem of an exception that concerns the whole tree."""
    from .._config.redact import Scrubber  # only what failed needs it

    return Problem(foreign_reason(error, Scrubber(tree), kind))


def tidy(problems: list[Problem]) -> list[Problem]:
    """Make one problem of those that a union's members have with one value."""
    reasons: dict[KeyPath, list[str]] = {}
    for problem in problems:
        known = reasons.setdefault(problem.key_path, [])
        if problem.reason not in known:
            known.append(problem.reason)
    return [Problem(_joined(texts), key_path=path) for path, texts in reasons.items()]


def _joined(texts: list[str]) -> str:
    """Join `should be A, not C` and `should be B, not C` to `should be A or B, not C`."""
    split = [text.removeprefix("should be ").partition(", not ") for text in texts]
    found = {end for _, _, end in split if end}
    if len(found) != 1 or not all(text.startswith("should be ") for text in texts):
        return " or ".join(texts)
    return f"should be {' or '.join(wanted for wanted, _, _ in split)}, not {found.pop()}"

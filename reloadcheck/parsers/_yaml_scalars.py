"""Return a YAML scalar the value that `yaml.safe_load` gives it, within the limits.

The rules and the conversions are PyYAML's own, taken from the classes that nobody's
`add_constructor` or `add_implicit_resolver` call reaches.
"""

import re
from datetime import date, datetime
from enum import Enum
from typing import Final, TypeAlias

from yaml.constructor import SafeConstructor
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from ._limits import MAX_NUMBER, finite, short, whole
from ._patterns import compiled
from ._text import Refusal, refuse_surrogates


class Marker(Enum):
    """The two plain scalars that mean something only as a key."""

    MERGE = "<<"
    VALUE = "="


Scalar: TypeAlias = str | int | float | date | Marker | None

_SURE_DIGITS: Final = 19
"""With fewer digits an integer fits into 64 bits."""

_YAML: Final = "tag:yaml.org,2002:"
_LONG_NUMBER: Final = compiled(
    r"[-+]?(?:0[0-7_]*+|0b[01_]++|0x[0-9a-fA-F_]++)\Z"
    r"|\.[0-9][0-9_]*+(?:[eE][-+][0-9]++)?+\Z"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]++)[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]*+)?+[ \t]*+(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?)?\Z"
)
"""The numbers and times, of any length; the rules themselves, which try in vain what is none of
them in many ways, hold a megabyte for a tenth of a second in one go."""
_WHOLE: Final = re.compile(r"[-+]?(?!0[0-9_:]*+\Z)[0-9][0-9_]*+(?=[-+0-9_:.eE]*+\Z)")
_SIXTIES: Final = re.compile(r"(?::(?:[0-5][0-9]|[0-9](?![0-9]))){1,500}")
_FRACTION: Final = compiled(r"(?:\.[0-9_]*+(?:[eE][-+][0-9]++)?+)?+\Z")
"""A number in its parts, of which the second may come again and again: `1:30:00.5`."""
_CONSTRUCTOR: Final = SafeConstructor()
_RULES: Final[dict[str, list[tuple[str, re.Pattern[str]]]]] = {
    first: list(rules) for first, rules in Resolver.yaml_implicit_resolvers.items()
}
_KNOWN: Final = frozenset({
    "binary", "bool", "float", "int", "map", "merge", "null", "omap", "pairs", "python", "seq",
    "set", "str", "timestamp", "value", "yaml",
})  # fmt: skip
_REASONS: Final = {
    "int": "cannot be read as an integer",
    "float": "cannot be read as a number",
    "bool": "cannot be read as true or false",
    "timestamp": "is a date or time that does not exist",
}


def plain(text: str) -> Scalar:
    """Return the value of a scalar without quotes and without a tag."""
    if text.isdecimal() and text.isascii() and text[0] != "0" and len(text) < _SURE_DIGITS:
        return int(text)  # which the rules below say too, at five times the cost
    if len(text) > MAX_NUMBER:
        return short(text) if _is_long_number(text) else text
    for tag, pattern in _RULES.get(text[:1], ()):
        if pattern.match(text):
            return tagged(tag, text)
    return text


def _is_long_number(text: str) -> bool:
    if _LONG_NUMBER.match(text):
        return True
    found = _WHOLE.match(text)
    if found is None:
        return False
    at = found.end()
    while found := _SIXTIES.match(text, at):
        at = found.end()
    return _FRACTION.match(text, at) is not None


def quoted(text: str) -> str:
    """Return the value of a scalar in quotes, or of a block of text."""
    return refuse_surrogates(text)


def tagged(tag: str, text: str) -> Scalar:
    """Return the value of a scalar with this tag; refuse a tag that no configuration needs."""
    kind = tag.removeprefix(_YAML)
    if kind == "str":
        return refuse_surrogates(text)
    if kind == "null":
        refuse_surrogates(text)
        return None
    if kind in _REASONS:
        return _converted(kind, text)
    if kind == "merge" and text == "<<":
        return Marker.MERGE
    if kind == "value" and text == "=":
        return Marker.VALUE
    raise foreign(tag)


def foreign(tag: str) -> Refusal:
    """Make the refusal of a tag, named only where it is one of YAML's or PyYAML's own.

    Any other may be a password that begins with `!`, and `!!python/name:…` ends in anything.
    """
    name = tag.removeprefix(_YAML).partition("/")[0]
    if tag.startswith(_YAML) and name in _KNOWN:
        shown = "python/…" if name == "python" else name
        return Refusal(f"the tag !!{shown} is not allowed; only plain YAML is read")
    return Refusal("a tag is not allowed here; put text that begins with ! in quotes")


def _converted(kind: str, text: str) -> Scalar:
    short(text)
    try:
        value = _convert(kind, text)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # From None, and a sentence of our own: the foreign one quotes the text.
        raise Refusal(_REASONS[kind]) from None
    if type(value) is int:
        return whole(value)
    if type(value) is float:
        return finite(value)
    return value


def _convert(kind: str, text: str) -> int | float | bool | date | datetime:
    if kind == "int" and text.isdecimal() and text[0] != "0":
        return int(text)
    node = ScalarNode(_YAML + kind, text)
    match kind:
        case "int":
            return _CONSTRUCTOR.construct_yaml_int(node)
        case "float":
            return _CONSTRUCTOR.construct_yaml_float(node)
        case "bool":
            return _CONSTRUCTOR.construct_yaml_bool(node)
        case _:
            return _CONSTRUCTOR.construct_yaml_timestamp(node)

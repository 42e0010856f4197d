"""What one untyped text means to an annotation: `"5"` of a variable where an int is wanted.

Whole layers are `_load/untyped`'s. A text from a variable or a secret's file is text where the
field takes text: never stripped, never unquoted. Elsewhere it is what its type says, by the same
rules whoever reads the schema afterwards. A type that takes anything converts nothing: there it
stays text too.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from math import inf
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

from ..exceptions import ConfigSyntaxError
from ..types import Untyped, Verbatim
from .annotations import container_of, members_of, metadata_of, parameters_of, union_of
from .class_fields import class_fields, converts, takes_extras
from .scalars import scalar_of

__all__ = ["NoMeaningError", "inside", "meaning_of", "without_schema"]


class NoMeaningError(ValueError):
    """A text stands for nothing of its field's type; the sentence says what should be there."""


class _WantedError(ValueError):
    """What should be there, where that is more than the type's name."""


class _AsWritten:
    """Stands for the type of a field whose class converts the text by code of its own."""


_NULLS: Final = frozenset({"", "~", "null"})
_BOOLEANS: Final = {"true": True, "yes": True, "on": True, "1": True} | {
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
_BASES: Final = {"0x": 16, "0o": 8, "0b": 2}
_LONGEST_NUMBER: Final = 400
_LEAST, _MOST = -(2**63), 2**63 - 1


def inside(annotation: Any, key: object) -> Any:
    """Return the annotation of what a value has at a key; `Any` where there is no telling."""
    found: list[Any] = []
    for member in _members(annotation):
        if (fields := class_fields(member)) is not None:
            named = [field for field in fields if key in field.keys]
            found += [_AsWritten if one.converts else one.annotation for one in named]
            if not named and takes_extras(member):
                return Any
        elif container_of(member) is dict:
            found.append(parameters_of(member, 2)[1])
        elif container_of(member) is not None:
            found.append(_item(member, key))
        elif member is Any or member is object:
            return Any
    return union_of(found)


def _item(annotation: Any, key: object) -> Any:
    arguments = get_args(annotation)
    if isinstance(key, int) and container_of(annotation) is tuple and Ellipsis not in arguments:
        return arguments[key] if key < len(arguments) else Any
    return parameters_of(annotation, 1)[0]


def _members(annotation: Any) -> Iterator[Any]:
    for member in members_of(annotation):
        if getattr(member, "__pydantic_root_model__", False):
            yield from _members(member.model_fields["root"].annotation)
        else:
            yield member


def meaning_of(annotation: Any, text: Untyped) -> object:
    """Return what a text stands for; parts of a list are untyped in their turn.

    Raise `NoMeaningError` where it stands for nothing that its field takes.
    """
    if any(map(converts, metadata_of(annotation))):
        return str(text)
    members = list(_members(annotation))
    if any(map(_takes_text, members)):
        return str(text)
    ways = [_way(member) for member in members]
    wanted = {noun: noun for _, noun, _ in ways}
    reason = ""
    for _, noun, read in sorted(ways, key=lambda way: way[0]):
        try:
            return read(text)
        except ConfigSyntaxError as error:
            reason = error.reason
        except Exception as error:  # whatever a class of the standard library raises
            wanted[noun] = str(error) if isinstance(error, _WantedError) else noun
    if reason and len(ways) == 1:  # it says how to write one
        raise NoMeaningError(reason)
    raise NoMeaningError(f"should be {' or '.join(wanted.values())}")


def _takes_text(annotation: Any) -> bool:
    """Return whether a field takes text as it is: a string, whatever there is, or its own class."""
    if annotation in (str, Any, object, _AsWritten):
        return True
    cls: Any = get_origin(annotation) or annotation
    if cls is Literal:
        return False
    is_enum = isinstance(cls, type) and issubclass(cls, Enum)
    scalar = scalar_of(cls)
    is_known = scalar is not None and not scalar.of_text
    has_parts = class_fields(annotation) is not None or container_of(annotation) is not None
    return not (is_enum or is_known or has_parts)


_Way = tuple[int, str, Callable[[Untyped], object]]


def _way(annotation: Any) -> _Way:
    """Return how a text becomes a member of a union, in which order, and what it should be."""
    cls: Any = get_origin(annotation) or annotation
    if cls in _WAYS:
        return _WAYS[cls]
    if cls is Literal:
        return _of_values(get_args(annotation))
    if isinstance(cls, type) and issubclass(cls, Enum):
        return _of_values([one.value for one in cls.__members__.values()])
    if (scalar := scalar_of(cls)) is not None:
        return 5, scalar.noun, lambda text: scalar.read(text.strip())
    if class_fields(annotation) is not None or container_of(annotation) is dict:
        return 6, "a mapping", _mapping
    return 7, "a list", _list


def _of_values(values: Any) -> _Way:
    """Take the text of a value for the value, one that is a string first."""
    written = {str(one).lower() if isinstance(one, bool) else str(one): one for one in values}
    written |= {one: one for one in values if isinstance(one, str)}
    shown = " or ".join(map(repr, values))

    def read(text: Untyped) -> object:
        found = written.get(text, written.get(text.strip(), _AsWritten))
        if found is _AsWritten:
            raise ValueError
        return found

    return 4, shown, read


def _null(text: Untyped) -> None:
    if text.strip().lower() not in _NULLS:
        raise ValueError


def _integer(text: Untyped) -> int:
    digits = text.strip()
    if len(digits) > _LONGEST_NUMBER:
        raise _WantedError(f"an integer of at most {_LONGEST_NUMBER} digits")
    value = int(digits, _BASES.get(digits.lstrip("+-")[:2].lower(), 10))
    if not _LEAST <= value <= _MOST:
        raise _WantedError("an integer that fits into 64 bits")
    return value


def _number(text: Untyped) -> float:
    value = float(text) if len(text) <= _LONGEST_NUMBER else inf
    if value - value != 0:  # infinite, or no number
        raise _WantedError("a finite number")
    return value


def _boolean(text: Untyped) -> bool:
    return _BOOLEANS[text.strip().lower()]


def _list(text: Untyped) -> object:
    from ..parsers import parse_list  # where there is such text at all

    return parse_list(text, "")


def _mapping(text: Untyped) -> object:
    from ..parsers import parse_mapping

    return parse_mapping(text, "")


def without_schema(text: Untyped) -> object:
    """Return what a text is where there are no fields: one YAML scalar, or a secret's file's text.

    Raise `NoMeaningError` where the limits of every document forbid it.
    """
    if isinstance(text, Verbatim):
        return str(text)
    from ..parsers import parse_scalar

    try:
        return parse_scalar(str(text), "")
    except ConfigSyntaxError as error:
        reason = error.reason
    raise NoMeaningError(reason)


_WAYS: dict[Any, _Way] = {
    NoneType: (0, "null", _null),
    int: (1, "an integer", _integer),
    float: (2, "a number", _number),
    bool: (3, "a boolean", _boolean),
    bytes: (8, "text", lambda text: str(text).encode()),
}

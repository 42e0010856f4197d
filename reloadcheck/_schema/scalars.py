"""What a single value of a file may become, by the rules of this package: dates, numbers, enums.

Each rule takes a value as a parser made it, gives one of the wanted type, and raises ValueError or
TypeError for any other. Nothing is converted that could be meant otherwise: no `"5"` is a number,
no `1` is true, no `1.0` an integer.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import PurePath
from typing import Any, Final

__all__ = ["Scalar", "duration_of", "scalar_of"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """How a value becomes one of a type, and what people call such values.

    `of_text`: the type is written as text, which the libraries want as it is.
    """

    noun: str
    read: Callable[[Any], object]
    of_text: bool = False


def scalar_of(cls: Any) -> Scalar | None:
    """Return the rule for a type; None for a type that is no single value of a file."""
    if cls in _RULES:
        return _RULES[cls]
    if not isinstance(cls, type):
        return None
    if issubclass(cls, PurePath):
        return Scalar("a path", lambda value: cls(_text(value)), of_text=True)
    name = f"{cls.__module__}.{cls.__qualname__}"
    if name == "decimal.Decimal":
        return Scalar("a number", lambda value: _decimal(cls, value))
    noun = _WRITTEN.get(name)
    if noun is None:
        return None
    return Scalar(noun, lambda value: _made(cls, value), of_text=name != "uuid.UUID")


def duration_of(text: str) -> timedelta:
    """Read `PT1H30M`, `P2D`, `01:30:00` or a number of seconds; raise ValueError for others."""
    found = _ISO_DURATION.fullmatch(text) or _CLOCK_DURATION.fullmatch(text)
    if found is None or not any(found.groupdict().values()):
        return timedelta(seconds=_finite(text))
    parts = {name: float(part) for name, part in found.groupdict("0").items() if name != "sign"}
    length = timedelta(**parts)
    return -length if text.startswith("-") else length


_NUMBER: Final = r"\d{1,9}(?:\.\d{1,9})?"
_ISO_DURATION: Final = re.compile(
    rf"[+-]?P(?:(?P<weeks>{_NUMBER})W)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?",
    re.IGNORECASE,
)
_CLOCK_DURATION: Final = re.compile(
    r"-?(?:(?P<days>\d{1,9}) days?,? )?(?P<hours>\d{1,9}):(?P<minutes>[0-5]?\d)"
    r"(?::(?P<seconds>[0-5]?\d(?:\.\d{1,6})?))?"
)


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:  # infinite, or no number
        raise ValueError
    return number


def _exactly(cls: type) -> Callable[[Any], object]:
    def read(value: Any) -> object:
        if type(value) is not cls and (not isinstance(value, cls) or isinstance(value, bool)):
            raise TypeError
        return value

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return b64decode(_text(value), validate=True)
    except binascii.Error:
        raise ValueError from None


def _datetime(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return date.fromisoformat(_text(value))


def _time(value: Any) -> time:
    return value if isinstance(value, time) else time.fromisoformat(_text(value))


def _timedelta(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    return duration_of(value) if isinstance(value, str) else timedelta(seconds=_float(value))


def _made(cls: Any, value: Any) -> object:
    return value if isinstance(value, cls) else cls(_text(value))


def _decimal(cls: Any, value: Any) -> object:
    if isinstance(value, cls):
        return value
    if not isinstance(value, str):
        _float(value)
    made = cls(str(value))
    if not made.is_finite():
        raise ValueError
    return made


def _none(value: Any) -> None:
    if value is not None:
        raise TypeError


_RULES: dict[Any, Scalar] = {
    type(None): Scalar("null", _none),
    None: Scalar("null", _none),
    str: Scalar("a string", _exactly(str)),
    bool: Scalar("a boolean", _exactly(bool)),
    int: Scalar("an integer", _exactly(int)),
    float: Scalar("a number", _float),
    bytes: Scalar("base64 text", _bytes),
    datetime: Scalar("a date and time", _datetime),
    date: Scalar("a date", _date),
    time: Scalar("a time", _time),
    timedelta: Scalar("a duration", _timedelta),
}
_WRITTEN: dict[str, str] = {
    "ipaddress.IPv4Address": "an IPv4 address",
    "ipaddress.IPv4Interface": "an IPv4 interface",
    "ipaddress.IPv4Network": "an IPv4 network",
    "ipaddress.IPv6Address": "an IPv6 address",
    "ipaddress.IPv6Interface": "an IPv6 interface",
    "ipaddress.IPv6Network": "an IPv6 network",
    "uuid.UUID": "a UUID",
    "zoneinfo.ZoneInfo": "a time zone",
}
"""Types of the standard library that are written as text; known by name, so imported by nobody."""

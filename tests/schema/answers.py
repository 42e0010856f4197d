"""A program: print what a dataclass makes of many values, with some libraries blocked."""

import sys
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import ReloadCheckError


class Color(Enum):
    """Some values."""

    RED = "red"
    ONE = 1


class Pair(NamedTuple):
    """A row or a mapping."""

    host: str
    port: int = 1


class Part(TypedDict, total=False):
    """A mapping with known keys."""

    size: int


VALUES: list[tuple[Any, tuple[object, ...]]] = [
    (int, (1, "10", 10.0, True, None)),
    (float, (1, 1.5, "1e-3", True)),
    (bool, (True, 1, "yes")),
    (str, ("a", 5, True)),
    (bytes, ("aGk=", "*", b"x", 5)),
    (timedelta, (30, 1.5, "PT30S", "00:00:30", "x", True)),
    (datetime, ("2026-01-02T03:04:05Z", date(2026, 1, 2), "2026-02-31", 5)),
    (date, (date(2026, 1, 2), "2026-01-02", datetime(2026, 1, 2))),
    (time, (time(1, 2), "01:02", 3723)),
    (Decimal, (1.1, "1.10", 5, "x", "NaN")),
    (UUID, ("12345678-1234-5678-1234-567812345678", "x")),
    (Path, ("/tmp", 5)),
    (IPv4Address, ("10.0.0.1", "10.0.0.256")),
    (ZoneInfo, ("Europe/Berlin", "Europe/Nowhere")),
    (Color, ("red", 1, "1", True)),
    (Literal["a", 1], ("a", 1, True, "b")),
    (int | str, (5, "5", None)),
    (int | None, (5, None, "x")),
    (float | int, (5, 5.0)),
    (list[int] | int, ([1], 1, ["x"])),
    (tuple[int, ...], ([1, 2], "ab")),
    (tuple[int, str], ([1, "a"], [1])),
    (frozenset[int], ([1, 1], 1)),
    (dict[int, str], ({1: "a"}, {"x": "a"}, [])),
    (Pair, (["a", 2], {"host": "a"}, {}, 5)),
    (Part, ({"size": 1, "other": 2}, {"size": "x"})),
    (Any, ({"a": [1]},)),
]


def main() -> None:
    """Print an answer a line."""
    for name in sys.argv[1:]:
        sys.modules[name] = None  # type: ignore[assignment]
    for annotation, values in VALUES:
        namespace = {"__annotations__": {"x": annotation}}
        cls: Any = dataclass(frozen=True)(type("Schema", (), namespace))
        schema = schema_of(cls)
        for value in values:
            try:
                answer = repr(schema.convert({"x": value}).x)
            except ReloadCheckError as error:
                answer = str(error)
            print(annotation, repr(value), answer)


main()

"""A configuration that has a little of everything."""

from datetime import date
from typing import Any

TREE: dict[Any, Any] = {
    "database": {"url": "postgres://db", "pool": {"size": 5}, "hosts": ["a", {"name": "b"}]},
    "greeting": "hello",
    "ratio": 1.0,
    "day": date(2026, 1, 2),
    5: {True: None},
}

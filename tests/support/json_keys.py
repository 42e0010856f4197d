"""The keys of a JSON document, as programs come to rely on them."""

from collections.abc import Iterator
from typing import Any

__all__ = ["keys_of"]


def keys_of(document: Any) -> list[str]:
    """Return the path of each key, in order: `sources[].path`. Lists count by all they hold."""
    return sorted(set(_below(document, "")))


def _below(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _below(one, f"{path}[]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield f"{path}.{key}".removeprefix(".")
            yield from _below(one, f"{path}.{key}")

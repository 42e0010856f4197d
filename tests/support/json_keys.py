"""The keys of a JSON document, as programs come to rely on them."""

from collections.abc import Iterator
from typing import Any

from reloadcheck._config.containers import is_dict, is_list

__all__ = ["keys_of"]


def keys_of(document: Any) -> list[str]:
    """Return the path of each key, in order: `sources[].path`. Lists count by all they hold."""
    return sorted(set(_below(document, "")))


def _below(value: object, path: str) -> Iterator[str]:
    if is_list(value):
        for one in value:
            yield from _below(one, f"{path}[]")
    elif is_dict(value):
        for key, one in value.items():
            yield f"{path}.{key}".removeprefix(".")
            yield from _below(one, f"{path}.{key}")

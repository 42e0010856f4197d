"""What a veil hides of one key, value or tree, asked in a line."""

from collections.abc import Collection
from typing import Any

from reloadcheck._config.veil import Veil, written
from reloadcheck.types import KeyPath

__all__ = ["is_secret", "redact"]


def is_secret(path: KeyPath, value: object = None, *, also: Collection[str] = ()) -> bool:
    """Return whether a key path or a value looks secret, whole or in a part of it."""
    veil = Veil(also)
    if veil.hides(path, "x" if value is None else value):
        return True
    text = value if isinstance(value, str) else written(value)
    return text is not None and veil.text(text) != text


def redact(tree: object, *, also: Collection[str] = ()) -> Any:
    """Return a plain copy of a tree or model with all that is hidden in it replaced by `***`."""
    veil = Veil(also)
    veil.learn(tree)
    return veil.redacted(tree, ())

"""Which layer gives a value."""

from collections.abc import Sequence
from dataclasses import replace

from .._config.containers import is_dict, is_list
from .._config.freeze import FrozenDict, freeze
from ..types import KeyPath, Layer, Origin, Pause


def frozen_layers(layers: Sequence[Layer], tree: FrozenDict, pause: Pause) -> tuple[Layer, ...]:
    """Give the layers with their trees frozen, sharing with `tree`, which they were merged to."""
    if len(layers) == 1:
        return (replace(layers[0], tree=tree),)
    return tuple(replace(layer, tree=freeze(layer.tree, tree, pause)) for layer in layers)


def origin_of(layers: Sequence[Layer], path: KeyPath) -> Origin | None:
    """Find the layer that gives the value at `path`, or else its nearest parent, and ask it."""
    for length in range(len(path), -1, -1):
        for layer in reversed(layers):
            if _has(layer.tree, path[:length]):
                return layer.origin(path)
    return None


def layer_of(layers: Sequence[Layer], path: KeyPath) -> int | None:
    """Find by its number the layer that gives exactly the value at `path`; None without one."""
    for number in reversed(range(len(layers))):
        if _has(layers[number].tree, path):
            return number
    return None


def _has(tree: object, path: KeyPath) -> bool:
    if tree == {} and not path:
        return False
    for key in path:
        if is_dict(tree):
            if key not in tree:
                return False
            tree = tree[key]
        elif is_list(tree) and isinstance(key, int) and key < len(tree):
            tree = tree[key]
        else:
            return False
    return True

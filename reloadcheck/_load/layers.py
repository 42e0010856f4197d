"""Which layer gives a value, where it came from, and which layers override it.

Merging them is `merge`'s.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .._config.containers import is_dict, is_list
from .._config.freeze import FrozenDict, freeze
from ..types import KeyPath, Layer, Origin, Pause


def frozen_layers(layers: Sequence[Layer], tree: FrozenDict, pause: Pause) -> tuple[Layer, ...]:
    """Return the layers with their trees frozen, sharing with `tree`, which they were merged to."""
    if len(layers) == 1:
        return (replace(layers[0], tree=tree),)
    return tuple(replace(layer, tree=freeze(layer.tree, tree, pause)) for layer in layers)


def origin_of(layers: Sequence[Layer], path: KeyPath) -> Origin | None:
    """Find the layer that gives the value at `path`, or else its nearest parent, and ask it.

    Of a mapping several layers may have parts: what is missing in it would stand in the first, and
    what is wrong with the whole of it is not the last one's.
    """
    for length in range(len(path), -1, -1):
        having = [layer for layer in layers if _has(layer.tree, path[:length])]
        if having and is_dict(_at(having[-1].tree, path[:length])):
            mappings = [one for one in having if is_dict(_at(one.tree, path[:length]))]
            return mappings[0].origin(path)
        if having:
            return having[-1].origin(path)
    return None


def layer_of(layers: Sequence[Layer], path: KeyPath) -> int | None:
    """Find by its number the layer that gives exactly the value at `path`; None without one."""
    for number in reversed(range(len(layers))):
        if _has(layers[number].tree, path):
            return number
    return None


def overriding(layers: Sequence[Layer], number: int, path: KeyPath) -> Layer | None:
    """Return the later layer that sets what a layer has at a path, or a parent of it, if any."""
    later = overriders(layers, number, path)
    return later[-1] if later else None


def overriders(layers: Sequence[Layer], number: int, path: KeyPath) -> list[Layer]:
    """Return all later layers that set what a layer has at a path, or a parent of it."""
    return [one for one in layers[number + 1 :] if _sets(one.tree, path)]


def _sets(tree: object, path: KeyPath) -> bool:
    """Return whether a tree has a value of its own at a path, or in the place of a parent."""
    for key in path:
        if not is_dict(tree):
            return True
        if key not in tree:
            return False
        tree = tree[key]
    return not is_dict(tree) or not tree


def _at(tree: Any, path: KeyPath) -> object:
    for key in path:
        tree = tree[key]
    return tree


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

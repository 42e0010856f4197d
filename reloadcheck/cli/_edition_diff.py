"""What differs between two editions, as lines for people; what looks secret is hidden."""

from .._config.diff import diff
from .._config.freeze import freeze
from .._config.key_path import step_into
from .._config.veil import Veil
from .._state.store_orders import Orders
from ..exceptions import OrderRefusedError
from ..types import KeyPath, Tree, key_path_text
from ._editions import EditionSource
from ._reading import known_of
from ._values import Hiding, shown

__all__ = ["differences"]

_MOST_BYTES = 2**30


def differences(orders: Orders, old: int, new: int) -> list[str]:
    """Return what differs between two editions, a line each; nothing where one is not kept."""
    try:
        before, after = (_tree_of(orders, number) for number in (old, new))
    except OrderRefusedError:
        return []
    veil = Veil()
    for tree in (before, after):
        veil.learn(tree)
    hide = Hiding(False, veil)
    changes = diff(freeze(before, None), freeze(after, None))

    def of(tree: object, path: KeyPath) -> str:
        for key in path:
            _, tree = step_into(tree, key)
        return shown(tree, path, hide=hide)

    changed = [(path, f": {of(before, path)} -> {of(after, path)}") for path in changes.changed]
    added = [(path, f": {of(after, path)}") for path in changes.added]
    removed = [(path, f": {of(before, path)}") for path in changes.removed]
    rows = [("~", changed), ("+", added), ("-", removed)]
    return [f"{sign} {key_path_text(path)}{tail}" for sign, found in rows for path, tail in found]


def _tree_of(orders: Orders, number: int) -> Tree:
    parsed = known_of([EditionSource.of(orders, number)], _MOST_BYTES).parsed
    return {} if parsed is None else parsed.tree

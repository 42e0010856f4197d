"""Show a value of a configuration to its operator, with what is secret hidden."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from .._config.containers import is_dict
from .._config.mask import MASK
from .._config.veil import Veil
from .._load.source_set import Placed
from ..types import KeyPath, Layer, Source, printable
from ._inputs import Inputs
from ._output import cut

__all__ = ["HIDDEN", "Hiding", "hiding", "shown", "told"]

HIDDEN = "(hidden)"
_MOST = 60


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is hidden: all values, or what the veil says."""

    everything: bool
    veil: Veil


def hiding(
    inputs: Inputs,
    everything: bool,
    trees: Iterable[object],
    layers: Iterable[tuple[Source, Layer]] = (),
) -> Hiding:
    """Return what is hidden of these trees and of what confidential sources gave to them."""
    veil = Veil(inputs.secrets, inputs.public)
    for tree in trees:
        veil.learn(tree)
    for source, layer in layers:
        veil.learn(layer.tree)
        if isinstance(source, Placed) and source.place().confidential:
            veil.learn_private(layer.tree)
        for path in layer.referred:
            veil.learn_at(path, layer.tree)
    return Hiding(everything, veil)


def shown(value: object, path: KeyPath, *, hide: Hiding) -> str:
    """Return a value on one line: `***` where it looks secret, cut where it is long."""
    if hide.everything:
        return HIDDEN
    if value is not None and hide.veil.hides(path, value):
        return MASK
    if is_dict(value) and value:
        return f"({len(value)} key{'s' if len(value) > 1 else ''})"
    redacted = hide.veil.redacted(value, path)
    if redacted == MASK:
        return MASK
    return cut(printable(json.dumps(redacted, ensure_ascii=False, default=str)), _MOST)


def told(value: object, path: KeyPath, *, hide: Hiding) -> object:
    """Return a value as JSON has it, with the same parts hidden."""
    return HIDDEN if hide.everything else hide.veil.redacted(value, path)

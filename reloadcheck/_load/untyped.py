"""What untyped text means where no schema says it: one YAML scalar, or what it is written as.

Takes a layer as its source made it, gives one without `Untyped` text; never quotes what it reads.
"""

from collections.abc import Iterable
from dataclasses import replace
from operator import is_
from typing import Any

from .._config.containers import is_dict, is_list
from ..exceptions import ConfigSyntaxError
from ..types import KeyPath, Layer, Pause, Problem, Untyped, Verbatim

_NODES_A_PAUSE = 500


def without_types(layer: Layer, pause: Pause) -> Layer:
    """Return the layer with its untyped text read.

    Raise `ConfigSyntaxError` with a problem for each text that the limits forbid.
    """
    if not layer.untyped:
        return layer
    reading = _Reading(layer, pause)
    tree = reading.part(layer.tree, ())
    if reading.problems:
        raise ConfigSyntaxError(*reading.problems)
    return replace(layer, tree=tree, untyped=False)


class _Reading:
    """One walk over one layer, which copies only what holds such text."""

    def __init__(self, layer: Layer, pause: Pause) -> None:
        self._layer = layer
        self._pause = pause
        self._nodes = 0
        self.problems: list[Problem] = []

    def part(self, value: Any, path: KeyPath) -> Any:
        self._nodes += 1
        if self._nodes % _NODES_A_PAUSE == 0:
            self._pause()
        if is_dict(value):
            parts = {key: self.part(part, (*path, key)) for key, part in value.items()}
            return value if _untouched(value.values(), parts.values()) else parts
        if is_list(value):
            items = [self.part(part, (*path, at)) for at, part in enumerate(value)]
            return value if _untouched(value, items) else items
        return self._scalar(value, path) if isinstance(value, Untyped) else value

    def _scalar(self, text: Untyped, path: KeyPath) -> object:
        if isinstance(text, Verbatim):
            return str(text)
        from ..parsers import parse_scalar  # where there is such text at all

        origin = self._layer.origin(path)
        problem: Problem
        try:
            return parse_scalar(text, origin.name)
        except ConfigSyntaxError as error:
            problem = Problem(error.reason, origin.name, origin.line, origin.column, path)
        self.problems.append(problem)
        return None


def _untouched(before: Iterable[object], after: Iterable[object]) -> bool:
    return all(map(is_, before, after))

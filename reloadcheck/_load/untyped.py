"""Give the untyped texts of a whole layer their types: by its schema's fields, or as YAML.

What one text means to one annotation is `_schema/text_meaning`'s. Takes a layer as its source made
it, gives one without `Untyped` text; never quotes what it reads.
"""

from collections.abc import Iterable
from dataclasses import replace
from operator import is_
from typing import Any

from .._config.containers import is_dict, is_list
from .._schema.text_meaning import NoMeaningError, inside, meaning_of, without_schema
from ..exceptions import ConfigSyntaxError
from ..types import Key, KeyPath, Layer, Pause, Problem, Untyped

_NODES_A_PAUSE = 500


def without_types(layer: Layer, pause: Pause) -> Layer:
    """Return the layer with its untyped text read as it is where there is no schema.

    Raise `ConfigSyntaxError` with a problem for each text that the limits forbid.
    """
    typed, problems = with_types(layer, Any, pause)
    if problems:
        raise ConfigSyntaxError(*problems)
    return typed


def with_types(layer: Layer, annotation: object, pause: Pause) -> tuple[Layer, tuple[Problem, ...]]:
    """Return the layer with its untyped text converted, and a problem for each that does not fit.

    `annotation` is the type of the whole configuration, `Any` where nothing is known of its fields.
    What does not fit stays text.
    """
    if not layer.untyped:
        return layer, ()
    reading = _Reading(layer, pause, has_fields=annotation is not Any)
    tree = reading.part(layer.tree, (), annotation)
    return replace(layer, tree=tree, untyped=False), tuple(reading.problems)


class _Reading:
    """One walk over one layer, which copies only what holds such text."""

    def __init__(self, layer: Layer, pause: Pause, *, has_fields: bool) -> None:
        self._layer = layer
        self._pause = pause
        self._has_fields = has_fields
        self._nodes = 0
        self._steps: dict[tuple[int, Key], Any] = {}
        self._seen: list[object] = []  # so that no annotation's identity becomes another's
        self.problems: list[Problem] = []

    def part(self, value: Any, path: KeyPath, annotation: Any) -> Any:
        self._nodes += 1
        if self._nodes % _NODES_A_PAUSE == 0:
            self._pause()
        if is_dict(value):
            parts = {
                key: self.part(part, (*path, key), self._step(annotation, key))
                for key, part in value.items()
            }
            return value if _untouched(value.values(), parts.values()) else parts
        if is_list(value):
            items = [
                self.part(part, (*path, at), self._step(annotation, at))
                for at, part in enumerate(value)
            ]
            return value if _untouched(value, items) else items
        return self._read(value, path, annotation) if isinstance(value, Untyped) else value

    def _step(self, annotation: Any, key: Key) -> Any:
        if annotation is Any:
            return Any
        known = (id(annotation), key)
        if known not in self._steps:
            self._seen.append(annotation)
            self._steps[known] = inside(annotation, key)
        return self._steps[known]

    def _read(self, text: Untyped, path: KeyPath, annotation: Any) -> object:
        try:
            meaning = meaning_of(annotation, text) if self._has_fields else without_schema(text)
            return self.part(meaning, path, annotation)
        except NoMeaningError as error:
            reason = str(error)
        origin = self._layer.origin(path)
        self.problems.append(Problem(reason, origin.name, origin.line, origin.column, path))
        return str(text)


def _untouched(before: Iterable[object], after: Iterable[object]) -> bool:
    return all(map(is_, before, after))

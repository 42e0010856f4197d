"""Parse each source's documents, and merge their trees in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from .._config.containers import is_dict
from ..exceptions import ConfigError, ConfigSyntaxError, MergeError, SourceError
from ..seams.feed import Referring
from ..sources import raised_by
from ..types import Document, KeyPath, Layer, Origin, Pause, Problem, Source, Tree
from .layers import layer_of, origin_of
from .problems import bounded
from .untyped import with_types, without_types

_KEYS_A_PAUSE = 500


@dataclass(frozen=True, slots=True)
class Parsed:
    """The layers of all sources, merged; `misfits` are texts that no field's type understands."""

    tree: Tree = field(repr=False)
    layers: tuple[Layer, ...]
    misfits: tuple[Problem, ...] = ()

    def origin(self, path: KeyPath) -> Origin | None:
        """Return where the value at `path`, or its nearest parent, comes from."""
        return origin_of(self.layers, path)


def parse(
    sources: Sequence[Source],
    documents: Sequence[Sequence[Document]],
    pause: Pause,
    annotation: object = Any,
    referring: Referring | None = None,
    lenient: bool = False,
) -> Parsed:
    """Parse each source's documents and merge them in order; an error names all that is wrong.

    `annotation` is the schema's, whose fields say what untyped text means. Text that means nothing
    there is no error here: the schema has its own problems, and all of them are told together.
    `referring` is what values that are references stand for; `lenient`: one that cannot be read
    stands for itself.
    """
    layers: list[Layer] = []
    misfits: list[tuple[int, Problem]] = []
    tree: Tree = {}
    errors: list[ConfigError] = []
    for source, own in zip(sources, documents, strict=True):
        try:
            layer = _layer_of(source, own, tree, pause)
            if referring is not None:
                from .resolved_layers import resolved

                layer = resolved(layer, referring, pause, lenient=lenient)
            if annotation is Any:
                layer = without_types(layer, pause)
            layer, found = with_types(layer, annotation, pause)
            misfits += [(len(layers), problem) for problem in found]
            tree = _merged(tree, layers, layer, pause)
            layers.append(layer)
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise _together(errors)
    standing = [one for number, one in misfits if layer_of(layers, one.key_path) == number]
    return Parsed(tree, tuple(layers), tuple(standing))


def _layer_of(source: Source, own: Sequence[Document], below: Tree, pause: Pause) -> Layer:
    """Let a source parse what it gave; what it raises of others' is content it cannot use."""
    try:
        layer = cast("object", source.layer(own, below, pause))
    except ConfigError:
        raise
    except BaseException as error:
        problem = raised_by(source, error)
    else:
        if not isinstance(layer, Layer):
            words = f"its layer() returned {type(layer).__name__} instead of a Layer"
        elif not is_dict(layer.tree):
            words = f"its layer() returned a Layer of {type(layer.tree).__name__} instead of a dict"
        else:
            return layer
        problem = Problem(words, source.name)
    raise ConfigSyntaxError(problem)


def with_values_of(
    tree: Mapping[str, Any], other: Mapping[str, Any], paths: Sequence[KeyPath]
) -> Tree:
    """Return the tree with what `other` has at the key paths; what is absent there is taken out.

    Mappings are copied down to each path; a path into a list stands for the whole list.
    """
    result = dict(tree)
    for path in paths:
        here, there = result, other
        for depth, key in enumerate(path):
            text = cast("str", key)
            last = depth == len(path) - 1
            below, beyond = here.get(text), there.get(text)
            if last or not is_dict(below) or not is_dict(beyond):
                if text in there:
                    here[text] = there[text]
                else:
                    here.pop(text, None)
                break
            here[text] = here = dict(below)
            there = beyond
    return result


def _together(errors: Sequence[ConfigError]) -> ConfigError:
    """Make one error of several; what may heal by itself is waited for."""
    waiting = [error for error in errors if isinstance(error, SourceError)]
    kind = type((waiting or errors)[0])
    return kind(*bounded([problem for error in errors for problem in error.problems]))


def _merged(below: Tree, layers: Sequence[Layer], layer: Layer, pause: Pause) -> Tree:
    """Lay a layer over a tree: mappings by key, all else replaced; parsing bounds the depth."""
    clashes: list[Problem] = []
    result = _laid(below, layer.tree, (), layers, layer, pause, clashes)
    if clashes:
        raise MergeError(*clashes)
    return result


def _laid(
    below: Tree,
    above: Tree,
    path: KeyPath,
    layers: Sequence[Layer],
    layer: Layer,
    pause: Pause,
    clashes: list[Problem],
) -> Tree:
    pause()
    result = dict(below)
    for count, (key, value) in enumerate(above.items(), start=1):
        if count % _KEYS_A_PAUSE == 0:
            pause()
        old = result.get(key)
        here = (*path, key)
        if is_dict(old) and is_dict(value):
            result[key] = _laid(old, value, here, layers, layer, pause, clashes)
            continue
        if (
            old is not None
            and value is not None
            and isinstance(old, dict) != isinstance(value, dict)
        ):
            clashes.append(_clash(here, isinstance(old, dict), layers, layer))
        result[key] = value
    return result


def _clash(path: KeyPath, mapping_below: bool, layers: Sequence[Layer], layer: Layer) -> Problem:
    kinds = ("something else", "a mapping") if mapping_below else ("a mapping", "something else")
    below, above = origin_of(layers, path), layer.origin(path)
    reason = f"is {kinds[0]} here and {kinds[1]} in {below}"
    return Problem(reason, above.name, above.line, above.column, path)

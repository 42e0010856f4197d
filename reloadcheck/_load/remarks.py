"""Find what is odd in a configuration that is used all the same: misspelt keys, edits in vain.

Takes what was read and what was read before; gives problems with their places, which quote no
value. Nothing here refuses anything.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from .._config.containers import is_attribute, is_dict, is_list
from .._config.diff import diff
from .._config.key_path import path_key
from .._schema.schema import Schema
from .._schema.unknown_keys import unknown_keys
from ..parsers import locating_many
from ..types import KeyPath, Layer, Pause, Problem
from .layers import origin_of, overriding
from .problems import at

__all__ = ["Remarks", "like_references", "method_keys", "remarks_on", "unknown_problems"]

_KEYS_A_PAUSE = 500
"""How many keys are looked at before others get their turn."""

_LIKE: Final = re.compile(r"(?<!\$)\$\{(\s*(?:env|file)\s*):[^{}]*\}", re.IGNORECASE)
_READERS: Final = {"env": "EnvReferences()", "file": 'FileReferences("/run/secrets")'}

_MOST = 10
"""How many remarks of one kind are told."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What an operator should know; `unknown` counts the keys that the schema does not know."""

    problems: tuple[Problem, ...] = ()
    unknown: int = 0

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return one for each."""
        return tuple(map(str, self.problems))


def remarks_on(
    schema: Schema[Any],
    layers: Sequence[Layer],
    tree: object,
    before: Sequence[Layer],
    pause: Pause,
    unknown: bool,
    kinds: Sequence[str] | None = None,
) -> Remarks:
    """Look at a configuration; `before` are the layers of the one that runs, if one does.

    `unknown`: whether keys that the schema does not know are worth a remark. `kinds` of references
    are read; None where no document has anything like one.
    """
    strange = unknown_problems(schema, layers, tree, pause) if unknown else []
    methods = _placed(method_keys(tree, pause), layers, pause) if schema.is_plain else []
    in_vain = list(_edits_in_vain(before, layers, pause))
    texts = [] if kinds is None else _placed(like_references(tree, kinds, pause), layers, pause)
    found = [one for kind in (strange, methods, in_vain, texts) for one in _bounded(kind)]
    return Remarks(tuple(found), len(strange))


def unknown_problems(
    schema: Schema[Any], layers: Sequence[Layer], tree: object, pause: Pause
) -> list[Problem]:
    """Return a problem for each key that the schema does not know; the first ones are placed."""
    found = unknown_keys(schema.annotation, tree, pause)
    return _placed([Problem(one.reason, key_path=one.path) for one in found], layers, pause)


def method_keys(tree: object, pause: Pause) -> Iterator[Problem]:
    """Find the keys that are no attributes, since every mapping has a method of that name."""
    for number, (path, key) in enumerate(_keys((), tree)):
        if number % _KEYS_A_PAUSE == 0:
            pause()
        if key.isidentifier() and not is_attribute(key):
            reason = f'is a method of every mapping: read it as ["{key}"], not as .{key}'
            yield Problem(reason, key_path=(*path, key))


def _keys(path: KeyPath, tree: object) -> Iterator[tuple[KeyPath, str]]:
    """Go over the text keys of all mappings, each with the path of its mapping."""
    if is_list(tree):
        for index, part in enumerate(tree):
            if is_dict(part) or is_list(part):
                yield from _keys((*path, index), part)
    elif is_dict(tree):
        for key, part in tree.items():
            if is_dict(part) or is_list(part):
                yield from _keys((*path, key), part)
            if isinstance(key, str):
                yield path, key


def like_references(tree: object, kinds: Sequence[str], pause: Pause) -> Iterator[Problem]:
    """Find the texts that somebody meant as references, and that nobody reads."""
    for number, (path, text) in enumerate(_texts((), tree)):
        if number % _KEYS_A_PAUSE == 0:
            pause()
        found = _LIKE.search(text) if "${" in text else None
        if found is None:
            continue
        kind = found[1].strip().lower()
        if not kinds:
            reads = f"nothing here reads it without references=[{_READERS[kind]}]"
            yield Problem(f"${{{kind}:…}} stands here as a text: {reads}", key_path=path)
        elif kind != found[1]:  # else it was escaped
            reason = f"a text like a reference: write ${{{kind}:…}}, in small letters, unspaced"
            yield Problem(reason, key_path=path)


def _texts(path: KeyPath, tree: object) -> Iterator[tuple[KeyPath, str]]:
    """Go over all texts, each with its path."""
    if isinstance(tree, str):
        yield path, tree
    elif is_list(tree):
        for index, part in enumerate(tree):
            yield from _texts((*path, index), part)
    elif is_dict(tree):
        for key, part in tree.items():
            yield from _texts((*path, path_key(key)), part)


def _edits_in_vain(
    before: Sequence[Layer], layers: Sequence[Layer], pause: Pause
) -> Iterator[Problem]:
    """Find what changed in a layer while a later one sets it."""
    if len(before) != len(layers):
        return
    for number, (old, new) in enumerate(zip(before[:-1], layers[:-1], strict=True)):
        if old.tree is new.tree:
            continue
        changes = diff(old.tree, new.tree, pause)
        for path in (*changes.changed, *changes.added):
            upper = overriding(layers, number, path)
            if upper is not None:
                place = new.origin(path)
                reason = f"this edit has no effect: {upper.origin(path)} overrides it"
                yield Problem(reason, place.name, place.line, place.column, path)


def _placed(problems: Iterable[Problem], layers: Sequence[Layer], pause: Pause) -> list[Problem]:
    """Return the first problems their places; nobody reads more of them."""
    found = list(problems)
    with locating_many(pause):
        for index, problem in enumerate(islice(found, _MOST)):
            origin = origin_of(layers, problem.key_path)
            if origin is not None:
                found[index] = at(problem, origin)
    return found


def _bounded(problems: Sequence[Problem]) -> list[Problem]:
    more = len(problems) - _MOST
    return [*problems[:_MOST], *([Problem(f"and {more} more of this kind")] if more > 0 else [])]

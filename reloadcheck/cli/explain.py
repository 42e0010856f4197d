"""`reloadcheck explain`: where a value comes from, and what it overrides, layer by layer.

Status 1 when no layer sets the key path, or when the files cannot be read.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from .._config.containers import is_dict
from .._config.key_path import key_path_of, lookup, step_into
from .._load.merge import Parsed
from ..exceptions import ConfigError, UsageError
from ..parsers import locating_many
from ..types import Key, KeyPath, Layer, Origin, Tree, key_path_text
from ._faults import problem_document, show_faults
from ._inputs import Inputs, inputs_of
from ._output import Page, columns
from ._reading import Known, known_of, validated
from ._values import Hiding, hiding, shown, told

__all__ = ["run"]

_EFFECTS = {
    "sets": "sets it",
    "adds": "adds to it",
    "overridden": "overridden",
    "hides": "replaces {} as a whole",
    "hidden": "hidden by that",
    "default": "the schema's default",
}
_MOST_LEAVES = 200
_UNASKED = (
    "the schema's default is not known while the configuration is rejected: `reloadcheck validate` "
    "says why"
)
_USAGE = "name the files, then a key path, as in config.yaml database.url"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one layer has to say about a key path: where, what, and what came of it.

    `path` is where it says it: the key path, or the nearest parent that it replaces.
    """

    origin: Origin
    value: object
    path: KeyPath
    effect: str


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    *files, written = arguments.words or [""]
    if not written:
        raise UsageError(_USAGE)
    path = key_path_of(written)
    try:
        inputs = inputs_of(arguments, files)
    except UsageError as error:
        swapped = os.path.exists(written)
        is_clear = (files or arguments.app) and not swapped
        raise error if is_clear else UsageError(f"{error}; {_USAGE}") from None
    known = known_of(inputs.sources, *inputs.reading)
    page = Page()
    if known.parsed is None:
        _refuse(page, known, as_json=arguments.json)
        return 1
    pairs = zip(known.sources, known.parsed.layers, strict=True)
    hide = hiding(inputs, arguments.hide_values, [known.parsed.tree], pairs)
    with locating_many():
        found = list(contributions(known.parsed.layers, path))
        leaves = list(_leaves(known.parsed, path))
    unasked = False
    if not any(one.effect == "sets" for one in found):
        try:
            found = [*_default(inputs, known.parsed, path), *found]
        except ConfigError:
            unasked = True
    if not found and os.path.exists(written):  # a file, and the key path was forgotten
        raise UsageError(_USAGE)
    is_set = any(one.effect in ("sets", "default") for one in found)
    if arguments.json:
        page.json(_document(path, found, is_set, leaves, hide=hide))
    else:
        layers = [source.name for source in inputs.sources]
        layers += [] if inputs.schema.is_plain or unasked else ["the schema's defaults"]
        _show(page, path, found, is_set, leaves, layers, hide=hide)
        if unasked:
            page.sentence(_UNASKED)
        if not found:
            _suggest(page, known.parsed.tree, path)
    return int(not is_set)


def contributions(layers: Sequence[Layer], path: KeyPath) -> Iterator[Contribution]:
    """Return what the layers say about a key path, the one that wins first."""
    state = "sets"
    for layer in reversed(layers):
        own, value = _reach(layer.tree, path)
        if len(own) < len(path):
            if is_dict(value) or not own:  # says nothing about it
                continue
            effect = "hides" if state == "sets" else "hidden"
            yield Contribution(layer.origin(own), value, own, effect)
            if effect == "hides":
                state = "hidden"
            continue
        yield Contribution(layer.origin(own), value, own, state)
        if state == "sets":
            state = "adds" if is_dict(value) else "overridden"
        elif state == "adds" and not is_dict(value):
            state = "overridden"


def _reach(tree: object, path: KeyPath) -> tuple[KeyPath, object]:
    """Go along a key path as far as a tree has it."""
    own: tuple[Key, ...] = ()
    node = tree
    for key in path:
        try:
            key, node = step_into(node, key)
        except LookupError:
            break
        own = (*own, key)
    return own, node


def _default(inputs: Inputs, parsed: Parsed, path: KeyPath) -> Iterator[Contribution]:
    """Ask the schema for what no file sets; raise `ConfigError` where it takes none of it."""
    if inputs.schema.is_plain:
        return
    try:
        value = lookup(validated(inputs.schema, parsed), path)
    except KeyError:
        return
    yield Contribution(Origin(inputs.schema_name or "the schema"), value, path, "default")


def _leaves(parsed: Parsed, path: KeyPath) -> Iterator[tuple[KeyPath, object, Origin]]:
    """Return each value inside the mapping at a key path, with its own origin."""
    own, node = _reach(parsed.tree, path)
    if len(own) < len(path) or not is_dict(node):
        return
    waiting: list[tuple[KeyPath, object]] = [(own, node)]
    while waiting:
        here, node = waiting.pop()
        if is_dict(node) and node:
            waiting += [((*here, key), part) for key, part in reversed([*node.items()])]
        elif (origin := parsed.origin(here)) is not None:
            yield here, node, origin


def _show(
    page: Page,
    path: KeyPath,
    found: Sequence[Contribution],
    is_set: bool,
    leaves: Sequence[tuple[KeyPath, object, Origin]],
    layers: Sequence[str],
    *,
    hide: Hiding,
) -> None:
    name = key_path_text(path)
    if not is_set:
        said = f"{name}: not set in any of: {', '.join(layers)}"
        if found:
            said = f"{name}: not set in the end: a parent of it is replaced as a whole"
        page.sentence(said, kind="error", mark=f"{name}:")
    elif leaves:
        page.line(page.paint(name, "bold"))
        rows = [(key_path_text(p), shown(v, p, hide=hide), str(o)) for p, v, o in leaves]
        _table(page, rows[:_MOST_LEAVES])
        if len(rows) > _MOST_LEAVES:
            page.line(f"  and {len(rows) - _MOST_LEAVES} more")
        page.line()
    else:
        page.sentence(f"{name} = {shown(found[0].value, path, hide=hide)}", kind="bold", mark=name)
    rows = [(str(one.origin), _effect(one), _said(one, path, hide=hide)) for one in found]
    _table(page, rows)


def _suggest(page: Page, tree: Tree, path: KeyPath) -> None:
    """Name the key beside it that was probably meant."""
    own, node = _reach(tree, path)
    close = get_close_matches(str(path[len(own)]), map(str, node), n=1) if is_dict(node) else []
    for meant in close:
        page.sentence(f"did you mean {key_path_text((*own, meant))}?")


def _effect(one: Contribution) -> str:
    return _EFFECTS[one.effect].format(key_path_text(one.path))


def _said(one: Contribution, path: KeyPath, *, hide: Hiding) -> str:
    return shown(one.value, one.path, hide=hide) if one.path == path or one.value is None else ""


def _table(page: Page, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print three columns; a row that does not fit is broken between them."""
    widths = [min(30, max((columns(row[place]) for row in rows), default=0)) for place in (0, 1)]
    for first, second, third in rows:
        line = f"  {first:<{widths[0]}}  {second:<{widths[1]}}  {third}".rstrip()
        if columns(line) <= 80:
            page.line(line)
            continue
        page.line(f"  {first}")
        page.sentence(f"      {second}  {third}", indent=6)


def _refuse(page: Page, known: Known, *, as_json: bool) -> None:
    if as_json:
        problems = [problem_document(fault) for fault in known.faults]
        page.json({"ok": False, "problems": problems})
    else:
        show_faults(page, known.faults, known)


def _document(
    path: KeyPath,
    found: Sequence[Contribution],
    is_set: bool,
    leaves: Sequence[tuple[KeyPath, object, Origin]],
    *,
    hide: Hiding,
) -> dict[str, Any]:
    return {
        "ok": is_set,
        "key_path": key_path_text(path),
        "value": told(found[0].value, path, hide=hide) if is_set and not leaves else None,
        "layers": [
            {
                **_at(one.origin),
                "key_path": key_path_text(one.path),
                "effect": one.effect,
                "value": told(one.value, one.path, hide=hide),
            }
            for one in found
        ],
        "values": [
            {
                **_at(origin),
                "key_path": key_path_text(p),
                "value": told(value, p, hide=hide),
            }
            for p, value, origin in leaves
        ],
    }


def _at(origin: Origin) -> dict[str, Any]:
    return {"path": origin.name, "line": origin.line, "column": origin.column}

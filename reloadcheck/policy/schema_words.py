"""What a contract says of keys, written into a JSON Schema: so that editors and reviewers see it.

Takes terms and a schema's document, gives the document with the contract's words as `x-` keywords
at each key that it names, its ranges as bounds, and a sentence where editors show one.
"""

import copy
import math
from collections.abc import Iterator
from typing import Any, Final

from .._config.containers import is_dict, is_list
from ..types import Key, KeyPath
from .patterns import ANY
from .terms import KeyTerms, Range, Terms

__all__ = ["with_words"]

_PREFIX: Final = "#/$defs/"
_DEEPEST: Final = 40


def with_words(document: dict[str, Any], terms: Terms) -> dict[str, Any]:
    """Return a copy of the document with the contract's words; what it cannot place is left out.

    A definition that several keys share is copied to those that the contract names.
    """
    writing = _Writing(copy.deepcopy(document))
    for one in terms.keys:
        for way in one.pattern.ways:
            for node in writing.nodes(writing.document, way, 0):
                node.update(_words(one))
                _describe(node, one)
                if one.range is not None:
                    _bound(node, one.range)
    return writing.document


class _Writing:
    """One document on its way."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._shared = {
            name for name in document.get("$defs", {}) if _uses(document, _PREFIX + name) > 1
        }

    def nodes(self, node: Any, path: KeyPath, depth: int) -> Iterator[dict[str, Any]]:
        """Return the schemas at a key path below one, each free to be changed."""
        if not is_dict(node) or depth > _DEEPEST:
            return
        if not path:
            yield node
            return
        self._open(node)
        for word in ("anyOf", "oneOf", "allOf"):
            for part in node.get(word, ()) if is_list(node.get(word)) else ():
                yield from self.nodes(part, path, depth + 1)
        for part in _inside(node, path[0]):
            yield from self.nodes(part, path[1:], depth + 1)

    def _open(self, node: dict[str, Any]) -> None:
        """Put the definition that a node refers to in its place, where others refer to it too."""
        seen = 0
        while isinstance(node.get("$ref"), str) and seen < _DEEPEST:
            seen += 1
            name = node["$ref"].removeprefix(_PREFIX)
            found = self.document.get("$defs", {}).get(name)
            if not is_dict(found):
                return
            del node["$ref"]
            for key, value in copy.deepcopy(found).items():
                node.setdefault(key, value)
            if name not in self._shared and _uses(self.document, _PREFIX + name) == 0:
                del self.document["$defs"][name]
                if not self.document["$defs"]:
                    del self.document["$defs"]


def _uses(node: Any, reference: str) -> int:
    if is_dict(node):
        own = node.get("$ref") == reference
        return own + sum(_uses(part, reference) for part in node.values())
    return sum(_uses(part, reference) for part in node) if is_list(node) else 0


def _inside(node: dict[str, Any], key: Key) -> Iterator[Any]:
    """Return the schemas of what a key, or every one, stands for."""
    properties = node.get("properties")
    named = properties if is_dict(properties) else {}
    if key == ANY:
        yield from named.values()
    elif str(key) in named:
        yield named[str(key)]
        return
    for word in ("additionalProperties", "items"):
        if is_dict(node.get(word)):
            yield node[word]


def _words(one: KeyTerms) -> dict[str, Any]:
    said: dict[str, Any] = {
        "baseline": one.baseline if one.has_baseline and not one.secret else None,
        "range": None if one.range is None else one.range.text,
        "required_in": one.required_in and list(one.required_in),
        "not_baseline_in": one.not_baseline_in and list(one.not_baseline_in),
        "secret": one.secret,
        "owner": one.owner,
        "restart": one.restart,
        "window": one.window,
        "approve": None if one.approve is None else list(one.approve) or "none",
        "signal": one.signal,
        "trial": None if one.trial is None else dict(one.trial),
    }
    return {f"x-{word}": value for word, value in said.items() if value is not None}


def _describe(node: dict[str, Any], one: KeyTerms) -> None:
    """Say it in a sentence as well, which editors show: of `x-` keywords they show nothing."""
    known = (
        ("", "" if one.range is None else one.range.text),
        ("baseline ", str(one.baseline) if one.has_baseline and not one.secret else ""),
        ("required in ", ", ".join(one.required_in or ())),
        ("secret", None if one.secret else ""),
        ("changes with a restart", None if one.restart else ""),
        ("window ", one.window or ""),
        ("by leave of ", " and ".join(one.approve or ())),
        ("owner ", one.owner or ""),
    )
    said = "; ".join(f"{lead}{text or ''}" for lead, text in known if text != "")
    if said:
        own = node.get("description")
        node["description"] = f"{own}\n\nContract: {said}." if own else f"Contract: {said}."


def _bound(node: dict[str, Any], limits: Range) -> None:
    """Let a validator see a range where the value is a number; it only ever tightens."""
    if node.get("type") not in ("integer", "number"):
        return
    if limits.low is not None:
        node["minimum"] = _plain(max(limits.low, node.get("minimum", limits.low)))
    if limits.high is not None:
        node["maximum"] = _plain(min(limits.high, node.get("maximum", limits.high)))


def _plain(number: float) -> float:
    return int(number) if math.isfinite(number) and number == int(number) else number

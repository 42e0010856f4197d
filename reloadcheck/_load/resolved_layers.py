"""Put what references stand for into a layer, or leave them there as they are written.

Finding and reading them is `references`'s. Takes a layer and what was read; each reference that
cannot be had is told at its place.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from .._config.containers import is_dict, is_list
from ..exceptions import ConfigSyntaxError, SourceError
from ..seams.feed import Referring
from ..types import KeyPath, Layer, Pause, Problem, Untyped, Verbatim, printable
from .layers import layer_of
from .references import MOST

__all__ = ["as_written", "resolved", "unread"]

_IN_TEXT: Final = re.compile(r"(\$?)\$\{([a-z][a-z0-9_-]*):([^{}]*)(\}?)")
_NODES_A_PAUSE: Final = 500

MOST_REPEATED: Final = 64 * 2**20
"""Characters that the references of a layer may stand for beyond the first use of each."""


def resolved(layer: Layer, referring: Referring, pause: Pause, *, lenient: bool = False) -> Layer:
    """Return the layer with what its references stand for.

    Raise `SourceError` for what cannot be read, `ConfigSyntaxError` for what is no reference; each
    names its place. `lenient`: what cannot be read stands for itself.
    """
    resolving = _Resolving(layer, referring, pause, lenient=lenient)
    tree = resolving.part(layer.tree, ())
    if resolving.wrong:
        raise ConfigSyntaxError(*resolving.wrong)
    if resolving.missing:
        raise SourceError(*resolving.missing)
    if not resolving.referred and tree is layer.tree:
        return layer
    return replace(layer, tree=tree, untyped=True, referred=resolving.referred)


def unread(layers: Sequence[Layer], referring: Referring) -> Iterator[Problem]:
    """Return a problem for each reference in the layers that could not be read."""
    for layer in layers:
        for path, text in layer.referred.items():
            for match in _IN_TEXT.finditer(text):
                found = referring.found.get((match[2], match[3]))
                if not match[1] and found is not None and found.text is None:
                    reason = f"refers to {match[2]}:{match[3]}, not read here: {found.reason}"
                    origin = layer.origin(path)
                    yield Problem(reason, origin.name, origin.line, origin.column, path)


def as_written(tree: Any, layers: Sequence[Layer]) -> Any:
    """Return the merged tree with references as they are written, in the place of what they are.

    Its digest is the same wherever they can be read, and survives a rotation.
    """
    for number, layer in enumerate(layers):
        for path, text in layer.referred.items():
            if layer_of(layers, path) == number:
                tree = _with(tree, path, text)
    return tree


def _with(tree: Any, path: KeyPath, value: object) -> Any:
    if not path:
        return value
    part = _with(tree[path[0]], path[1:], value)
    if is_dict(tree):
        return {**tree, path[0]: part}
    return [part if at == path[0] else one for at, one in enumerate(tree)]


class _Resolving:
    """One walk over one layer, which copies only what holds references."""

    def __init__(self, layer: Layer, referring: Referring, pause: Pause, *, lenient: bool) -> None:
        self._layer, self._referring, self._pause = layer, referring, pause
        self._lenient = lenient
        self._nodes = 0
        self._used: set[tuple[str, str]] = set()
        self._repeated = 0
        self.referred: dict[KeyPath, str] = {}
        self.missing: list[Problem] = []
        self.wrong: list[Problem] = []

    def part(self, value: Any, path: KeyPath) -> Any:
        self._nodes += 1
        if self._nodes % _NODES_A_PAUSE == 0:
            self._pause()
        if is_dict(value):
            parts = {key: self.part(part, (*path, key)) for key, part in value.items()}
            same = all(parts[key] is part for key, part in value.items())
            return value if same else parts
        if is_list(value):
            items = [self.part(part, (*path, at)) for at, part in enumerate(value)]
            same = all(one is other for one, other in zip(items, value, strict=True))
            return value if same else items
        if isinstance(value, str) and "${" in value and not isinstance(value, Verbatim):
            text = self._text(value, path)
            if path in self.referred:
                self.referred[path] = str(value)
            return text
        return value

    def _text(self, value: str, path: KeyPath) -> str:
        pieces = list(self._pieces(value, path))
        if len(pieces) == 1 and isinstance(pieces[0], Untyped):
            return pieces[0]
        whole = "".join(pieces)
        if whole == value:
            return value
        return Untyped(whole) if isinstance(value, Untyped) else whole

    def _pieces(self, value: str, path: KeyPath) -> Iterator[str]:
        """Return the parts of a text; what a reference stands for is `Untyped` or `Verbatim`."""
        at = 0
        for match in _IN_TEXT.finditer(value):
            if value[at : match.start()]:
                yield value[at : match.start()]
            at = match.end()
            escape, kind, name, end = match.groups()
            if escape:
                yield match[0][1:]
            elif not end:
                self.wrong.append(self._problem(f"has a ${{{kind}:… that no }} closes", path))
            else:
                yield self._meant(kind, name, path)
        if value[at:]:
            yield value[at:]

    def _meant(self, kind: str, name: str, path: KeyPath) -> str:
        found = self._referring.found.get((kind, name))
        text = f"${{{kind}:{name}}}"
        lead = f"refers to {printable(kind)}:{printable(name)}"
        self.referred[path] = text
        if found is None:
            self.wrong.append(self._problem(f"{lead}, {self._unknown(kind)}", path))
        elif found.text is not None:
            if self._is_affordable((kind, name), len(found.text)):
                return found.text
            if self._repeated != -1:
                reason = f"{lead}: with what is repeated, too much text would stand here"
                self.wrong.append(self._problem(reason, path))
            self._repeated = -1
        elif not self._lenient:
            self.missing.append(self._problem(f"{lead}: {found.reason}", path))
        return text

    def _is_affordable(self, name: tuple[str, str], length: int) -> bool:
        """Return whether so much text may stand here: a document may repeat a name for ever."""
        if self._repeated >= 0 and name in self._used:
            self._repeated += length
        self._used.add(name)
        return 0 <= self._repeated <= MOST_REPEATED

    def _unknown(self, kind: str) -> str:
        if kind in self._referring.kinds:
            return f"which is not read: it is written with escapes, or one of more than {MOST:,}"
        return (
            f"and nothing here reads {printable(kind)}: name it in references=[…], or write "
            f"$${{{printable(kind)}:… for the text itself"
        )

    def _problem(self, reason: str, path: KeyPath) -> Problem:
        origin = self._layer.origin(path)
        return Problem(reason, origin.name, origin.line, origin.column, path)

"""Values that stand elsewhere: `${file:db/password}` in a text is what is read there.

Finds the names in documents, reads what they stand for, puts it into a layer. The names are looked
for in the bytes, so that one look at the sources knows them all; one in a comment is read, and
never asked for. Nothing of what is read stands in an error.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from .._config.containers import is_dict, is_list, is_tuple
from .._runtime.foreign import placed
from ..exceptions import ConfigError, ConfigSyntaxError, OptionError, SourceError, TornError
from ..seams.feed import Reading, Referred, Referring
from ..types import (
    Document,
    KeyPath,
    Layer,
    Pause,
    Problem,
    References,
    Stamp,
    Untyped,
    Verbatim,
    printable,
)
from .layers import layer_of

__all__ = [
    "ReferenceSet", "as_written", "checked", "documents_of", "resolved", "unread", "with_documents",
]  # fmt: skip

MOST: Final = 1_000
"""Different references of one configuration."""

YOUNG_NS: Final = 10 * 10**9
"""A file that is named for the first time and is younger than this must first have been quiet."""

_LONGEST: Final = 300
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]*")
_IN_BYTES: Final = re.compile(rb"\$\{([a-z][a-z0-9_-]*):([^{}\r\n]*)\}")
_IN_TEXT: Final = re.compile(r"(\$?)\$\{([a-z][a-z0-9_-]*):([^{}]*)(\}?)")
_NODES_A_PAUSE: Final = 500

Name = tuple[str, str]


def checked(given: object) -> tuple[References, ...]:
    """Return the references of an engine; raise `OptionError` for what is none."""
    example = 'references=[FileReferences("/run/secrets")]'
    if not (is_list(given) or is_tuple(given)):
        raise OptionError(f"references is a list, as in {example}")
    found: list[References] = []
    for one in [*given]:
        if not isinstance(one, References):
            raise OptionError(f"references are objects, as in {example}")
        kind: Any = one.kind
        if not isinstance(kind, str) or _KIND.fullmatch(kind) is None:
            raise OptionError(f"references {type(one).__name__}: kind is a word in lower case")
        if any(other.kind == one.kind for other in found):
            raise OptionError(f"references: there are two of the kind {one.kind!r}")
        found.append(one)
    return tuple(found)


class ReferenceSet:
    """The references of one engine: looked at as one more source, read beside the documents."""

    def __init__(
        self,
        references: Sequence[References],
        max_bytes: int,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._by_kind = {one.kind: one for one in references}
        self._max_bytes = max_bytes
        self._wall_ns = wall_ns
        self._known: tuple[Name, ...] = ()
        self._seen: dict[Name, object] = {}

    def stamp(self) -> Stamp:
        """Return one stamp of all that the documents named at the last read."""
        stamps = [(name, *self._stamp(name)) for name in self._known]
        times = [one.newest_ns for _, one, _ in stamps if one is not None and one.newest_ns]
        values = tuple((name, reason if one is None else one.value) for name, one, reason in stamps)
        return Stamp(values, max(times, default=None))

    def read(self, documents: Sequence[Sequence[Document]], given: Stamp) -> Referring:
        """Return what the documents name, whose stamp was `given`; raise `TornError`.

        What is named for the first time is believed when it is old enough, else after it has been
        quiet like everything else.
        """
        self._seen = dict(given.value) if is_tuple(given.value) else {}
        return self._all(named_in(documents))

    def now(self, documents: Sequence[Sequence[Document]]) -> Referring:
        """Return what the documents name at this moment, however young it is."""
        self._seen, found = {}, dict[Name, Referred]()
        for name in named_in(documents):
            if name[0] in self._by_kind:
                stamp, reason = self._stamp(name)
                try:
                    found[name] = (
                        Referred(None, reason) if stamp is None else self._read(name, stamp)
                    )
                except TornError as error:
                    found[name] = Referred(None, str(error.problems[0].reason))
        return Referring(tuple(self._by_kind), found)

    def refer(self, documents: Sequence[Sequence[Document]]) -> Referring:
        """Return what other documents name, beside what was read last; raise `TornError`."""
        before = self._known
        found = self._all(named_in(documents))
        self._known = tuple(dict.fromkeys((*before, *self._known)))
        return found

    def _all(self, names: Sequence[Name]) -> Referring:
        self._known = tuple(name for name in names if name[0] in self._by_kind)
        found: dict[Name, Referred] = {}
        for name in self._known:
            stamp, reason = self._stamp(name)
            value = reason if stamp is None else stamp.value
            if name in self._seen and self._seen[name] != value:
                raise _torn(name)
            if stamp is None:
                found[name] = Referred(None, reason)
                continue
            age = None if stamp.newest_ns is None else self._wall_ns() - stamp.newest_ns
            if name not in self._seen and age is not None and age < YOUNG_NS:
                raise _torn(name)
            found[name] = self._read(name, stamp)
            again, _ = self._stamp(name)
            if again is None or again.value != stamp.value:
                raise _torn(name)
        return Referring(tuple(self._by_kind), found)

    def _stamp(self, name: Name) -> tuple[Stamp | None, str]:
        try:
            stamp = cast("object", self._by_kind[name[0]].stamp(name[1]))
        except ConfigError as error:
            return None, str(error.problems[0])
        except BaseException as error:
            return None, f"its references raised {placed(error)}"
        return (stamp, "") if isinstance(stamp, Stamp) else (None, "its stamp() returned no Stamp")

    def _read(self, name: Name, stamp: Stamp) -> Referred:
        try:
            text = cast("object", self._by_kind[name[0]].read(name[1], stamp, self._max_bytes))
        except TornError:
            raise _torn(name) from None
        except ConfigError as error:
            return Referred(None, str(error.problems[0]))
        except BaseException as error:
            return Referred(None, f"its references raised {placed(error)}")
        if not isinstance(text, str):
            return Referred(None, "its read() returned no text")
        return Referred(text if isinstance(text, Untyped) else Verbatim(text))


def _torn(name: Name) -> TornError:
    return TornError(Problem("changed while it was being read", ":".join(name)))


def named_in(documents: Sequence[Sequence[Document]]) -> list[Name]:
    """Return what the documents name, in their order, each once; one more than allowed at most."""
    names: dict[Name, None] = {}
    for document in (one for group in documents for one in group):
        data, at = document.data, -2
        while (at := data.find(b"${", at + 2)) >= 0 and len(names) <= MOST:
            match = _IN_BYTES.match(data, at, at + _LONGEST)
            if match is not None:
                name = match[2].replace(rb"\/", b"/").decode("utf-8", "replace")
                names[match[1].decode("ascii"), name] = None
    return list(names)


def documents_of(referring: Referring) -> list[Document]:
    """Return what makes a digest of what was read; of what could not be read, that it was not."""
    return [
        Document(":".join(name), (one.text or "").encode("utf-8", "surrogatepass"), form)
        for name, one in referring.found.items()
        for form in ("missing" if one.text is None else "reference",)
    ]


def with_documents(
    reading: Reading,
    documents: tuple[tuple[Document, ...], ...],
    digest: Callable[[Sequence[Document]], str],
) -> Reading:
    """Return a reading of other documents, with what their references stand for now."""
    referring = None if reading.refer is None else reading.refer(documents)
    all_of_them = [one for group in documents for one in group]
    read = [] if referring is None else documents_of(referring)
    found = digest([*all_of_them, *read])
    return replace(reading, documents=documents, digest=found, referring=referring)


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
            return found.text
        elif not self._lenient:
            self.missing.append(self._problem(f"{lead}: {found.reason}", path))
        return text

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

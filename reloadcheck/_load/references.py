"""Find references such as `${file:db/password}` in documents, and read what they stand for.

Finds the names in documents and reads what they stand for; `referred` puts it into a layer. The
names are looked for in the bytes, so that one look at the sources knows them all; one in a comment
is read, and never asked for. Nothing of what is read stands in an error.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from .._config.containers import is_list, is_tuple
from .._runtime.foreign import placed
from ..exceptions import ConfigError, OptionError, TornError
from ..seams.feed import Reading, Referred, Referring
from ..sources import reading
from ..types import (
    Document,
    Problem,
    References,
    Stamp,
    Untyped,
    Verbatim,
)

__all__ = [
    "MOST",
    "ReferenceSet",
    "checked",
    "documents_of",
    "with_documents",
]

MOST: Final = 1_000
"""Different references of one configuration."""

YOUNG_NS: Final = 10 * 10**9
"""A file that is named for the first time and is younger than this must first have been quiet."""

_LONGEST: Final = 300
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]*")
_IN_BYTES: Final = re.compile(rb"\$\{([a-z][a-z0-9_-]*):([^{}\r\n]*)\}")

Name = tuple[str, str]


def checked(given: object, environ: Mapping[str, str] | None = None) -> tuple[References, ...]:
    """Return the references of an engine with this environment; raise `OptionError` for others."""
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
        found.append(reading(one, environ))
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

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds that are read."""
        return tuple(self._by_kind)

    def anew(self) -> "ReferenceSet":
        """Return one of the same references that has read nothing yet."""
        return ReferenceSet([*self._by_kind.values()], self._max_bytes, self._wall_ns)

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
        return Referring(self.kinds, found)

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
        return Referring(self.kinds, found)

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

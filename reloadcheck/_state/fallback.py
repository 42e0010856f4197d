"""What an application serves instead of its sources while the order `fallback` is on.

Takes a reading, gives one in which the documents that may be kept are the fall-back's; confidential
sources and the environment are as they are now.
"""

from collections.abc import Sequence
from dataclasses import replace

from .._config.digest import source_digest
from ..exceptions import ConfigError, SourceError
from ..seams.feed import Reading
from ..types import Document, Source
from .board import Hold
from .content import content_of, kept_of

__all__ = ["Fallback", "not_served"]


class Fallback:
    """One source that stands in for others; `error` says why it could not be read last."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.error: str | None = None

    def mark(self) -> object:
        """Return what changes when it is edited."""
        try:
            return self.source.stamp()
        except SourceError:
            return None

    def laid(
        self, sources: Sequence[Source], reading: Reading, max_bytes: int
    ) -> tuple[str, Reading] | None:
        """Return its content and the reading that has it; None where it cannot be read."""
        try:
            own = tuple(self.source.read(self.source.stamp(), max_bytes))
        except (SourceError, ConfigError) as error:
            self.error = str(error)
            return None
        self.error = None
        documents = list(reading.documents)
        for number in kept_of(sources, reading.places):
            documents[number] = own or _nothing(documents[number])
            own = ()
        digest = source_digest([one for group in documents for one in group])
        laid = replace(reading, documents=tuple(documents), digest=digest)
        content = content_of(sources, laid)
        if content is None:
            self.error = f"{self.source.name}: is no configuration"
        return None if content is None else (content, laid)


def not_served(fallback: Fallback | None, hold: Hold | None) -> str:
    """Say why the fall-back that is ordered does not serve here."""
    who = f" by {hold.by}" if hold is not None and hold.by else ""
    why = "this application names none: fallback=…"
    if fallback is not None:
        why = fallback.error or "it cannot be had"
    return f"the fall-back is on{who}, and is not served here: {why}"


def _nothing(documents: tuple[Document, ...]) -> tuple[Document, ...]:
    """Return what a source without a value gives: an empty document, where it has one at all."""
    if len(documents) != 1:
        return ()
    return (Document(documents[0].name, b"{}", "json"),)

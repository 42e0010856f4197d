"""Make the row of history that an edit gets, and pick the documents that a store may keep of it."""

from collections.abc import Callable, Mapping

from .._runtime.log import WARNING, log
from ..seams.feed import Reading
from ..types import Code, Diff, Outcome, Source, Trigger, key_path_text
from .content import layers_of, packed, secret_in
from .ledger import Entry
from .this_worker import ThisWorker

__all__ = ["Rows"]

_SHOWN = 20
"""How many changed key paths a row names."""


class Rows:
    """Makes the rows of one worker; `sources` gives those of its engine."""

    def __init__(self, worker: ThisWorker, sources: Callable[[], tuple[Source, ...]]) -> None:
        self._worker, self._sources = worker, sources
        self._unpublished = False

    def entry(
        self,
        changes: Diff,
        trigger: Trigger,
        *,
        outcome: Outcome,
        at: float,
        content: str | None,
        source: str,
        first: bool,
    ) -> Entry:
        """Return the row of one edit, as far as every outcome has it."""
        options = self._worker.options()
        paths = changes.key_paths
        return Entry(
            None,
            str(outcome),
            at,
            content,
            source,
            cause="start" if first else "file",
            trigger=trigger.kind,
            trace=trigger.link if isinstance(trigger.link, str) else None,
            member=self._worker.keeper.id,
            changed=tuple(key_path_text(path) for path in paths[:_SHOWN]),
            changes=len(paths),
            release=options.release,
            secrets=tuple(sorted(options.secrets)),
        )

    def packed(self, reading: Reading) -> bytes:
        """Return the documents of a reading as they are kept."""
        return packed(self._sources(), reading)

    def layers(self, reading: Reading, content: str | None) -> Mapping[str, str]:
        """Return the digest of each layer that may be kept, with its name."""
        return layers_of(self._sources(), reading, content)

    def publishable(self, reading: Reading, documents: bytes) -> bytes | None:
        """Return what the store is to keep: nothing that looks secret, where it is asked so."""
        options, store = self._worker.options(), self._worker.keeper.store
        kept = store.retention.content
        if kept is not None:
            return documents if kept else None
        secret = secret_in(self._sources(), reading, options.secrets, options.public)
        if secret is None:
            return documents
        if not self._unpublished:
            self._unpublished = True
            words = (
                "%s: %s keeps no content of this edition, so that nothing can go back to it: have "
                "the secret read by a reference, or give the store content=True"
            )
            log(WARNING, words, secret, store.name, code=str(Code.STORE))
        return None

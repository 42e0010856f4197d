"""A store's listener: has what happened here written down, and told to the other workers."""

import time
from collections.abc import Callable
from dataclasses import replace

from .._observe.events import ReloadEvent
from .._observe.identity import identity
from ..seams.feed import Reading
from ..types import Code, Outcome
from .board import Member
from .edit_row import Rows
from .feed import StoreFeed
from .history_writer import Fact
from .ledger import Entry
from .round_driver import Failure
from .this_worker import ThisWorker
from .together import Vote

__all__ = ["StoreListener"]

_OF_ALL = frozenset({Code.REFUSED, Code.BANNED, Code.PINNED})
"""Rejections that are no fault found here, but what all have decided or somebody has ordered."""

_MAY_TURN = frozenset({Code.FACTORY, Code.PROBE, Code.TIMEOUT, Code.RESOURCE, Code.INTERNAL})
"""Rejections that are tried again by themselves."""

_PENDING = frozenset({Outcome.WAITING, Outcome.TRYING})
"""What a roll-back bans, too: it would go live a moment later otherwise."""


_OF_AN_EDIT = frozenset({Outcome.REJECTED, Outcome.UNDONE, Outcome.WAITING})
"""Outcomes that are over once the sources hold what serves again, of which nobody is told."""


class StoreListener:
    """What one worker tells of itself; `member` is its record as it is now.

    `outcome` returns what the engine's last check came to, `notify` has it check once more.
    """

    def __init__(
        self,
        worker: ThisWorker,
        feed: StoreFeed,
        rows: Rows,
        outcome: Callable[[], Outcome | None],
        notify: Callable[[bool], None],
    ) -> None:
        self._member = Member()
        self._serves: str | None = None
        self._outcome, self._notify = outcome, notify
        self.started = time.time()
        self._worker, self._feed, self._rows = worker, feed, rows

    @property
    def member(self) -> Member:
        """Return this worker's record; it tells of no edit that is gone."""
        member = self._member
        of_an_edit = member.outcome in _OF_AN_EDIT and member.code not in _OF_ALL
        if of_an_edit and self._outcome() is Outcome.UNCHANGED:
            outcome = str(Outcome.UNCHANGED)
            return replace(member, outcome=outcome, code=None, error=None, pending=None)
        return member

    def hear(self, event: ReloadEvent) -> None:
        """Write down what happened; runs in a call thread."""
        source, content = self._about(event)
        reading = None
        if event.outcome is Outcome.RELOADED:
            source, content, reading = self._swapped(event.digest)
            self._serves = event.digest
        entry = replace(
            self._rows.entry(
                event.diff,
                event.trigger,
                outcome=event.outcome,
                at=event.at,
                content=content,
                source=source,
                first=event.first,
            ),
            code=event.code,
            error=None if event.error is None else str(event.error),
            seconds={name: round(seconds, 4) for name, seconds in event.seconds},
            actor=event.actor,
            why=event.reason,
            override=event.is_override,
        )
        self._tell_rounds(entry)
        worker = self._worker
        if reading is not None and not self._feed.is_own:
            self._notify(False)  # what is wrong with the sources is told now, and not at a request
        # It had been promoted where something else serves now; else a secret may have been tried.
        if event.outcome is Outcome.UNDONE and self._serves not in (None, event.digest):
            self._serves = event.digest
            worker.undone()
            if worker.rounds is not None:
                worker.rounds.swapped(worker.serving)
        documents = None
        if reading is not None:
            documents = worker.own.get(content or "") or self._rows.packed(reading)
            documents = self._rows.publishable(reading, documents)
            layers = self._rows.layers(reading, content)
            entry = replace(entry, size=len(documents or b""), layers=layers)
        self._member = self._member_after(event, entry)
        over = entry.code == Code.SUPERSEDED
        if (event.outcome is Outcome.UNCHANGED and not over) or entry.code == Code.WAITING:
            return
        fallen = event.outcome is Outcome.RELOADED and worker.is_of_fallback(content)
        fact = Fact(entry, documents, event.version, first=event.first, fallback=fallen)
        worker.keeper.note(fact)

    def _about(self, event: ReloadEvent) -> tuple[str, str | None]:
        """Return source digest and content of the edit that it tells of; the sources may be on."""
        if event.edit is None:
            return self._feed.last or ("", None)
        if event.edit == self._worker.source:
            return event.edit, self._worker.serving
        return event.edit, self._worker.known(event.edit)[0]

    def record(self) -> Member:
        """Return this worker's record, also before it has served anything."""
        options = self._worker.options()
        who = identity(options.app)
        return replace(
            self.member,
            host=who.host,
            pid=who.pid,
            worker=who.worker or "",
            app=who.application,
            release=options.release or "",
            started=self.started,
        )

    def _swapped(self, digest: str | None) -> tuple[str, str | None, Reading | None]:
        """Return the source digest, content and documents of what was swapped in."""
        worker = self._worker
        source = worker.swapping.get(digest or "", "")
        content, reading = worker.known(source)
        worker.swapped(content, source)
        if reading is not None and content is not None:
            worker.own = {content: self._rows.packed(reading)}
        return source, content, reading

    def _tell_rounds(self, entry: Entry) -> None:
        """Let the others know what came of an edit here."""
        rounds, content = self._worker.rounds, entry.content
        if rounds is None or content is None:
            return
        if entry.outcome == Outcome.RELOADED:
            rounds.swapped(content)
        elif entry.outcome == Outcome.TRYING:
            rounds.tried(content)
        elif entry.outcome == Outcome.REJECTED and entry.code not in _OF_ALL:
            turns = entry.code in _MAY_TURN
            vote = Vote.FAILED if turns else Vote.FAILED_FOR_GOOD
            rounds.failed(content, Failure(vote, entry.code, entry.error))
        self._worker.keeper.wake()

    def _member_after(self, event: ReloadEvent, entry: Entry) -> Member:
        swapped = event.outcome is Outcome.RELOADED
        over = entry.code == Code.SUPERSEDED  # nothing is wrong here, and the next edit is told
        member = replace(
            self.record(),
            content=self._worker.serving,
            digest=event.digest,
            version=event.version,
            outcome=str(Outcome.UNCHANGED if over else event.outcome),
            code=None if over else entry.code,
            error=None if over else entry.error,
            since=event.at,
            pending=entry.content if event.outcome in _PENDING else None,
        )
        return replace(member, layers=entry.layers) if swapped else member

"""One trial over all workers that share a store: each tells what it counted, one verdict holds.

The gate's side tells and asks from a call thread; the store thread carries it to the board and
back. What a worker tells is bound to its life: one whose process ends in a trial is missed.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from ..seams.trial import Counted, Verdict
from ..types import Board, Record, Store
from .alive import is_gone
from .records import object_in, record
from .undone import Left, records_of, same_in

__all__ = ["TRIALS", "VERDICTS", "Pool"]

TRIALS, VERDICTS = "trial/", "verdict/"

ANSWER_SECONDS: Final = 0.5
"""Seconds that a verdict waits for the store; without an answer it is this worker's alone."""

MOST_AT_ONCE: Final = 100
"""Verdicts that are forgotten in one write: etcd takes no more than 128 operations."""


class _Part:
    """What one worker tells and hears in one trial; `since` is the look at which it began.

    `content` is what is tried, as bans speak of it.

    Each trial has a part of its own, so that a look that was under way for the one before, in the
    store thread, says nothing in the next.
    """

    def __init__(self, digest: str, since: int, content: str | None = None) -> None:
        self.digest, self.since, self.content = digest, since, content
        self.mine = Counted()
        self.begun = False
        self.heard: Mapping[str, Counted] = {}
        self.verdicts: Mapping[str, Verdict] = {}
        self.told: Mapping[str, Verdict] = {}
        self.decided: dict[str, Verdict] = {}
        self.lost: str | None = None


class Pool:
    """One worker's part in the trials of all. `wake` has the store thread look at once.

    `poke` has the engine ask the trial what follows. `revision` returns that of the newest look.
    `content` returns that of a configuration, by its digest; `bans` what is to be written with a
    verdict that undoes a content, for a reason, so that no death comes between the two.
    """

    def __init__(
        self,
        store: Store,
        wake: Callable[[], None],
        poke: Callable[[], None],
        revision: Callable[[], int] = lambda: 0,
        content: Callable[[str], str | None] = lambda _: None,
        bans: Callable[[str, str], Left] = lambda content, why: {},
    ) -> None:
        self._store = store
        self._wake = wake
        self._poke = poke
        self._revision, self._content, self._bans = revision, content, bans
        self._stepped = threading.Event()
        self._part = _Part("", 0)
        self._on = False
        self._told: Counted | None = None
        self._key: str | None = None

    # ------------------------------------------------------------ from the gate's side

    def begin(self, digest: str) -> None:
        """Take part in the trial of a configuration, by its digest."""
        self._part = _Part(digest, self._revision(), self._content(digest))
        self._on = True
        self._wake()

    def tell(self, counted: Counted) -> None:
        """Publish to the others what was counted here."""
        if counted != self._part.mine:
            self._part.mine = counted
            self._wake()

    @property
    def others(self) -> tuple[Counted, ...]:
        """Return what the others have counted."""
        return tuple(self._part.heard.values())

    @property
    def lost(self) -> str | None:
        """Return the name of a worker whose process ended in the midst of it."""
        return self._part.lost

    def verdict(self, stage: str = "") -> Verdict | None:
        """Return what was decided, of the trial or of a later stage of it."""
        return self._part.verdicts.get(stage)

    def decide(self, verdict: Verdict, stage: str = "") -> Verdict:
        """Decide for all; return what holds, which another may have been faster to say."""
        part = self._part
        part.decided[stage] = verdict
        for _ in range(int(ANSWER_SECONDS / 0.02)):
            self._stepped.clear()
            self._wake()
            known = part.verdicts.get(stage)
            if known is not None:
                return known
            self._stepped.wait(0.02)
        return verdict

    def leave(self) -> None:
        """Take part no longer."""
        self._on = False
        self._wake()

    # ------------------------------------------------------------ from the store thread

    @property
    def is_on(self) -> bool:
        """Return whether this worker takes part, or is about to leave."""
        return self._on or self._key is not None

    def hear(self, board: Board, prefix: str) -> None:
        """Take note of what was decided in the trial that this worker takes part in."""
        part = self._part
        if part.begun:
            part.verdicts = _verdicts(_below(board, f"{prefix}{VERDICTS}{part.digest}/"))

    def step(self, board: Board, prefix: str, own: str) -> bool:
        """Publish, and hear; return whether something was written."""
        part, digest = self._part, self._part.digest
        key = f"{prefix}{TRIALS}{digest}/{own}" if self._on else None
        if self._key is not None and self._key != key:
            self._store.put({self._key: None})
            self._key = self._told = None
        if key is None:
            return False
        lead = f"{prefix}{TRIALS}{digest}/"
        peers = _below(board, lead)
        peers.pop(own, None)
        verdict = f"{prefix}{VERDICTS}{digest}/"
        found = _below(board, verdict)
        if not part.begun:
            # Of earlier trials, which are over; not one of peers who were faster.
            stale = _stale(board, prefix, part.since, own=f"{digest}/{own}")
            if stale:
                self._store.put(dict.fromkeys(stale))
                return True
            part.begun = True
        gone = [name for name in peers if is_gone(name, own)]
        if gone:
            part.lost = part.lost or gone[0]
            self._store.put({f"{lead}{name}": None for name in gone})
            self._poke()
        mine, wrote = part.mine, False
        if mine != self._told:
            self._store.put({key: _text(mine)}, mortal=True)
            self._key, self._told, wrote = key, mine, True
        for stage, decided in list(part.decided.items()):
            name = stage or "trial"
            if name not in found:
                undoes = decided.word == "undo" and part.content is not None
                left: Left = self._bans(str(part.content), decided.sentence) if undoes else {}
                said = f"{verdict}{name}"
                records = {**records_of(left, prefix), said: _text(decided)}
                self._store.put(records, same={**same_in(left, prefix), said: 0})
                wrote = True
        heard = {
            name: told
            for name, one in peers.items()
            if (told := record(Counted, object_in(one.value))) is not None
        }
        verdicts = _verdicts(found)
        news = verdicts != part.told or _bad(heard) > _bad(part.heard)
        part.told = verdicts
        part.heard, part.verdicts = heard, verdicts
        self._stepped.set()
        if news:
            self._poke()
        return wrote or bool(gone)


def _below(board: Board, lead: str) -> dict[str, Record]:
    """Return the records below a name, by the rest of their names."""
    found = board.records.items()
    return {name.removeprefix(lead): one for name, one in found if name.startswith(lead)}


def _stale(board: Board, prefix: str, since: int, own: str) -> list[str]:
    """Return verdicts as old as that on what nobody else tries, no more than one put may hold."""
    tried = {name.partition("/")[0] for name in _below(board, prefix + TRIALS) if name != own}
    return [
        f"{prefix}{VERDICTS}{name}"
        for name, one in _below(board, prefix + VERDICTS).items()
        if one.revision <= since and name.partition("/")[0] not in tried
    ][:MOST_AT_ONCE]


def _verdicts(found: Mapping[str, Record]) -> dict[str, Verdict]:
    """Return what was decided at each stage; that of the trial itself has no name."""
    return {
        name.removeprefix("trial"): said
        for name, one in found.items()
        if (said := record(Verdict, object_in(one.value))) is not None
    }


def _bad(heard: Mapping[str, Counted]) -> int:
    """Count what of it may lead to a verdict: bad units and visitors on the candidate."""
    return sum(
        sum(on_candidate for _, on_candidate, _ in counted.signals.values())
        + sum(fell for told in counted.keyed.values() for fell, _ in told.values())
        for counted in heard.values()
    )


def _text(value: Any) -> str:
    return json.dumps(asdict(value), separators=(",", ":"), sort_keys=True)

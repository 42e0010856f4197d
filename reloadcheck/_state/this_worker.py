"""What this worker of a store serves, has read and keeps, and what is wanted of it.

The feed, the gate and the listener of a store share it. The wanted state is the board's, with what
is known here and not yet written there.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Protocol

from .._runtime.clock import Clock
from ..seams.feed import Reading
from ..seams.store import Together
from .bans import without_passing
from .board import Ban, Hold, State
from .keeper import Keeper
from .ledger import entries_from, served_before
from .round_driver import Rounds

__all__ = ["Options", "ThisWorker"]

_KNOWN_READINGS = 8


class Options(Protocol):
    """What of an engine's options a store has to know."""

    @property
    def app(self) -> str | None:
        """The application's name."""
        ...

    @property
    def release(self) -> str | None:
        """The group of workers that are together."""
        ...

    @property
    def boot(self) -> str:
        """What to start with where the sources are bad: `file` or `last-good`."""
        ...

    @property
    def together(self) -> Together | None:
        """How many of the workers must have an edit ready, None where each goes by itself."""
        ...

    @property
    def window(self) -> float:
        """Seconds between two looks."""
        ...

    @property
    def patience(self) -> float:
        """Seconds that a request may wait."""
        ...

    @property
    def secrets(self) -> Collection[str]:
        """Names of keys that are secret, too."""
        ...

    @property
    def public(self) -> Collection[str]:
        """Names of keys that are not."""
        ...


class ThisWorker:
    """One worker's part of what is served and wanted.

    `serving` is the content that serves, `source` the digest of its reading. `own` are documents of
    what serves. `taken_back` is the content that was last, here, and `decided` one that all have
    decided on and that has not served here since. `swapping` has, by the digest of what a gate let
    through, that of its reading.
    """

    def __init__(self, options: Callable[[], Options], clock: Clock, keeper: Keeper) -> None:
        self.options, self.clock, self.keeper = options, clock, keeper
        self.serving: str | None = None
        self.source: str | None = None
        self.taken_back: str | None = None
        self.decided: str | None = None
        self._before: tuple[str | None, str | None] = None, None
        self.own: dict[str, bytes] = {}
        self.swapping: dict[str, str] = {}
        self._readings: dict[str, tuple[str | None, Reading]] = {}
        self._fallbacks: set[str] = set()
        self._ordered: tuple[Hold, str | None] | None = None
        self._over: Hold | None = None
        self._retried_at: int | None = None

    def forget_parent(self) -> None:
        """Serve nothing in a forked child, where what is known and kept is as it was."""
        self.serving = self.source = self.taken_back = self.decided = None
        self._before = None, None

    # ------------------------------------------------------------------ what was read

    def known(self, digest: str) -> tuple[str | None, Reading | None]:
        """Return the content and the reading of a digest; None each where it was not read."""
        return self._readings.get(digest, (None, None))

    def knows(self, digest: str) -> bool:
        """Return whether a reading with this digest is known."""
        return digest in self._readings

    def learn(self, reading: Reading, content: str | None) -> None:
        """Keep in mind what a reading holds; the oldest is forgotten."""
        self._readings.pop(reading.digest, None)
        self._readings[reading.digest] = (content, reading)
        while len(self._readings) > _KNOWN_READINGS:
            self._readings.pop(next(iter(self._readings)))

    def learn_fallback(self, content: str) -> None:
        """Keep in mind that a content is the fall-back's."""
        self._fallbacks.add(content)

    def is_of_fallback(self, content: str | None) -> bool:
        """Return whether a content is one that the fall-back gave."""
        return content in self._fallbacks

    def is_fallen(self, content: str | None) -> bool:
        """Return whether it is what is ordered now: the fall-back's content, not voted on."""
        return self.falls_back and self.is_of_fallback(content)

    # ------------------------------------------------------------------ what is wanted

    @property
    def rounds(self) -> Rounds | None:
        """Return this worker's part in deciding together; None where each goes by itself."""
        return self.keeper.rounds

    @property
    def falls_back(self) -> bool:
        """Return whether the fall-back is ordered."""
        hold = self.state.hold
        return hold is not None and hold.kind == "fallback"

    @property
    def is_frozen(self) -> bool:
        """Return whether no edit is to go live by now."""
        freeze = self.state.freeze
        return freeze is not None and (freeze.until is None or freeze.until > self.clock.wall())

    @property
    def state(self) -> State:
        """Return the board's state as it stands for this worker."""
        view = self.keeper.known.view
        if view is None:
            return State()
        state = view.state
        if state.retries == self._retried_at:
            state = replace(state, banned=without_passing(state.banned))
        ended = state.hold is not None and state.hold == self._over
        if ended and self.serving not in state.banned:
            return replace(state, hold=None)  # other content ended it, which is yet to be told
        hold, held = self._ordered or (None, None)
        if hold is None or held is None or hold != state.hold or held in state.banned:
            return state
        ban = Ban(None, hold.by, hold.at, hold.why)  # until it stands in the store
        return replace(state, banned={**state.banned, held: ban})

    def was_live(self, content: str | None) -> bool:
        """Return whether it may be the others' past: a file that lags, which they have not."""
        view = self.keeper.known.view
        entries = () if view is None else entries_from(view.entries)
        return content is not None and served_before(entries, content) is not None

    def note_order(self, held: str | None) -> None:
        """Ban with a roll-back what the sources held here when it came: it ends by other content.

        The order itself bans what its giver could know of: this edit may have been read since.
        """
        view = self.keeper.known.view
        hold = None if view is None else view.state.hold
        if hold is None or hold.kind != "rollback":
            self._ordered = None
        elif self._ordered is None or self._ordered[0] != hold:
            news = held not in (None, hold.content, self.serving) and not self.was_live(held)
            self._ordered = hold, held if news and self.serving is not None else None
            if self._ordered[1] is not None:
                self.keeper.orders.bans = hold, self._ordered[1]
        elif view is not None and self._ordered[1] in view.state.banned:
            self._ordered = hold, None  # from here on the store says so, or `unban` does not

    def swapped(self, content: str | None, source: str) -> None:
        """Take note of what serves from now on; other content than it wants ends a roll-back."""
        hold = self.state.hold
        if hold is not None and hold.kind == "rollback" and content not in (None, hold.content):
            self._over = hold
        self._before = self.serving, self.source
        self.serving, self.source = content, source
        self.decided = None if self.decided == content else self.decided

    def undone(self) -> None:
        """Take note that what served before serves again."""
        self.serving, self.source = self._before

    def tried(self, digest: str) -> str | None:
        """Return the content of what a gate let through; None where it is what serves.

        As where secrets alone are new, which the content is not made of.
        """
        content, _ = self.known(self.swapping.get(digest, ""))
        return None if content == self.serving else content

    def without(self, content: str) -> str | None:
        """Return what serves here, or has served before a content that does."""
        return self._before[0] if self.serving == content else self.serving

    def retry(self) -> None:
        """Let what was undone be tried again here, before the store says so."""
        view = self.keeper.known.view
        self._retried_at = None if view is None else view.state.retries

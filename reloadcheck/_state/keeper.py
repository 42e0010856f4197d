"""The store thread: one step after another looks, says that it is there, and writes what waits.

Nobody waits for it: what it has to write waits in a queue, what it has read is one value that
others look at. A store that is away stops nothing; it is told, and found again.

Long because the steps of one thread are read one after another, from top to bottom.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from .._runtime.clock import Clock
from .._runtime.log import WARNING, log
from ..exceptions import StoreError, StoreUnsureError
from ..types import Code, Store
from .board import Ban, Member, State, View
from .history_writer import LIMIT, Fact, Facts
from .member_id import member_id
from .mirror import Mirror, mirror_of
from .own_orders import OwnOrders
from .presence import BEAT_SECONDS, Presence
from .round_driver import Rounds
from .round_tally import Tally
from .sight import TRIES, Known, Sight
from .trial_pool import Pool
from .undone import Left, undone

__all__ = ["Keeper"]

INFO: Final = 20
ERROR: Final = 40

AWAY_SECONDS: Final = 2.0
"""Seconds between two looks at a store that is away."""


class Keeper:
    """One worker's dealings with one store.

    `notify` hears of orders that changed, and whether what was refused is to be judged anew.
    `rounds` is its part in deciding together, where workers do; `begun`, called in each process
    anew, makes it. `member` gives this worker's record. `tried` returns the content of a
    configuration, by its digest, and `without` what serves here without a content. All but `note`
    and `known` belong to the store thread.
    """

    def __init__(
        self,
        store: Store,
        prefix: Callable[[], str],
        member: Callable[[], Member],
        *,
        notify: Callable[[bool], None] = lambda anew: None,
        begun: Callable[[], Rounds | None] = lambda: None,
        tried: Callable[[str], str | None] = lambda digest: None,
        without: Callable[[str], str | None] = lambda content: None,
        window: Callable[[], float] = lambda: 1.0,
        clock: Clock,
    ) -> None:
        self.store = store
        self._prefix = prefix
        self._member = member
        self._notify = notify
        self._begun = begun
        self._tried, self._without = tried, without
        self._window = window
        self._clock = clock
        self.sight = Sight(
            store,
            clock,
            notify,
            self._tell_anew,
            lambda: self.pool.is_on,
            lambda: member().content is None,
            lambda: self._hear_trial(),
        )
        self.orders = OwnOrders(self.sight)
        self._made_for(0)

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self.sight.begin("" if pid == 0 else member_id())
        self._facts = Facts(self.sight, self._member)
        self._presence = Presence(self.sight, self._member)
        self._to_write: deque[Mapping[str, str | None]] = deque(maxlen=LIMIT)
        self.pool = Pool(
            self.store,
            self.wake,
            lambda: self._notify(False),
            lambda: self.sight.view.revision,
            self._tried,
            self._bans,
        )
        self._mirror: Mirror | None = None
        self._closing = False
        self._ending = threading.Event()
        self._begun_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def id(self) -> str:
        """Return this worker's name on the board; none before it was there."""
        return self.sight.id

    @property
    def prefix(self) -> str:
        """Return what the names of the group's records begin with."""
        return self.sight.prefix

    @property
    def known(self) -> Known:
        """Return what was read last."""
        return self.sight.known

    @property
    def edition(self) -> int | None:
        """Return the number of what serves here; None where the history has none for it."""
        return self._facts.edition

    @property
    def editions(self) -> Mapping[int, int]:
        """Return the numbers of this process's versions, as far as they have one."""
        return self._facts.editions

    @property
    def rounds(self) -> Rounds | None:
        """Return this worker's part in deciding together; None where each goes by itself."""
        return self.sight.rounds

    @property
    def told(self) -> threading.Event:
        """Return what is set unless something was taken back here and is yet to be banned."""
        return self._facts.told

    @property
    def tally(self) -> Tally:
        """Return what this worker has seen of rounds."""
        return self.sight.tally

    # ------------------------------------------------------------------ from other threads

    def ensure(self) -> None:
        """Let the thread run in this process, a forked one too."""
        if self._pid == os.getpid() and self._thread is not None and self._thread.is_alive():
            return
        self.begin()
        self._thread = threading.Thread(target=self._run, name="reloadcheck-store", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Begin anew in this process, under a name of its own."""
        self._made_for(os.getpid())
        self.sight.prefix = self._prefix()
        self._mirror = mirror_of(self.store, self.prefix)
        mirrored = None if self._mirror is None or self.known.view else self._mirror.load()
        if mirrored is not None:
            self.sight.take(mirrored.state, mirrored.contents)
        self.sight.rounds = self._begun()

    def first_look(self, seconds: float) -> bool:
        """Wait until the store was tried for the first time; blocks at most `seconds`."""
        return self.sight.looked.wait(seconds)

    def note(self, fact: Fact) -> None:
        """Write something down; the oldest that waits is dropped beyond a hundred."""
        self._facts.add(fact)
        self.wake()

    def records(self, lead: str) -> Mapping[str, str]:
        """Return the texts of the group's records below a name, as they were read last."""
        return self.sight.outlook.records(self.prefix, lead)

    def is_asked(self) -> None:
        """Read who else is there, in a crowd too, as somebody looks at it; nobody waits."""
        if self.sight.outlook.is_asked():
            self.wake()

    def write(self, records: Mapping[str, str | None]) -> None:
        """Let records of the group be written, each by whoever is first; None takes one away."""
        self._to_write.append(records)
        self.wake()

    def retry(self) -> None:
        """Order that what was undone or refused be tried again."""
        self.orders.retries = True
        self.wake()

    def close(self, seconds: float = 3.0) -> None:
        """Write down what waits, and leave the board; blocks at most `seconds`."""
        thread = self._thread
        self._closing = True
        self._ending.set()
        self.wake()
        if thread is not None and self._pid == os.getpid():
            thread.join(seconds)

    def wake(self) -> None:
        """Make the thread look at once, where the store can be woken."""
        wake: Callable[[], None] | None = getattr(self.store, "wake", None)
        if wake is not None:
            wake()

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while True:
            closing = self._closing
            self.step()
            if closing:
                break
            self.store.wait(self._pause())
            self._spare()
        for leave in (self._presence.take_leave, self.store.close):
            try:
                leave()
            except StoreError as error:
                log(INFO, "the store was not left: %s", error, code=str(Code.STORE))

    def _spare(self) -> None:
        """Ask a store that is away once in two seconds, however often this thread is woken."""
        left = self._begun_at + AWAY_SECONDS - self._clock.monotonic()
        if self.known.error is not None and left > 0:
            self._ending.wait(left)

    def _pause(self) -> float:
        seconds = min(max(self._window(), 0.1), BEAT_SECONDS)
        if self.pool.is_on:
            return 0.1
        return seconds if self.rounds is None else self.rounds.pause(self.sight.view, seconds)

    def step(self) -> None:
        """Look, write, tell, beat; whatever is wrong with the store is told once."""
        self._begun_at = self._clock.monotonic()
        if self.rounds is not None:
            self.rounds.busy_since = self._clock.monotonic()
        try:
            self.sight.look()
            self._presence.beat()  # before all that is written: a store that is full lets it live
            self.orders.end_hold()
            self.orders.ban_with_hold()
            self._write_records()
            self.orders.retry()
            self._decide()
            self._share_trial()
            self._facts.write()
            self._facts.follow()
            self._presence.tell(self.edition)
            self._write_mirror()
        except StoreUnsureError as error:
            self.sight.outlook.forget()  # look again at everything
            log(INFO, "%s", error, code=str(Code.STORE))
        except StoreError as error:
            self._lose(str(error))
        except Exception as error:
            self._lose(f"failed inside with {type(error).__name__}")
        else:
            self._heal()
        self.sight.looked.set()
        if self.rounds is not None:
            self.rounds.busy_since = None
            self.rounds.stepped.set()

    def _tell_anew(self, found: View) -> None:
        """Write to a store that is another one who is here, what is ordered and what serves."""
        self._presence.forget()
        if found.state == State():
            self._facts.restore(self.known.contents)
        elif found.state.hold is None:  # else its order is what all go to
            self._facts.again()  # an older copy: what it holds of orders is what is known

    def _write_records(self) -> None:
        while self._to_write:
            records = {self.prefix + key: text for key, text in self._to_write[0].items()}
            same = {key: 0 for key, text in records.items() if text is not None}
            self.store.put(records, same=same)
            self._to_write.popleft()

    def _decide(self) -> None:
        """Take this worker's part in what all decide, until there is nothing to write."""
        rounds = self.rounds
        if rounds is None or self._closing:
            return
        for _ in range(TRIES):
            view = self.sight.view
            freeze = view.state.freeze
            now = self._clock.wall()
            frozen = freeze is not None and (freeze.until is None or freeze.until > now)
            if not rounds.step(view, self.prefix, self.id, frozen=frozen):
                break
            self.sight.look()

    def _bans(self, content: str, why: str) -> Left:
        """Return what keeps a content that is undone from being served again."""
        ban = Ban(at=self._clock.wall(), why=why, cause="undone")
        return undone(self.sight.view, content, ban, self._without(content), self.id)

    def _hear_trial(self) -> None:
        """Note a verdict before the bans and rows of history that follow from it."""
        board = self.sight.outlook.whole
        if board is not None and self.pool.is_on:
            self.pool.hear(board, self.prefix)

    def _share_trial(self) -> None:
        """Take part in a trial that all workers share."""
        for _ in range(TRIES):
            board = self.sight.outlook.whole
            if board is None or not self.pool.is_on:
                break
            if not self.pool.step(board, self.prefix, self.id):
                break
            self.sight.look()

    def _write_mirror(self) -> None:
        """Write down what a start would need while the store is away, where that has changed."""
        mirror, state = self._mirror, self.sight.view.state
        if mirror is None or not mirror.wants(state, state.target):
            return
        content, data = state.target, None
        if content is not None:
            data = self.known.contents.get(content) or self._facts.own.get(content)
            data = data or self.store.content(content)
        mirror.save(state, content, data)

    def _lose(self, error: str) -> None:
        if self.known.error is None:
            level, words = WARNING, "the store is away, serving goes on: %s"
            if self.known.view is None:
                level, words = ERROR, "the store is away, its orders are unknown: %s"
            log(level, words, error, code=str(Code.STORE))
            self.sight.known = replace(self.known, error=error, since=self._clock.wall())
            self._notify(False)
        if self.rounds is not None:
            self.rounds.lost()

    def _heal(self) -> None:
        if self.known.error is not None:
            log(INFO, "the store is back: %s", self.store.name, code=str(Code.STORE))
            self.sight.known = replace(self.known, error=None, since=None)
            self._notify(False)
        if self.rounds is not None:
            self.rounds.found()

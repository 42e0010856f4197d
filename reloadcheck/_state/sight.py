"""Look at a store, and keep what one worker sees of it; changed orders are told.

How much it reads is `crowd`'s. Belongs to the store thread; others read `known`, one value that is
replaced as a whole.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from .._runtime.clock import Clock
from .._runtime.log import WARNING, log
from ..exceptions import StoreError
from ..types import Code, Store
from .board import Freeze, Hold, State, View, Wish
from .crowd import Outlook, Seen
from .member_id import here
from .round_driver import Rounds
from .round_tally import Tally

__all__ = ["TRIES", "Known", "Sight"]

TRIES: Final = 20
"""How often something is written anew where others were faster, before the next step."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was read last; `view` is None where nothing ever was. `error` while the store is away.

    `since` is when that began, in epoch seconds. `contents` are what was kept of what is wanted.
    """

    view: View | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    error: str | None = None
    since: float | None = None


_Orders: TypeAlias = tuple[Hold | None, frozenset[str], Freeze | None, int, str | None, Wish | None]


class Sight:
    """One worker's looks at its group's records.

    `notify` hears of orders that changed, and whether what was refused is to be judged anew;
    `replaced` of what is in a store that is another one by now, while `view` is what was in the one
    before. `rounds` is the worker's part in deciding together: who decides has to see all. `shares`
    returns whether it shares a trial, `boots` whether it serves nothing yet, and `heard` is told of
    a look before anybody else knows what it found: of a verdict before what it leads to.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        notify: Callable[[bool], None],
        replaced: Callable[[View], None],
        shares: Callable[[], bool],
        boots: Callable[[], bool],
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self.store, self.clock = store, clock
        self.known = Known()
        self.prefix = ""
        self.wish: Wish | None = None
        self._is_another = False
        self._notify, self._replaced, self._shares = notify, replaced, shares
        self._boots, self._heard = boots, heard
        self.begin("")

    def begin(self, own: str) -> None:
        """Begin anew in a process, as the member `own`; what is known stays."""
        self.id = own
        self.looked = threading.Event()
        self.started_at: int | None = None
        self.tally = Tally()
        self.outlook = Outlook((here(),))
        self.rounds: Rounds | None = None
        self._orders: _Orders | None = None

    def take(self, state: State, contents: Mapping[str, bytes]) -> None:
        """Know what this host had written down, before the first look."""
        self.known = replace(self.known, view=View(state=state), contents=contents)
        self._orders = _orders_of(state)

    @property
    def view(self) -> View:
        """Return what was read last, which is nothing before a first look."""
        return self.known.view or View()

    def now(self) -> float:
        """Return the monotonic time in seconds."""
        return self.clock.monotonic()

    def look(self, *, whole: bool = False, history: bool = False) -> None:
        """Look; know what is new, and have the engine told where it is an order."""
        found = self._look(whole=whole, history=history)
        if found is None:
            self._know(self.known.view)
            return
        if found.replaced:
            words = "the store %s was replaced: it is told anew"
            log(WARNING, words, self.store.name, code=str(Code.STORE))
            self._is_another = True
        if self._is_another:
            found = self._told(found)
        self._heard()
        view, state = found.view, found.view.state
        if self.started_at is None:
            self.started_at = state.edition
        self._know(view)
        self.tally.look(state, self.now())
        orders = _orders_of(state)
        if orders != self._orders:
            known, self._orders = self._orders, orders
            if known is not None:
                self.wish = state.wish if known[5] != orders[5] else None
                forgiven = known[1] - orders[1] or known[3] != orders[3]
                self._notify(bool(forgiven))

    def _know(self, view: View | None) -> None:
        """Let be known what was found, together with what of it may have to be served."""
        before = contents = self.known.contents
        try:
            contents = self._contents_for(view or View())
        finally:  # a store that goes away in between has told what it has told
            self.known = replace(self.known, view=view, contents=contents)
        if self.rounds is not None and contents and contents != before:
            self._notify(False)

    def _look(self, *, whole: bool = False, history: bool = False) -> Seen | None:
        votes = self.rounds is not None or self._shares()
        what = self.store, self.prefix, self.now(), self.known.view
        return self.outlook.look(*what, whole=whole, history=history, votes=votes)

    def _told(self, found: Seen) -> Seen:
        """Note another store; until that is done, what is known is of the one before."""
        self.started_at = found.view.state.edition + 1
        try:
            self._replaced(found.view)
            found = self._look() or found
        except StoreError:
            self.outlook.forget()
            raise
        self._is_another = False
        return found

    def _contents_for(self, view: View) -> Mapping[str, bytes]:
        """Read what an order could want served, until it serves what a start could, what all serve.

        A start may take many looks: its sources may come late, or what it builds not at once.
        """
        state, before, rounds = view.state, self.known.contents, self.rounds
        behind = rounds is not None and (rounds.booting or rounds.is_behind(state))
        starts = not self.looked.is_set() or self._boots()
        if state.hold is None and not state.banned and not starts and not behind:
            return {}
        found: dict[str, bytes] = {}
        beside = view.served_beside(self.id) if behind else None
        for content in {state.target, state.active, beside} - {None}:
            known = before.get(str(content)) or self.store.content(str(content))
            if known is not None:
                found[str(content)] = known
        return found


def _orders_of(state: State) -> _Orders:
    """Return what of a state workers are woken for."""
    bans = frozenset(state.banned)
    return (state.hold, bans, state.freeze, state.retries, state.target, state.wish)

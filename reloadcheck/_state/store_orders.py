"""Orders as scripts and commands give them: reads a board, writes an order, tells what came of it.

What an order does is `orders`'. Each order is one conditional write of state and history
together; who is slower looks again.

Long because each order is a method of one class, where scripts look for it.
"""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from ..exceptions import OrderRefusedError, StoreLostError, UsageError
from ..types import Board, Document, Store
from . import orders
from .alive import is_gone
from .board import STATE, STATEMENTS, Member, State, View, groups_in, prefix_of, view_of
from .content import unpacked
from .fleet import GRACE, Fleet, fleet_in
from .for_contract import text_in
from .ledger import Entry, Row, editions_of, entries_from, history
from .member_id import login, member_id
from .orders import Actor, Ordered, not_kept, reviewed

__all__ = ["Orders", "applications_in"]

_TRIES = 20


def applications_in(store: Store) -> tuple[tuple[str, str], ...]:
    """Return the names of all applications that have something in a store, with their groups."""
    board = store.look("")
    keys = [] if board is None else [key.split("/") for key in board.records]
    return tuple(sorted({(unquote(key[0]), unquote(key[1])) for key in keys if len(key) > 1}))


def _alive(view: View) -> dict[str, Member]:
    """Leave out who was killed on this host: its time to live is not waited for."""
    own = member_id()
    return {name: one for name, one in view.members.items() if not is_gone(name, own)}


class Orders:
    """What an operator can ask of a store and order, for one application.

    `release` names the group of workers; without one there must be a single group. Every call may
    block for some seconds; raises `StoreError`, and `OrderRefusedError` where an order cannot be.
    """

    def __init__(self, store: Store, *, app: str, release: str | None = None) -> None:
        self._store = store
        self._app = app
        self._release = release

    # ------------------------------------------------------------------ what is

    def state(self) -> State:
        """Return what is wanted at present."""
        return self._look()[1].state

    def entries(self) -> tuple[Entry, ...]:
        """Return the whole history, oldest first."""
        return entries_from(self._look()[1].entries)

    def secrets(self) -> frozenset[str]:
        """Return the keys that the application has called secret in any row of the history."""
        return frozenset(name for entry in self.entries() for name in entry.secrets)

    def history(
        self,
        *,
        limit: int = 20,
        outcome: str | None = None,
        since: float | None = None,
        key: str | None = None,
        reviewed: bool | None = None,
    ) -> tuple[Row, ...]:
        """Return the newest rows first; `since` is in epoch seconds.

        `reviewed`: only overrides that somebody has looked at since, or that nobody has.
        """
        view = self._look()[1]
        entries = entries_from(view.entries)
        wanted: dict[str, Any] = {"limit": limit, "outcome": outcome, "since": since, "key": key}
        return history(entries, view.state, **wanted, reviewed=reviewed)

    def review(self, edition: int, *, why: str | None = None, by: str | None = None) -> Entry:
        """Take note that somebody looked at an override; raise `OrderRefusedError` for no such."""
        if not self.edition(edition).override:
            raise OrderRefusedError(f"edition {edition} is live by no override")
        actor = self._actor(why, by)
        entry = reviewed(edition, actor)
        self._store.put({self._look()[0] + entry.key: entry.to_text()})
        return entry

    def statements(self, kind: str) -> dict[str, str]:
        """Return the statements of a kind (`approval`, `override`), by their key on the board."""
        lead = f"{STATEMENTS}{kind}/"
        prefix, board = self._board()
        records = {key.removeprefix(prefix): one.value for key, one in board.records.items()}
        texts = {key: text_in(text) for key, text in records.items() if key.startswith(lead)}
        return {key: text for key, text in texts.items() if text is not None}

    def give_leave(self, key: str, text: str, gone: Collection[str] = ()) -> None:
        """Put a signed statement into the store, and take others away."""
        prefix = self._board()[0]
        records: dict[str, str | None] = dict.fromkeys(prefix + one for one in gone)
        records[prefix + key] = json.dumps({"text": text})
        self._store.put(records)

    def edition(self, number: int) -> Entry:
        """Return the entry of an edition."""
        found = editions_of(self.entries()).get(number)
        if found is None:
            raise OrderRefusedError(f"there is no edition {number} in the history")
        return found

    def documents(self, number: int) -> dict[str, bytes]:
        """Return the kept documents of an edition by their names, as bytes."""
        return {one.name: one.data for one in self.kept(number)}

    def kept(self, number: int) -> tuple[Document, ...]:
        """Return from the store the kept documents of an edition, in the order of their sources."""
        entry = self.edition(number)
        data = None if entry.content is None else self._store.content(entry.content)
        if data is None:
            raise OrderRefusedError(not_kept(number))
        return tuple(one for _, group in sorted(unpacked(data).items()) for one in group)

    def members(self) -> dict[str, Member]:
        """Return every worker that is alive, by its name on the board."""
        return _alive(self._look()[1])

    def fleet(self, *, grace: float = GRACE) -> Fleet:
        """Judge every worker by what it serves."""
        view = self._look()[1]
        release = self._release or ""
        own, who = member_id(), {"app": self._app, "release": release}
        return fleet_in(
            view, time.time(), **who, grace=grace, is_gone=lambda name: is_gone(name, own)
        )

    # ------------------------------------------------------------------ what is wanted

    def rollback(
        self,
        edition: int | None = None,
        *,
        why: str | None = None,
        by: str | None = None,
        force: bool = False,
        dry_run: bool = False,
    ) -> Ordered:
        """Serve an older edition everywhere; ban what serves now, and an edit that waits."""
        return self._given(
            lambda view, actor: orders.rollback(
                view.state,
                entries_from(view.entries),
                actor,
                edition,
                waiting=orders.pending(view.members.values()),
                trying=orders.is_tried(view.members.values()),
            ),
            self._actor(why, by, force),
            dry_run=dry_run,
            as_seen=edition is None,
        )

    def pin(
        self,
        edition: int | None = None,
        *,
        why: str | None = None,
        by: str | None = None,
        force: bool = False,
    ) -> Ordered:
        """Serve an edition whatever the sources hold; without a number what serves now."""
        return self._order(
            lambda state, entries, actor: orders.pin(state, entries, actor, edition),
            self._actor(why, by, force),
            as_seen=edition is None,
        )

    def unpin(self, *, why: str | None = None, by: str | None = None) -> Ordered:
        """Follow the sources again."""
        return self._order(orders.unpin, self._actor(why, by))

    def unban(
        self, edition: int | str, *, why: str | None = None, by: str | None = None
    ) -> Ordered:
        """Let a content be served again: an edition's, or one by the beginning of its digest."""
        return self._order(
            lambda state, entries, actor: orders.unban(state, entries, actor, edition),
            self._actor(why, by),
        )

    def freeze(
        self, until: float | None = None, *, why: str | None = None, by: str | None = None
    ) -> Ordered:
        """Let no edit go live until a time (epoch seconds) or a thaw."""
        return self._order(
            lambda state, _, actor: orders.freeze(state, actor, until), self._actor(why, by)
        )

    def thaw(self, *, why: str | None = None, by: str | None = None) -> Ordered:
        """End a freeze."""
        return self._order(lambda state, _, actor: orders.thaw(state, actor), self._actor(why, by))

    def fallback(
        self,
        on: bool = True,
        *,
        why: str | None = None,
        by: str | None = None,
        force: bool = False,
    ) -> Ordered:
        """Serve the application's fall-back instead of its sources, or its sources again."""
        return self._order(
            lambda state, _, actor: orders.fallback(state, actor, on=on),
            self._actor(why, by, force),
        )

    def retry(self, *, why: str | None = None, by: str | None = None) -> Ordered:
        """Forget what was refused, and try it again."""
        return self._order(lambda state, _, actor: orders.retry(state, actor), self._actor(why, by))

    def promote(self, *, why: str | None = None, by: str | None = None) -> Ordered:
        """Let what the workers try serve everybody."""
        return self._given(
            lambda view, actor: orders.promote(view.state, view.members.values(), actor),
            self._actor(why, by),
        )

    def undo(self, *, why: str | None = None, by: str | None = None) -> Ordered:
        """Take back what the workers try, or else what serves."""
        return self._given(
            lambda view, actor: orders.undo(
                view.state, entries_from(view.entries), view.members.values(), actor
            ),
            self._actor(why, by),
            as_seen=True,
        )

    def wait(self, seconds: float, target: str | None = None) -> tuple[str, ...]:
        """Wait until every live member serves the target, and tries nothing beside it.

        Return the names of those who do not.
        """
        until = time.monotonic() + seconds
        while True:
            view = self._look()[1]
            wanted = view.state.target if target is None else target
            hold = view.state.hold
            if hold is not None and hold.kind == "fallback" and hold.content is None:
                wanted = ""  # nobody serves it yet, whatever it is
            behind = tuple(
                name
                for name, one in sorted(_alive(view).items())
                if one.content != wanted or one.outcome == "trying"
            )
            if not behind or time.monotonic() >= until:
                return behind
            time.sleep(0.1)

    # ------------------------------------------------------------------ within

    def _look(self) -> tuple[str, View]:
        prefix, board = self._board()
        return prefix, view_of(board, prefix)

    def _board(self) -> tuple[str, Board]:
        board = self._store.look(prefix_of(self._app, self._release))
        if self._release is None and (board is None or not board.records):
            prefix = self._only_group()
            board = self._store.look(prefix)
        else:
            prefix = prefix_of(self._app, self._release)
        return prefix, board or Board(0, {})

    def _only_group(self) -> str:
        board = self._store.look(prefix_of(self._app).split("/", 1)[0] + "/")
        groups = groups_in(board or Board(0, {}), self._app)
        if len(groups) > 1:
            raise UsageError(f"there are several releases, name one: {', '.join(groups)}")
        return prefix_of(self._app, groups[0] if groups else None)

    def _actor(self, why: str | None, by: str | None, force: bool = False) -> Actor:
        return Actor(by or login(), time.time(), why, force)

    def _order(
        self,
        order: Callable[[State, Collection[Entry], Actor], Ordered],
        actor: Actor,
        *,
        as_seen: bool = False,
    ) -> Ordered:
        return self._given(
            lambda view, actor: order(view.state, entries_from(view.entries), actor),
            actor,
            as_seen=as_seen,
        )

    def _given(
        self,
        order: Callable[[View, Actor], Ordered],
        actor: Actor,
        *,
        dry_run: bool = False,
        as_seen: bool = False,
    ) -> Ordered:
        """Write an order; `as_seen`: it is about what serves, and not about what does by then."""
        first: State | None = None
        for _ in range(_TRIES):
            prefix, view = self._look()
            first = first or view.state
            if as_seen and first.target != view.state.target:
                raise OrderRefusedError(
                    f"somebody was faster: edition {view.state.edition} serves by now; look again"
                )
            ordered = order(view, replace(actor, at=time.time()))
            if dry_run:
                return ordered
            key = prefix + ordered.entry.key
            records: dict[str, str | None] = {
                prefix + STATE: ordered.state.to_text(),
                key: ordered.entry.to_text(),
            }
            same = {prefix + STATE: view.state_revision, key: 0}
            if self._store.put(records, same=same) is not None:
                return ordered
        raise StoreLostError(f"{self._store.name}: others kept changing it; nothing was ordered")

"""Leases as references: the interpreter counts those that doors take exactly, or is not used so."""

import sys
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any

import pytest

from reloadcheck._runtime import refcounts
from reloadcheck._runtime.refcounts import counts_references
from reloadcheck._snapshots.cell import Cell
from reloadcheck._snapshots.snapshot import Resources, Snapshot
from reloadcheck._snapshots.tenancy import LeaseRef, LiveSnapshot

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="no other interpreter has reference counts"
)

Counted = Callable[[], int]


@pytest.fixture
def live_snapshot() -> LiveSnapshot[None]:
    """Return a snapshot without resources that nobody leases."""
    snapshot = Snapshot(None, 1, "", 0.0, Resources({}), None)
    return LiveSnapshot(snapshot, (), None, lambda: None)


@pytest.fixture
def cell(live_snapshot: LiveSnapshot[None]) -> Cell[None]:
    """Return a cell that offers it."""
    one: Cell[None] = Cell()
    one.fresh = live_snapshot.hold
    return one


def local(cell: Cell[None], counted: Counted) -> tuple[int, int]:
    """Hold it as a WSGI door does, in a variable that is set to None; return both counts."""
    ref: LeaseRef[None] | None = cell.fresh
    held = counted()
    ref = None
    return held, counted() + (ref is not None)


def passed(cell: Cell[None], counted: Counted) -> tuple[int, int]:
    """Hold it in a variable whose value was handed to a function that looks."""

    def look(ref: LeaseRef[None] | None) -> int:
        assert ref is not None
        return counted()

    ref = cell.fresh
    # The callee's own variable may be lent by ours, or count as well: never less than ours alone.
    inside, held = look(ref), counted()
    assert held <= inside <= held + 1
    ref = None
    return held, counted() + (ref is not None)


@coroutine
def turn() -> Generator[None]:
    """Let the event loop have its turn."""
    yield


def suspended(cell: Cell[None], counted: Counted) -> tuple[int, int]:
    """Hold it as an ASGI door does, in a coroutine that waits; the count is asked from outside."""

    async def door() -> None:
        ref = cell.fresh
        await turn()
        assert ref is not None
        ref = None
        await turn()

    waiting: Coroutine[Any, Any, None] = door()
    waiting.send(None)
    held = counted()
    waiting.send(None)
    left = counted()
    waiting.close()
    return held, left


def handed_over(cell: Cell[None], counted: Counted) -> tuple[int, int]:
    """Hold it in the argument of a generator that was not begun when its maker returned."""

    def body(ref: LeaseRef[None]) -> Generator[LeaseRef[None]]:
        yield ref

    def make() -> Generator[LeaseRef[None]]:
        ref = cell.fresh
        assert ref is not None
        return body(ref)

    waiting = make()
    held = counted()
    waiting.close()
    del waiting
    return held, counted()


def stored(cell: Cell[None], counted: Counted) -> tuple[int, int]:
    """Hold it as a response's body does, in an attribute that is set to None."""

    class Body:
        ref: LeaseRef[None] | None = None

    body = Body()
    ref = cell.fresh
    body.ref = ref
    ref = None
    held = counted() + (ref is not None)
    body.ref = None
    return held, counted()


def in_a_unit(cell: Cell[None], counted: Counted) -> tuple[int, int]:
    """Hold it as doors do, in a list that outlives the variable, and is told when it ends."""
    ref = cell.fresh
    unit: list[object] = [ref]
    ref = None
    held = counted() + (ref is not None)
    unit[0] = False
    return held, counted()


WAYS = [in_a_unit, local, passed, suspended, handed_over, stored]


@pytest.mark.skipif(not counts_references(), reason="all leases have names here")
@pytest.mark.parametrize("hold", WAYS)
def test_a_lease_is_counted_once_and_given_back(
    hold: Callable[[Cell[None], Counted], tuple[int, int]],
    live_snapshot: LiveSnapshot[None],
    cell: Cell[None],
) -> None:
    """In each shape that doors hold one in, it counts as one, and afterwards as none."""
    offered = live_snapshot.leases()
    assert offered == 1
    assert hold(cell, live_snapshot.leases) == (offered + 1, offered)


@pytest.mark.parametrize(
    ("counts", "exact"),
    [
        ([2, 3, 4, 2], True),
        ([2, 2, 2, 2], False),
        ([2, 2, 3, 2], False),
        ([2, 3, 3, 2], False),
        ([2, 3, 4, 3], False),
        ([2, 3, 4, 4], False),
    ],
    ids=["exact", "never", "not in a unit", "not in a frame that waits", "late", "for ever"],
)
def test_an_interpreter_that_lends_references_gets_leases_by_name(
    counts: list[int], exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is tried: where one is not seen, or seen for too long, none is taken that way."""
    told = iter(counts)

    def counted(owner: object, name: str) -> int:
        return next(told)

    monkeypatch.setattr(refcounts, "_references", counted)
    assert (counts_references(), list(told)) == (exact, [])


def test_an_interpreter_without_its_lock_gets_leases_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counts that threads change at the same time are not relied on."""
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not counts_references()

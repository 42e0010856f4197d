"""What serves: a unit of work finds its snapshot at any moment of a swap, stopped line by line."""

from typing import Any

import pytest

from reloadcheck import Snapshot
from reloadcheck._snapshots.cell import Cell
from reloadcheck._snapshots.serving import Serving
from reloadcheck._snapshots.snapshot import Resources
from reloadcheck._snapshots.tenancy import LiveSnapshot
from reloadcheck.testing import FakeClock
from tests.support.stops import acting_at_line, lines_of


class Part:
    """What the engine notes about an instance."""

    closable = False
    retired_at: float | None = None


def snapshot_of(version: int) -> LiveSnapshot[Any]:
    """Return a snapshot with one resource of its own."""
    instance: Any = Part()
    snapshot: Snapshot[Any] = Snapshot({}, version, "", 0.0, Resources({}), None)
    return LiveSnapshot(snapshot, (instance,), None, lambda: None)


@pytest.fixture
def cell() -> Cell[Any]:
    """A cell that offers nothing."""
    return Cell()


@pytest.fixture
def serving(clock: FakeClock, cell: Cell[Any]) -> Serving[Any]:
    """Version 1 serves."""
    serving: Serving[Any] = Serving(clock, cell)
    serving.swap(snapshot_of(1))
    return serving


def test_what_serves_and_what_is_retired(serving: Serving[Any], clock: FakeClock) -> None:
    """A swap has the new one serve, keeps the old one until it is dropped, and says when."""
    old = serving.current
    assert old is not None
    clock.advance(5)
    new = snapshot_of(2)
    serving.swap(new)
    assert (serving.current, serving.live, serving.retired) == (new, (old, new), [old])
    assert (serving.swaps, serving.swapped_at) == (2, clock.monotonic())
    assert old.retired_at == clock.monotonic()
    serving.drop(old)
    assert (serving.live, serving.retired) == ((new,), [])
    serving.end()
    assert (serving.current, serving.retired) == (None, [new])


SWAP_LINES = lines_of(
    Serving[Any].swap, Serving[Any].end, LiveSnapshot[Any].retire, Serving[Any].withdraw
)


@pytest.mark.parametrize("line", SWAP_LINES, ids=lambda line: f"{line[0].co_name}:{line[1]}")
def test_at_each_line_of_a_swap_a_held_snapshot_is_found(
    serving: Serving[Any], cell: Cell[Any], line: Any
) -> None:
    """Whoever looks for the snapshot that it holds finds it, whatever the engine does meanwhile.

    So a door in a door, and a lease in a request, are of the version around them.
    """
    serving.offer(None)
    hold = cell.fresh
    assert hold is not None
    found: list[bool] = []

    def look() -> None:
        live_snapshot = serving.of(hold.snapshot)
        found.append(live_snapshot is not None and live_snapshot.leases() > 0)

    with acting_at_line(line, look) as stop:
        serving.swap(snapshot_of(2))
        serving.end()
        serving.end()
    assert (stop.acted, found) == (True, [True])


@pytest.mark.parametrize("line", SWAP_LINES, ids=lambda line: f"{line[0].co_name}:{line[1]}")
def test_at_each_line_of_a_swap_no_lease_goes_uncounted(
    serving: Serving[Any], cell: Cell[Any], line: Any
) -> None:
    """The leases told are all there are, or one more while the offer changes."""
    serving.offer(None)
    hold = cell.fresh
    live_snapshot = serving.current
    assert hold is not None
    assert live_snapshot is not None
    told: list[int] = []
    with acting_at_line(line, lambda: told.append(serving.leases(live_snapshot))):
        serving.swap(snapshot_of(2))
        serving.end()
        serving.end()
    assert told[0] in (1, 2)
    assert serving.leases(live_snapshot) == 1


COUNT_LINES = lines_of(Serving[Any].leases)


@pytest.mark.parametrize("line", COUNT_LINES, ids=lambda line: f"{line[0].co_name}:{line[1]}")
@pytest.mark.parametrize("offered", [False, True])
def test_a_count_that_the_offer_overtakes_misses_no_lease(
    serving: Serving[Any], cell: Cell[Any], line: Any, offered: bool
) -> None:
    """Whatever the engine offers or withdraws while somebody counts, no lease is left out."""
    serving.offer(None)
    hold = cell.fresh
    live_snapshot = serving.current
    assert hold is not None
    assert live_snapshot is not None
    if not offered:
        serving.withdraw()
    act = serving.withdraw if offered else lambda: serving.offer(None)
    with acting_at_line(line, act) as stop:
        told = serving.leases(live_snapshot)
    assert stop.acted
    assert told in (1, 2)


def test_an_end_leaves_what_another_engine_offers(serving: Serving[Any], cell: Cell[Any]) -> None:
    """A thread that was started meanwhile has its own in the cell: that one goes on."""
    serving.offer(None)
    newer = snapshot_of(1)
    cell.fresh = newer.hold
    serving.end()
    assert cell.fresh is newer.hold


def test_without_exact_counts_nothing_is_offered(
    serving: Serving[Any], cell: Cell[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then all leases have names, for a reference would not be seen."""
    monkeypatch.setattr("reloadcheck._snapshots.serving.COUNTS_REFERENCES", False)
    serving.offer(None)
    assert cell.fresh is None


def test_an_offer_ends_at_its_time(
    serving: Serving[Any], cell: Cell[Any], clock: FakeClock
) -> None:
    """Exactly then; one whose time is over already is none, and the end is told."""
    until = clock.monotonic() + 5.0
    serving.offer(until)
    assert (serving.expire(), cell.fresh is None) == (until, False)
    clock.advance(4.99)
    assert (serving.expire(), cell.fresh is None) == (until, False)
    clock.advance(0.01 + 1e-9)
    assert (serving.expire(), cell.fresh) == (None, None)
    serving.offer(until)
    assert cell.fresh is None


def test_a_pair_is_offered_for_as_long_as_what_is_fresh(
    serving: Serving[Any], cell: Cell[Any], clock: FakeClock
) -> None:
    """Doors draw from it without asking until the window is over, or it is withdrawn."""
    units: Any = object()
    serving.offer(None)
    serving.share(snapshot_of(2), units)
    assert (cell.fresh, cell.fresh_pair) == (None, None)
    serving.offer(clock.monotonic() + 1.0)
    assert (cell.fresh, cell.fresh_pair) == (None, cell.pair)
    clock.advance(1.0)
    serving.expire()
    assert cell.fresh_pair is None
    serving.offer(None)
    serving.promote(units)
    assert cell.fresh_pair is None  # who drew from it before asks once
    serving.offer(None)
    assert cell.fresh_pair is cell.pair
    serving.settle()
    assert (cell.fresh_pair, cell.pair) == (None, None)

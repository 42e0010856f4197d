"""What no lock guards: each look of one thread with each act of another between any two lines.

Long because each pair of acts is put between any two lines of each other.
"""

from typing import Any

import pytest

from reloadcheck import ReloadCheck, Resource, ResourceClosedError, Snapshot
from reloadcheck._engine.api import engine_of
from reloadcheck._resources.instance import Instance
from reloadcheck._resources.inventory import Inventory
from reloadcheck._runtime.refcounts import others_with
from reloadcheck._snapshots import unit as units
from reloadcheck._snapshots.cell import Cell
from reloadcheck._snapshots.context import enter, leave
from reloadcheck._snapshots.drain import Drain
from reloadcheck._snapshots.serving import Serving
from reloadcheck._snapshots.snapshot import Resources
from reloadcheck._snapshots.tenancy import LiveSnapshot, NamedLease
from reloadcheck._snapshots.unit import LIFE, Unit
from reloadcheck.testing import FakeClock, MemorySource
from tests.support.rig import until
from tests.support.stops import acting_at_line, interleaved, lines_of


def named(line: Any) -> str:
    """Name a line in a test's id."""
    return f"{line[0].co_name}:{line[1]}"


class Rig:
    """One snapshot with one open resource, and a drain that only the test steps."""

    def __init__(self, clock: FakeClock) -> None:
        self.closed: list[int] = []
        self.clock = clock
        live: ReloadCheck[Any] = ReloadCheck(MemorySource("a: 1"))

        def factory(a: int) -> Any:
            yield a
            self.closed.append(a)

        self.pool: Resource[int] = live.resource("a", name="pool")(factory)
        self.engine = engine_of(live)
        self.inventory = Inventory()
        self.instance = Instance(self.pool, (7,), (), None, lambda _: None, self.engine)
        self.inventory.instances.append(self.instance)
        opening = self.instance.open(lambda: None)
        until(lambda: opening.done)
        self.woken: list[int] = []
        resources = Resources({"pool": self.instance})
        self.snapshot: Snapshot[Any] = Snapshot({}, 1, "", 0.0, resources, self.engine)
        self.live_snapshot = LiveSnapshot(
            self.snapshot, (self.instance,), None, lambda: self.woken.append(1)
        )
        self.serving: Serving[Any] = Serving(clock, Cell())
        self.serving.swap(self.live_snapshot)
        self.drain = Drain(self.serving, self.inventory, clock, 30.0, lambda: None, lambda: None)

    def fast(self) -> Unit:
        """Return a unit of work as a door makes it."""
        unit: Unit = [self.snapshot, self.live_snapshot.hold, None, None]
        return unit

    def named(self) -> tuple[Unit, NamedLease]:
        """Return a unit of work that holds its snapshot by name."""
        lease = NamedLease("somebody")
        assert self.live_snapshot.enter(lease)
        return [self.snapshot, lease, None, None], lease

    @property
    def holds(self) -> tuple[int, int]:
        """Return how many hold the snapshot, and how many the resource."""
        return self.live_snapshot.units(), self.instance.readers


@pytest.fixture
def rig(clock: FakeClock) -> Rig:
    """A snapshot that serves."""
    return Rig(clock)


@pytest.mark.parametrize("line", lines_of(units.hold), ids=named)
@pytest.mark.parametrize("by_name", [False, True])
def test_a_unit_that_ends_while_it_reads_keeps_nothing(rig: Rig, line: Any, by_name: bool) -> None:
    """Whichever line of the read its end comes at, in another thread, nothing is left held."""
    unit, lease = rig.named() if by_name else (rig.fast(), None)

    def end() -> None:
        units.end(unit) if lease is None else lease.end()

    with acting_at_line(line, end) as stop:
        held = units.hold(unit, rig.instance.hold)
    if not stop.acted:
        assert held
        end()
    assert rig.holds == (0, 0)


END_LINES = lines_of(units.end, NamedLease.end)


@pytest.mark.parametrize("line", END_LINES, ids=named)
@pytest.mark.parametrize("has_read", [False, True])
def test_a_read_that_comes_while_a_unit_ends_keeps_nothing(
    rig: Rig, line: Any, has_read: bool
) -> None:
    """Whichever line of the end the read comes at."""
    by_name = line[0].co_qualname.startswith("NamedLease")
    unit, lease = rig.named() if by_name else (rig.fast(), None)
    if has_read:
        assert units.hold(unit, rig.instance.hold)
    other = Rig(rig.clock).instance
    with acting_at_line(line, lambda: units.hold(unit, other.hold)):
        units.end(unit) if lease is None else lease.end()
    assert (rig.holds, other.readers) == ((0, 0), 0)


@pytest.mark.parametrize("line", lines_of(units.release), ids=named)
def test_a_unit_that_ends_while_it_is_released_keeps_nothing(rig: Rig, line: Any) -> None:
    """Nor does it come to life again."""
    unit = rig.fast()
    assert units.hold(unit, rig.instance.hold)
    with acting_at_line(line, lambda: units.end(unit)) as stop:
        units.release(unit)
    if not stop.acted:
        units.end(unit)
    assert (unit[LIFE], rig.holds) == (False, (0, 0))


@pytest.mark.parametrize("line", lines_of(units.end), ids=named)
@pytest.mark.parametrize("has_read", [False, True])
def test_a_release_that_comes_while_a_unit_ends_keeps_nothing(
    rig: Rig, line: Any, has_read: bool
) -> None:
    """Whichever line of the end it comes at."""
    unit = rig.fast()
    if has_read:
        assert units.hold(unit, rig.instance.hold)
    with acting_at_line(line, lambda: units.release(unit)):
        units.end(unit)
    assert (unit[LIFE], rig.holds) == (False, (0, 0))


@pytest.mark.parametrize("until_line", lines_of(units.end), ids=named)
@pytest.mark.parametrize("line", lines_of(units.release, units.hold), ids=named)
def test_an_end_in_the_midst_of_what_it_meets_keeps_nothing(
    rig: Rig, line: Any, until_line: Any
) -> None:
    """A release and a read that go on while the end stands still between two of its lines."""
    unit = rig.fast()
    other = Rig(rig.clock).instance
    assert units.hold(unit, rig.instance.hold)
    releases = line[0].co_name == "release"

    def meet() -> None:
        units.release(unit) if releases else units.hold(unit, other.hold)

    interleaved(meet, line, lambda: units.end(unit), until_line)
    assert (unit[LIFE], rig.holds, other.readers) == (False, (0, 0), 0)


@pytest.mark.parametrize("line", lines_of(units.release), ids=named)
def test_two_threads_that_release_one_unit_leave_it_alive(rig: Rig, line: Any) -> None:
    """It holds its configuration to its end."""
    unit = rig.fast()
    assert units.hold(unit, rig.instance.hold)
    with acting_at_line(line, lambda: units.release(unit)):
        units.release(unit)
    assert (units.lasts(unit), rig.holds) == (True, (1, 0))
    assert rig.live_snapshot.readers_to_come() == 0
    units.end(unit)
    assert rig.holds == (0, 0)


CLOSE_LINES = lines_of(Drain._may_close, Drain.users)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("line", CLOSE_LINES, ids=named)
@pytest.mark.parametrize("anonymous", [False, True])
def test_a_resource_is_not_closed_under_who_reads_it_meanwhile(
    rig: Rig, line: Any, anonymous: bool
) -> None:
    """At each line of the decision to close: who reads has it open, or hears that it is closed."""
    unit, lease = rig.named()
    got: list[object] = []

    def read() -> None:
        try:
            got.append(rig.snapshot[rig.pool])
        except ResourceClosedError as error:
            got.append(error)

    token = None if anonymous else enter(rig.snapshot, lease)
    rig.serving.end()
    rig.drain.make_room(rig.pool, 1.0)
    rig.clock.advance(2.0)
    with acting_at_line(line, read) as stop:
        rig.drain.step()
    if token is not None:
        leave(token)
    until(lambda: not rig.drain.closing.busy or rig.drain.step())
    if stop.acted and got == [7]:
        assert not rig.instance.closed
        assert rig.closed == []
    elif not anonymous:
        assert rig.instance.readers == 0
    lease.end()
    until(lambda: rig.drain.step() is None or rig.closed == [7])
    until(lambda: rig.closed == [7])
    assert unit[LIFE] is lease


READ_LINES = lines_of(Resources._read, units.hold, Instance.read)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("line", READ_LINES, ids=named)
@pytest.mark.parametrize("anonymous", [False, True])
def test_a_read_that_a_close_overtakes_is_open_or_says_so(
    rig: Rig, line: Any, anonymous: bool
) -> None:
    """At each line of the read, the engine decides to close."""
    _, lease = rig.named()
    token = None if anonymous else enter(rig.snapshot, lease)
    rig.serving.end()
    rig.drain.make_room(rig.pool, 1.0)
    rig.clock.advance(2.0)
    got: list[object] = []
    with acting_at_line(line, rig.drain.step):
        try:
            got.append(rig.snapshot[rig.pool])
        except ResourceClosedError as error:
            got.append(error)
    if token is not None:
        leave(token)
    assert rig.instance.closed is (got != [7])
    lease.end()
    until(lambda: rig.drain.step() is None or rig.closed == [7])


def test_who_enters_as_a_snapshot_retires_is_out_or_counted(rig: Rig) -> None:
    """At each line of entering: who is in is counted, who is not holds nothing."""
    for line in lines_of(LiveSnapshot[Any].enter, LiveSnapshot[Any].join):
        again = Rig(rig.clock)
        lease = NamedLease("somebody")
        counted: list[int] = []

        def retire(again: Rig = again, counted: list[int] = counted) -> None:
            again.serving.end()
            counted.append(again.live_snapshot.units())

        with acting_at_line(line, retire) as stop:
            entered = again.live_snapshot.enter(lease)
        assert stop.acted or line[1] > 0
        if entered and counted:
            assert counted == [1]
        if not entered:
            assert again.live_snapshot.held == {}
        assert entered is (again.live_snapshot.units() == 1)


def test_who_leaves_as_a_snapshot_retires_is_told_of(rig: Rig) -> None:
    """At each line of retiring, a lease ends: the engine sees it gone, or is woken."""
    for line in lines_of(LiveSnapshot[Any].retire):
        again = Rig(rig.clock)
        unit = again.fast()

        def go(again: Rig = again, unit: Unit = unit) -> None:
            wake = unit[LIFE].wake
            units.end(unit)
            if wake is not None:
                wake()

        with acting_at_line(line, go) as stop:
            again.serving.end()
        assert stop.acted
        assert again.live_snapshot.units() == 0 or again.woken


def test_who_sees_a_snapshot_retired_can_wake_the_engine(rig: Rig) -> None:
    """At each line of retiring: where it is retired, whoever leaves finds whom to tell."""
    for line in lines_of(LiveSnapshot[Any].retire):
        again = Rig(rig.clock)
        live_snapshot = again.live_snapshot
        seen: list[tuple[bool, bool]] = []

        def look(one: LiveSnapshot[Any] = live_snapshot, seen: Any = seen) -> None:
            told = one.hold.wake is not None and one.released.wake is not None
            seen.append((one.retired, told))

        with acting_at_line(line, look) as stop:
            again.serving.end()
        assert stop.acted
        assert [told for retired, told in seen if retired] in ([], [True])


def test_a_count_misses_nobody_who_gets_a_name(rig: Rig) -> None:
    """At each line of the count, a lease by reference becomes one by name."""
    for line in lines_of(LiveSnapshot[Any].units):
        again = Rig(rig.clock)
        unit = again.fast()

        def rename(again: Rig = again, unit: Unit = unit) -> None:
            again.live_snapshot.join(NamedLease("somebody"))
            units.end(unit)

        with acting_at_line(line, rename) as stop:
            assert again.live_snapshot.units() >= 1
        assert stop.acted
        assert others_with(again.live_snapshot, "hold") == 0


def test_a_count_misses_nobody_who_is_released(rig: Rig) -> None:
    """At each line of the count, a lease by reference is released."""
    for line in lines_of(LiveSnapshot[Any].units):
        again = Rig(rig.clock)
        unit = again.fast()
        with acting_at_line(line, lambda unit=unit: units.release(unit)) as stop:  # type: ignore[misc]
            assert again.live_snapshot.units() >= 1
        assert stop.acted
        units.end(unit)

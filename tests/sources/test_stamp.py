"""Stamps, the settle rule and the racy rule, with both clocks in the test's hand."""

import math
import os
from pathlib import Path

import pytest

from reloadcheck._engine.settle import Quiet
from reloadcheck.sources._stamp import file_stamp, newest_ns
from reloadcheck.types import Stamp

WALL = 1_800_000_000.0
HOUR = 3600.0
YEAR = 365.25 * 24 * HOUR


def ns(seconds: float) -> int:
    """Return a time as a file's stamp tells it."""
    return int(seconds * 1_000_000_000)


def test_a_stamp_tells_device_inode_size_and_both_times(tmp_path: Path) -> None:
    """A file's stamp is those five, and nothing that reading the file would change."""
    path = tmp_path / "app.yaml"
    path.write_text("a: 1\n")
    status = os.stat(path)
    expected = (
        status.st_dev,
        status.st_ino,
        5,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
    path.read_text()
    assert file_stamp(os.stat(path)) == expected


def test_newest_time_counts_changes_of_the_inode_too(tmp_path: Path) -> None:
    """A file whose mtime was set back is as young as its ctime; without files there is no time."""
    path = tmp_path / "app.yaml"
    path.write_text("a: 1\n")
    os.utime(path, ns=(0, 0))
    status = os.stat(path)
    assert newest_ns(status) == status.st_ctime_ns
    os.utime(path, ns=(0, ns(WALL + YEAR)))
    assert newest_ns(status, os.stat(path)) == ns(WALL + YEAR)
    assert newest_ns() is None


@pytest.mark.parametrize(
    ("age", "quiet"),
    [
        pytest.param(0.0, False, id="this moment"),
        pytest.param(5.0, False, id="a file server five seconds behind"),
        pytest.param(9.9, False, id="just under ten seconds"),
        pytest.param(10.0, True, id="ten seconds"),
        pytest.param(HOUR, True, id="an hour"),
        pytest.param(9.9 * YEAR, True, id="just under ten years"),
        pytest.param(10.1 * YEAR, False, id="over ten years"),
        pytest.param(WALL, False, id="mtime zero"),
        pytest.param(-0.5, False, id="half a second ahead"),
        pytest.param(-10 * YEAR, False, id="ten years ahead"),
    ],
)
def test_only_a_plausible_age_is_quiet_at_first_sight(age: float, quiet: bool) -> None:
    """Ten seconds to ten years old: quiet and trusted at once; anything else has to settle."""
    rule = Quiet(0.25)
    assert rule.look("a", ns(WALL - age), 100.0, WALL) is quiet
    assert rule.trusted(100.0, WALL) is quiet
    assert rule.look("a", ns(WALL - age), 100.25, WALL + 0.25) is True


def test_the_same_stamp_twice_settle_apart_is_quiet() -> None:
    """A change starts the wait anew, however often it comes, and a return is a change too."""
    rule = Quiet(0.25)
    seen = [
        rule.look(stamp, ns(WALL + now), 100.0 + now, WALL + now)
        for stamp, now in [
            ("a", 0.0),
            ("a", 0.2),
            ("b", 0.24),
            ("b", 0.48),
            ("a", 0.49),
            ("a", 0.73),
            ("a", 0.74),
        ]
    ]
    assert seen == [False, False, False, False, False, False, True]
    assert rule.first_seen == 100.49


def test_without_settle_everything_is_quiet_at_first_sight() -> None:
    """`settle=0` waits for nothing; it does not make a young stamp trusted."""
    rule = Quiet(0.0)
    assert rule.look("a", ns(WALL), 100.0, WALL) is True
    assert rule.trusted(100.0, WALL) is False


def test_a_source_without_times_is_quiet_and_trusted_at_once() -> None:
    """An environment cannot be half written."""
    rule = Quiet(0.25)
    assert rule.look("a", None, 100.0, WALL) is True
    assert rule.trusted(100.0, WALL) is True


def test_nothing_is_trusted_before_the_first_look() -> None:
    """A rule that has seen no stamp vouches for none."""
    rule = Quiet(0.25)
    assert rule.first_seen == math.inf
    assert rule.trusted(100.0, WALL) is False


@pytest.mark.parametrize("tick", [0.01, 1.0, 2.0])
def test_a_young_stamp_is_racy_until_a_tick_has_passed(tick: float) -> None:
    """Once trusted, no later write can fall into the tick that the stamp was made in."""
    for part in range(10):
        written = 1000 * tick + tick * part / 10
        stamp = math.floor(written / tick) * tick
        rule = Quiet(0.0)
        now = written
        rule.look(stamp, ns(WALL + stamp), now, WALL + now)
        while not rule.trusted(now, WALL + now):
            now += 0.1
            rule.look(stamp, ns(WALL + stamp), now, WALL + now)
        assert math.floor(now / tick) * tick > stamp
        assert now - written < 2.2


@pytest.mark.parametrize(
    "step",
    [pytest.param(-HOUR, id="an hour back"), pytest.param(10 * YEAR, id="ten years on")],
)
def test_setting_the_wall_clock_changes_no_wait(step: float) -> None:
    """A file half written when the clock is set is still waited for, and no longer than always."""
    rule = Quiet(0.25)
    verdicts: list[bool] = []
    for tenth in range(7):
        now = 100.0 + tenth / 10
        wall = WALL + tenth / 10 + (step if tenth >= 2 else 0.0)
        # Another piece is written until the third look; file times come from the same wall clock.
        piece = min(tenth, 2)
        written = WALL + piece / 10 + (step if piece > 2 else 0.0)
        verdicts.append(rule.look(piece, ns(written), now, wall))
    assert verdicts == [False, False, False, False, False, True, True]


def test_ages_count_again_ten_seconds_after_the_clock_was_set() -> None:
    """By then whatever was stamped by the old clock is old indeed."""
    rule = Quiet(0.25)
    rule.look("a", ns(WALL), 100.0, WALL)
    assert rule.look("b", ns(WALL), 101.0, WALL + HOUR) is False
    assert rule.look("c", ns(WALL), 110.9, WALL + HOUR + 9.9) is False
    assert rule.look("c", ns(WALL), 111.0, WALL + HOUR + 10.0) is True


def test_a_slewed_clock_was_not_set() -> None:
    """The small corrections of a time service do not make old files young."""
    rule = Quiet(0.25)
    rule.look("a", ns(WALL - 9.0), 100.0, WALL)
    rule.look("b", ns(WALL + 0.1), 100.2, WALL + 0.7)
    assert rule.look("b", ns(WALL + 0.1 - HOUR), 100.3, WALL + 1.3) is True


@pytest.mark.parametrize("behind", [10.0, 30.0, 60.0, 599.0, HOUR, 24 * HOUR])
def test_what_changed_since_the_last_look_is_not_older_than_it(behind: float) -> None:
    """A file server's late clock makes no half-written file quiet; it settles like any other."""
    rule = Quiet(0.25)
    assert rule.look("a", ns(WALL - HOUR), 100.0, WALL) is True
    for piece, now in enumerate((105.0, 105.1, 105.2)):
        wall = WALL + now - 100.0
        assert rule.look(piece, ns(wall - behind), now, wall) is False
        assert rule.trusted(now, wall) is False
    assert rule.look(2, ns(WALL + 5.2 - behind), 105.44, WALL + 5.44) is False
    assert rule.look(2, ns(WALL + 5.2 - behind), 105.45, WALL + 5.45) is True


def test_a_clock_that_was_late_once_is_taken_for_late() -> None:
    """After a pause nothing could be told of the next edit alone."""
    rule = Quiet(0.25)
    rule.look("a", ns(WALL - HOUR), 100.0, WALL)
    rule.look("b", ns(WALL - 29.0), 100.5, WALL + 0.5)
    wall = WALL + 3 * HOUR
    assert rule.look("c", ns(wall - 35.0), 100.0 + 3 * HOUR, wall) is False
    assert rule.look("d", ns(wall + 3 * HOUR - 60.0), 100.0 + 6 * HOUR, wall + 3 * HOUR) is True


def test_an_edit_before_the_last_look_but_one_is_old() -> None:
    """After a pause the first look takes it at once: nothing contradicts its age."""
    rule = Quiet(0.25)
    rule.look("a", ns(WALL - HOUR), 100.0, WALL)
    assert rule.look("b", ns(WALL + 60.0), 200.0, WALL + 100.0) is True


def test_the_value_of_a_stamp_alone_tells_a_change() -> None:
    """Its newest time is for the settle rule; what it is taken from is in the value."""
    assert Stamp("same", 1) == Stamp("same", 2)
    assert Stamp("same", 1) != Stamp("other", 1)

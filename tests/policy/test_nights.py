"""Edits in the nights that clocks are changed, at the ends of years and weeks, over midnight."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reloadcheck import Outcome
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import begin

BERLIN, SYDNEY = "Europe/Berlin", "Australia/Sydney"
SANTIAGO, LORD_HOWE = "America/Santiago", "Australia/Lord_Howe"

AT_ONCE = [
    (BERLIN, "sun 02:15-02:45", "2026-10-25T02:30"),  # autumn: before the clock is set back
    (BERLIN, "sun 02:15-02:45", "2026-10-25T02:30 again"),  # and after
    (BERLIN, "sun 02:15-04:00", "2027-03-28T03:00"),  # spring: the first minute that there is
    (SYDNEY, "sun 02:15-02:45", "2027-04-04T02:30 again"),  # where autumn is in April
    (LORD_HOWE, "sun 01:30-02:00", "2027-04-04T01:45 again"),  # where it is half an hour
    (SANTIAGO, "sat 23:00-01:30", "2026-09-06T01:15"),  # midnight itself was left out
    (BERLIN, "mon-thu 10:00-16:00, fri 10:00-12:00", "2026-11-27T11:59:59"),
    (BERLIN, "fri 22:00-06:00", "2026-11-28T05:59:59"),
    (BERLIN, "thu 22:00-02:00", "2027-01-01T01:59:59"),  # of the year before
]
LATER = [
    (BERLIN, "sun 02:15-02:45", "2026-10-25T02:50", "2026-10-25T02:15 again"),
    (BERLIN, "sun 02:15-02:45", "2026-10-25T02:50 again", "2026-11-01T02:15"),
    (BERLIN, "sun 02:15-02:45", "2027-03-28T01:59", "2027-04-04T02:15"),  # a week later
    (BERLIN, "sun 02:15-04:00", "2027-03-28T01:59", "2027-03-28T03:00"),  # a minute later
    (SYDNEY, "sun 02:15-02:45", "2026-10-04T01:59", "2026-10-11T02:15"),
    (SYDNEY, "sun 02:15-02:45", "2027-04-04T02:50", "2027-04-04T02:15 again"),
    (SANTIAGO, "sun 00:15-00:45", "2026-09-05T23:59", "2026-09-13T00:15"),
    (SANTIAGO, "sat 22:00-23:00", "2026-09-06T01:00", "2026-09-12T22:00"),
    (LORD_HOWE, "sun 02:00-02:20", "2026-10-04T01:59", "2026-10-11T02:00"),
    (BERLIN, "mon-thu 10:00-16:00, fri 10:00-12:00", "2026-11-27T12:00", "2026-11-30T10:00"),
    (BERLIN, "mon-fri 10:00-12:00", "2026-12-31T12:00", "2027-01-01T10:00"),
    (BERLIN, "thu 22:00-02:00", "2027-01-01T02:00", "2027-01-07T22:00"),
    (BERLIN, "fri 22:00-06:00", "2026-11-28T06:00", "2026-12-04T22:00"),
]


def instant(zone: str, text: str) -> float:
    """Return the instant of a local time; `again` where the clocks show it for the second time."""
    local, _, again = text.partition(" ")
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=int(bool(again)))
    return moment.timestamp()


class Edited:
    """An application with one key and its window, and an edit of it at some time."""

    def __init__(self, make: Make, place: Path, clock: FakeClock, zone: str, spans: str) -> None:
        self._file, contract = place / "config.yaml", place / "contract.yaml"
        self._file.write_text("a: 1\n")
        contract.write_text(
            f"reloadcheck: 1\nzone: {zone}\nkeys: {{a: {{window: w}}}}\nwindows: {{w: [{spans}]}}\n"
        )
        self.live = make(self._file, contract=contract, settle=0.0, verify=0.0)
        self._clock = clock

    def edit(self, at: float) -> Outcome:
        """Start, and edit at that time."""
        self._clock.set_wall(at)
        begin(self.live)
        self._file.write_text("a: 2\n")
        return self.live.check()

    def later(self, at: float) -> Outcome:
        """Look again at another time."""
        self._clock.set_wall(at)
        return self.live.check()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that each test sets."""
    return FakeClock(0.0)


@pytest.mark.parametrize(("zone", "spans", "moment"), AT_ONCE)
def test_inside_its_window_an_edit_is_live_at_once(
    make: Make, tmp_path: Path, clock: FakeClock, zone: str, spans: str, moment: str
) -> None:
    """Both times that an hour comes twice, to the last second, and the morning after."""
    edited = Edited(make, tmp_path, clock, zone, spans)
    assert edited.edit(instant(zone, moment)) is Outcome.RELOADED
    assert edited.live.snapshot.config["a"] == 2


@pytest.mark.parametrize(("zone", "spans", "moment", "opens"), LATER)
def test_outside_its_window_an_edit_waits_for_it(
    make: Make, tmp_path: Path, clock: FakeClock, zone: str, spans: str, moment: str, opens: str
) -> None:
    """Until the very second, which is told; an hour that never comes opens nothing."""
    edited = Edited(make, tmp_path, clock, zone, spans)
    assert edited.edit(instant(zone, moment)) is Outcome.WAITING
    waiting = edited.live.status().waiting
    assert waiting is not None
    at = instant(zone, opens)
    assert waiting.opens == at
    assert edited.later(at - 1.0) is Outcome.WAITING
    assert edited.live.snapshot.config["a"] == 1
    assert edited.later(at) is Outcome.RELOADED
    assert edited.live.snapshot.config["a"] == 2


def test_an_edit_waits_over_the_hour_that_is_left_out(
    make: Make, tmp_path: Path, clock: FakeClock
) -> None:
    """It was to open at 02:15 of that night; at 03:05 it has not, and a week later it has."""
    edited = Edited(make, tmp_path, clock, BERLIN, "sun 02:15-02:45")
    assert edited.edit(instant(BERLIN, "2027-03-28T01:59")) is Outcome.WAITING
    assert edited.later(instant(BERLIN, "2027-03-28T03:05")) is Outcome.WAITING
    assert edited.later(instant(BERLIN, "2027-04-04T02:20")) is Outcome.RELOADED


def test_a_freeze_over_the_night_of_the_change_ends_when_it_says(
    make: Make, tmp_path: Path, clock: FakeClock
) -> None:
    """By the clock of its zone, or by an offset: 25 hours of a Sunday in October."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    file.write_text("a: 1\n")
    contract.write_text(
        f"reloadcheck: 1\nzone: {BERLIN}\n"
        "freezes: [{from: 2026-10-25T00:00, until: 2026-10-26T00:00, why: the clocks}]\n"
    )
    live = make(file, contract=contract, settle=0.0, verify=0.0)
    clock.set_wall(instant(BERLIN, "2026-10-25T00:00"))
    begin(live)
    file.write_text("a: 2\n")
    assert live.check() is Outcome.WAITING
    clock.set_wall(instant(BERLIN, "2026-10-25T00:00") + 24 * 3600)
    assert live.check() is Outcome.WAITING
    clock.set_wall(instant(BERLIN, "2026-10-25T00:00") + 25 * 3600)
    assert live.check() is Outcome.RELOADED

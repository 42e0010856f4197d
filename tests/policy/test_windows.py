"""Windows are wall-clock times of a named zone: converted, compared, and nothing is added."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from reloadcheck.policy.windows import Freeze, Span, Window, instant_of, span_of, told

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, fold: int = 0) -> float:
    """Return the instant of a local time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


def window(*spans: str) -> Window:
    """Return a window of Berlin."""
    found = [span_of(span) for span in spans]
    assert all(isinstance(span, Span) for span in found), found
    return Window("w", tuple(span for span in found if isinstance(span, Span)), BERLIN)


OFFICE = window("mon-thu 10:00-16:00", "fri 10:00-12:00")
QUIET = window("mon-fri 22:00-06:00")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T09:59:59", False),
        ("2026-11-23T10:00", True),
        ("2026-11-23T15:59:59", True),
        ("2026-11-23T16:00", False),
        ("2026-11-27T11:59", True),
        ("2026-11-27T12:00", False),
        ("2026-11-28T11:00", False),
    ],
)
def test_ends_are_exclusive(moment: str, is_open: bool) -> None:
    """Office hours begin with their first minute, end before their last, and know Friday noon."""
    assert OFFICE.is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-27T23:00", True),  # Friday night
        ("2026-11-28T05:59", True),  # belongs to Friday
        ("2026-11-28T23:00", False),
        ("2026-11-30T05:00", False),  # would belong to Sunday
        ("2026-12-31T23:30", True),
        ("2027-01-01T05:30", True),
    ],
)
def test_over_midnight_belongs_to_the_day_it_begins_on(moment: str, is_open: bool) -> None:
    """Also over the end of a year."""
    assert QUIET.is_open(at(moment)) is is_open


def test_a_whole_day() -> None:
    """`24:00` is an end, and both minutes around midnight are in."""
    whole = window("sat,sun 00:00-24:00")
    assert whole.is_open(at("2026-11-28T00:00"))
    assert whole.is_open(at("2026-11-29T23:59"))
    assert not whole.is_open(at("2026-11-30T00:00"))


def test_the_hour_that_comes_twice_counts_twice() -> None:
    """In autumn 02:30 is there with and without summer time, and both are in the window."""
    night = window("sun 02:15-02:45")
    assert night.is_open(at("2026-10-25T02:30", fold=0))
    assert night.is_open(at("2026-10-25T02:30", fold=1))
    assert night.opens(at("2026-10-25T02:50", fold=0)) == at("2026-10-25T02:15", fold=1)


def test_the_hour_that_never_comes_does_not_open() -> None:
    """In spring a window within the missing hour waits a week; one that ends later begins after."""
    night = window("sun 02:15-02:45")
    assert night.opens(at("2027-03-28T00:00")) == at("2027-04-04T02:15")
    longer = window("sun 02:15-04:00")
    assert longer.opens(at("2027-03-28T00:00")) == at("2027-03-28T03:00")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-23T11:00", "2026-11-23T11:00"),
        ("2026-11-23T17:00", "2026-11-24T10:00"),
        ("2026-11-27T12:00", "2026-11-30T10:00"),
        ("2026-12-31T18:00", "2027-01-01T10:00"),
    ],
)
def test_the_next_opening(now: str, opens: str) -> None:
    """Now, where it is open; the next day, over the week-end, into the next year."""
    assert OFFICE.opens(at(now)) == at(opens)


@pytest.mark.parametrize(
    ("span", "days"),
    [
        ("sun 02:15-02:45", ["2027-03-28"]),
        ("mon-sun 02:00-03:00", ["2027-03-28"]),
        ("sun 02:15-03:01", []),  # its last minute comes
        ("mon-sat 02:15-02:45", []),  # clocks are set on Sundays
        ("sun 02:15-02:10", []),  # until the next day
        ("sun 03:15-03:45", []),
    ],
)
def test_the_night_in_which_a_window_does_not_open_is_known(span: str, days: list[str]) -> None:
    """Within a year; where any minute of it comes, it opens."""
    assert [str(day) for day in window(span).left_out(at("2026-11-23T11:00"))] == days


@pytest.mark.parametrize("today", ["2029-03-26", "2029-03-30", "2029-04-01", "2029-12-31"])
def test_the_next_such_night_is_known_on_every_day(today: str) -> None:
    """The Sundays on which clocks are set are 52 weeks apart, or 53."""
    (day,) = window("sun 02:15-02:45").left_out(at(f"{today}T11:00"))
    assert str(day) == "2030-03-31"


def test_what_never_opens_says_so() -> None:
    """A window of no spans has no next opening."""
    assert window().opens(at("2026-11-23T11:00")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mon 10:00", "write a span"),
        ("moon 10:00-11:00", "write a span"),
        ("mon-xyz 10:00-11:00", "xyz is no day"),
        ("mon 10:00-10:00", "never opens"),
        ("mon 10:60-11:00", "a time of day"),
        ("mon 24:00-11:00", "a time of day"),
        ("mon 10:00-25:00", "a time of day"),
    ],
)
def test_a_span_that_is_none_is_named(text: str, reason: str) -> None:
    """Each mistake has a sentence."""
    assert reason in str(span_of(text))


def test_days_go_round() -> None:
    """`fri-mon` is four days."""
    span = span_of("fri-mon 10:00-11:00")
    assert isinstance(span, Span)
    assert span.days == {4, 5, 6, 0}


def test_a_freeze_is_absolute() -> None:
    """Local times of the zone, or times with an offset; the end is exclusive."""
    begin, until = instant_of("2026-11-27T00:00", BERLIN), instant_of("2026-12-01", BERLIN)
    assert begin == at("2026-11-27T00:00")
    assert until == at("2026-12-01T00:00")
    assert instant_of("2026-11-27T00:00+00:00", BERLIN) == at("2026-11-27T01:00")
    assert instant_of("soon", BERLIN) is None
    freeze = Freeze(begin or 0, until or 0, "Black Friday")
    assert freeze.holds(at("2026-11-30T23:59"))
    assert not freeze.holds(at("2026-12-01T00:00"))


def test_an_opening_is_told_as_people_say_it() -> None:
    """By the day, and from the seventh day on with the date."""
    now = at("2026-11-23T11:00")
    assert told(at("2026-11-24T10:00"), now, BERLIN) == "Tue 10:00"
    assert told(at("2026-11-30T10:00"), now, BERLIN) == "Mon 2026-11-30 10:00"

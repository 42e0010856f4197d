"""Windows of the week and freezes, each by itself: is it open at an instant, when does it open.

They are meant in one named zone. To tell whether a window is open, the instant is converted to that
zone and compared; nothing is ever added to a local time. So an hour that the clocks repeat counts
twice, and one that they leave out never comes. A span over midnight belongs to the day that it
begins on; ends are exclusive.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from .._runtime.clock import dated
from ..types import printable

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTES_A_DAY: Final = 24 * 60
_A_YEAR: Final = 372
"""Days: clocks are set on the same Sunday of a month, which comes after 53 weeks at the latest."""
_LONGEST_GAP: Final = 180
"""Minutes that clocks leave out at the most, when they are set forward."""

_AHEAD: Final = 15
"""Days that are looked at for the next opening: a window opens every week or never."""

_DAYS: Final = re.compile(r"[a-zA-Z]{3}(?:-[a-zA-Z]{3})?")
_SPAN: Final = re.compile(
    r"(?P<days>[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*) +"
    r"(?P<begin>[0-9]{1,2}:[0-9]{2})-(?P<end>[0-9]{1,2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Some days of the week (Monday is 0) from a minute of the day to one, which may be the next's.

    `end` is exclusive, and not after `begin` where the span goes over midnight.
    """

    days: frozenset[int]
    begin: int
    end: int

    def has(self, moment: datetime) -> bool:
        """Return whether a local time is in the span."""
        minute, day = moment.hour * 60 + moment.minute, moment.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        began_today = day in self.days and minute >= self.begin
        return began_today or ((day - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Window:
    """A named set of spans in a zone; `line` and `column` are where the contract names it."""

    name: str
    spans: tuple[Span, ...]
    zone: tzinfo
    line: int | None = None
    column: int | None = None

    def is_open(self, at: float) -> bool:
        """Return whether it is open at an instant, in seconds since the epoch."""
        moment = datetime.fromtimestamp(at, self.zone)
        return any(span.has(moment) for span in self.spans)

    def opens(self, at: float) -> float | None:
        """Return the next instant from `at` on at which it is open; None where none is near."""
        if self.is_open(at):
            return at
        today = datetime.fromtimestamp(at, self.zone).date()
        starts = sorted(
            start
            for ahead in range(-1, _AHEAD)
            for span in self.spans
            for start in self._starts(today + timedelta(ahead), span)
        )
        return next((start for start in starts if start > at and self.is_open(start)), None)

    def left_out(self, at: float) -> Iterator[date]:
        """Return the days of the year from `at` on of which a span falls into a missing hour."""
        today = datetime.fromtimestamp(at, self.zone).date()
        for ahead in range(_A_YEAR):
            day = today + timedelta(ahead)
            for span in self.spans:
                short = 0 < span.end - span.begin <= _LONGEST_GAP
                if short and day.weekday() in span.days and not self._comes(day, span):
                    yield day

    def _comes(self, day: date, span: Span) -> bool:
        """Return whether the clocks show any minute of a span on a day."""
        for minute in range(span.begin, span.end):
            local = datetime.combine(day, time(minute // 60, minute % 60))
            instant = local.replace(tzinfo=self.zone).timestamp()
            if datetime.fromtimestamp(instant, self.zone).replace(tzinfo=None) == local:
                return True
        return False

    def _starts(self, day: date, span: Span) -> Iterable[float]:
        """Return when a span begins on a day: twice where the clocks repeat it.

        Where they leave the beginning out, it begins with the first minute that comes after.
        """
        if day.weekday() not in span.days:
            return
        local = datetime.combine(day, time(span.begin // 60 % 24, span.begin % 60))
        for fold in (0, 1):
            instant = local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC).timestamp()
            yield instant
            if datetime.fromtimestamp(instant, self.zone).replace(tzinfo=None) != local:
                yield from (instant - 60.0 * back for back in range(1, 3 * 60))


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time, in seconds since the epoch, during which nothing may change; `until` is exclusive."""

    begin: float
    until: float
    why: str

    def holds(self, at: float) -> bool:
        """Return whether it is in force."""
        return self.begin <= at < self.until


def span_of(text: str) -> Span | str:
    """Return the span that `mon-thu 10:00-16:00` stands for, or what is wrong with it."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None:
        quotes = " (in quotes, where it has a comma)" if _DAYS.fullmatch(text.strip()) else ""
        shown = printable(text[:80]) or "nothing"
        return f"write a span as in mon-thu 10:00-16:00{quotes}, not {shown}"
    days: set[int] = set()
    for part in match["days"].split(","):
        first, _, last = part.partition("-")
        for day in (first, last or first):
            if day not in DAYS:
                return f"{day} is no day: write one of {' '.join(DAYS)}"
        start, stop = DAYS.index(first), DAYS.index(last or first)
        days.update((start + step) % 7 for step in range((stop - start) % 7 + 1))
    begin, end = _minute(match["begin"]), _minute(match["end"])
    if begin is None or end is None or begin == _MINUTES_A_DAY:
        return "a time of day is between 00:00 and 23:59, and 24:00 at an end"
    if begin == end % _MINUTES_A_DAY and end != _MINUTES_A_DAY:
        return (
            "begins and ends at the same time, so that it never opens; the whole day is 00:00-24:00"
        )
    return Span(frozenset(days), begin, end)


def _minute(text: str) -> int | None:
    hours, minutes = (int(part) for part in text.split(":"))
    total = hours * 60 + minutes
    return total if minutes < 60 and total <= _MINUTES_A_DAY else None


def instant_of(text: str, zone: tzinfo) -> float | None:
    """Return the instant of a local date or date and time, in ISO 8601; None for what is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return dated((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())


def told(at: float, now: float, zone: tzinfo) -> str:
    """Return an instant as people say it: the day, and the date too from the seventh day on."""
    moment = datetime.fromtimestamp(at, zone)
    far = at - now >= 6 * 86_400
    return f"{moment:%a %Y-%m-%d %H:%M}" if far else f"{moment:%a %H:%M}"

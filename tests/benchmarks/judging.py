"""From samples to medians, spreads and verdicts; pure, so that it is tested with made-up numbers.

A ratio is believed only as far as its control: the same contestant, measured twice in the same
rounds, against itself.
"""

from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal

__all__ = ["BAND", "GROSS", "Claim", "Report", "Row", "Series", "ratio"]

Verdict = Literal["pass", "missed", "too noisy to tell"]

BAND = 0.10
"""How far from 1 a control may be for its ratio to be believed."""

GROSS = 4.0
"""How many times over its target a measure must be to fail a short run: no noise explains that."""


@dataclass(frozen=True, slots=True)
class Series:
    """What one contestant cost, one value a round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the middle value."""
        return median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Return what a quarter of the values are below, and a quarter above."""
        if len(self.values) < 2:
            return self.median, self.median
        low, _, high = quantiles(self.values, n=4, method="inclusive")
        return low, high

    def percentile(self, percent: float) -> float:
        """Return the value that `percent` of all are at or below."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def less(self, other: "Series") -> "Series":
        """Return what this cost more than the other, round by round."""
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple(mine - its for mine, its in pairs))


def ratio(one: Series, other: Series) -> float:
    """Return the ratio of two medians; infinite where the other came out as nothing at all."""
    return one.median / other.median if other.median > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report: a contestant, its median and quartiles, in `unit`."""

    name: str
    median: float
    low: float
    high: float
    unit: str

    @classmethod
    def of(cls, name: str, series: Series, unit: str, scale: float = 1.0) -> "Row":
        """Return the line for a series, each value times `scale`."""
        low, high = series.quartiles
        return cls(name, series.median * scale, low * scale, high * scale, unit)


@dataclass(frozen=True, slots=True)
class Claim:
    """A measure beside its target; `control` is a ratio that should be 1, None if none is needed.

    What is measured in a process's own CPU time or in bytes needs none: other work on the machine
    hardly shows there.
    """

    measure: str
    value: float
    at_most: float
    unit: str = "×"
    control: float | None = None
    band: float = BAND
    turned: bool = False
    """Whether more is better: the target is then the least that is wanted."""
    floor: float | None = None
    """What the least that could do the same came to, in the same run; None if not measured."""

    @property
    def quiet(self) -> bool:
        """Return whether the control is within its band."""
        return self.control is None or abs(self.control - 1.0) <= self.band

    @property
    def verdict(self) -> Verdict:
        """Say whether the target is met, if the machine was quiet enough to tell."""
        if not self.quiet:
            return "too noisy to tell"
        return "pass" if self._times_over <= 1.0 else "missed"

    @property
    def gross(self) -> bool:
        """Return whether it is missed by so much that no machine is an excuse."""
        return self.quiet and self._times_over > GROSS

    @property
    def _times_over(self) -> float:
        if not self.turned:
            return self.value / self.at_most
        return self.at_most / self.value if self.value > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found. `told` is what the documentation says of it besides its claims."""

    title: str
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

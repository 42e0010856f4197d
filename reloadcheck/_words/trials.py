"""A trial as people are told of it: its numbers, and in words when its phase ends.

What a trial is told by those who serve is `seams/trial`'s.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignalStatus:
    """One signal of a trial: how many bad units fell on the candidate, of how many in all.

    `luck` bounds the chance that a harmless candidate ever looks this bad.
    """

    name: str
    on_candidate: int
    bad: int
    luck: float


@dataclass(frozen=True, slots=True)
class ShadowStatus:
    """What became of the requests of a trial that were made again on both versions.

    `compared` were judged, `dropped` came while another one was, `unjudged` had no answers to
    compare. On `differing` the candidate alone gave another answer; `first` says which was the
    first, `error` what `compare=` has raised.
    """

    compared: int
    differing: int
    dropped: int
    unjudged: int
    first: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """A trial as people are told of it; `phase` is `trying` or `watching`.

    `share` is the candidate's, between 0 and 1; `left` the seconds of the phase; `units` and
    `baseline_units` what ended on either side, `missing` how many the candidate must have yet.
    `explanation` is there once there is a verdict, `shadow` where requests are made again.
    """

    phase: str
    digest: str
    version: int
    share: float
    left: float
    units: int
    baseline_units: int
    signals: tuple[SignalStatus, ...]
    explanation: str | None
    shadow: ShadowStatus | None = None
    missing: int = 0

    @property
    def ends(self) -> str:
        """Say when the phase is over: it lasts as long as too few units of work came by."""
        if self.left < 1.0 and self.missing:
            return f"it lasts until {self.missing} more have come by"
        return f"{self.left:.0f} s left"

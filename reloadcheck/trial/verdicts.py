"""What a trial decides, and the sentence that says why. Pure.

When it decides so is `run`'s; the luck that it tells is `judge`'s.
"""

from dataclasses import dataclass

from .judge import Judge
from .watch import Watch

__all__ = [
    "FAILED",
    "MARKED",
    "SHADOW",
    "SLOW",
    "Decision",
    "by_hand",
    "harmed",
    "lost",
    "undone",
]

FAILED, SLOW, MARKED, SHADOW = "failed", "slow", "marked", "shadow"
"""What a unit of work is bad by; a mark has its name behind a colon."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows now: `go on`, `promote`, `undo`, `trouble`, and the sentence that says why."""

    word: str
    code: str = ""
    sentence: str = ""


def by_hand(word: str, reason: str | None, version: int, before: int) -> Decision:
    """Return what a person has ordered: `promote` or `undo`."""
    why = f": {reason}" if reason else ""
    done = "promoted" if word == "promote" else "undone"
    serves = version if word == "promote" else before
    sentence = f"{done} by hand: version {version}{why}. Version {serves} serves."
    return Decision(word, f"{done}-by-hand", sentence)


def lost(name: str, version: int, before: int) -> Decision:
    """Return that a worker's process ended in the midst of a trial."""
    words = f"undone: worker {name} ended while version {version} was tried"
    return Decision("undo", "worker-lost", f"{words}. Version {before} serves.")


def harmed(watch: Watch, now: float, version: int, before: int) -> Decision:
    """Return that more units failed after a promotion than luck explains."""
    sentence = (
        f"undone: version {version}, {now - watch.since:.1f} s after it was promoted: "
        f"{watch.failed} units failed, where {watch.most:.0f} would have been many; an "
        f"incident elsewhere cannot be excluded. Version {before} serves."
    )
    return Decision("undo", "watch", sentence)


def undone(
    signal: str,
    judge: Judge,
    seconds: float,
    share: float,
    version: int,
    before: int,
    first: str | None,
) -> Decision:
    """Return that bad units fell on the candidate, which had a `share`, more often than by luck.

    `first` is the first of them.
    """
    lead = f"undone: version {version} after {seconds:.1f} s: "
    tail = f"luck: {judge.odds}.{f' First: {first}.' if first else ''} Version {before} serves."
    if signal == SHADOW:
        sentence = (
            f"of {judge.bad} requests made again, with one answer of three that differed, it was "
            f"the one on it in {judge.on_candidate}, where chance makes it one in three; "
        )
        return Decision("undo", "undone-shadow", lead + sentence + tail)
    what = {FAILED: "failed", SLOW: "slow"}.get(signal, signal.partition(": ")[2])
    sentence = (
        f"{judge.on_candidate} of the {judge.bad} {what} requests were on it, though it had "
        f"{share:.0%} of all; "
    )
    code = {FAILED: "undone-failed", SLOW: "undone-slow"}.get(signal, "undone-marked")
    return Decision("undo", code, lead + sentence + tail)

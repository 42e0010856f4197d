"""Puts a load on the servers while their files are edited, and gives the account of it.

Nothing is judged here; see `report`.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.support.load import until

from .backends import WRONG, Backends
from .background import background
from .counting import Count, most_of
from .load import Load, Target
from .matrix import introduced
from .report import Refusal, Report, Row, SideRow
from .sides import SIZE, Side

__all__ = ["Pace", "trial"]

SETTLED = 15.0
"""Seconds after which what has not closed is not going to: nothing of the load runs longer."""

FIRST_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long, how many requests a second over all, and the seconds between two edits of a file.

    Of every `refuse_every` edits one has credentials that are wrong.
    """

    seconds: float
    rate: float = 200.0
    edit: float = 1.2
    refuse_every: int = 25


@dataclass(slots=True)
class Editor:
    """Edits one side's file; the resources `names` get wrong credentials in turn."""

    side: Side
    pace: Pace
    names: Sequence[str]
    refusals: list[Refusal] = field(default_factory=list[Refusal])

    def run(self, over: threading.Event) -> None:
        """Write edit after edit at an even pace, which a rejection may hold up."""
        due, turns = time.monotonic(), itertools.cycle(self.names)
        for count in itertools.count(1):
            due += self.pace.edit
            if over.wait(max(0.0, due - time.monotonic())):
                return
            if count % self.pace.refuse_every == self.pace.refuse_every // 2:
                self._refuse(next(turns))
                due = max(due, time.monotonic())
            else:
                self.side.edits.write()

    def _refuse(self, name: str) -> None:
        """Write wrong credentials, and wait until the edit is rejected."""
        number = self.side.edits.write(refused=name)
        written = self.side.edits.at[number]
        found: list[tuple[float, str]] = []

        def rejected() -> bool:
            found.extend(
                (one["at"] - written, one["error"])
                for one in self.side.look()["heard"]
                if one["outcome"] == "rejected" and one["at"] > written
            )
            return bool(found)

        until(rejected, 30.0)
        seconds, error = found[0]
        waited = any(written < at < written + seconds for at in self.side.waits)
        refusal = Refusal(name, number, seconds, waited, name in error, WRONG in error)
        self.refusals.append(refusal)


def trial(
    sides: Sequence[Side], backends: Backends, pace: Pace, names: Sequence[str] = ()
) -> Report:
    """Run for a while with the resources of these names, all by default."""
    editors = [
        Editor(side, pace, [one.name for one in side.entries if not names or one.name in names])
        for side in sides
    ]
    targets = [Target(one.side.port, name) for one in editors for name in one.names]
    load, count = Load(targets, pace.rate), Count(backends.connections)
    starts = [(side.edits.number, side.status()["reloads"]) for side in sides]
    begun = time.monotonic()
    with ExitStack() as stack:
        for work in (load.run, count.watch, *(side.watch for side in sides)):
            stack.enter_context(background(work))
        with ExitStack() as editing:
            for editor in editors:
                editing.enter_context(background(editor.run))
            time.sleep(min(FIRST_MINUTE, pace.seconds / 3))
            before = [side.rss() for side in sides]
            time.sleep(max(0.0, begun + pace.seconds - time.monotonic()))
        for side in sides:
            side.edits.write(everything=True)
        _in_time(lambda: all(load.seen(side.port, side.edits.number) for side in sides))
    seconds = time.monotonic() - begun
    rows = [row for editor in editors for row in _rows(editor, load, count, backends)]
    after = [side.rss() for side in sides]
    summary = [
        _summary(editor, load, start, memory)
        for editor, start, *memory in zip(editors, starts, before, after, strict=True)
    ]
    return Report(seconds, rows, summary, count.looks, load.left_out)


def left(side: Side, backends: Backends) -> dict[str, int]:
    """Count, by resource, what is open besides what serves."""
    status, serials = side.status(), side.edits.serials
    serving = {introduced(name, serial) for name, serial in serials.items()}
    stray = {name: n for name, n in backends.connections().items() if name not in serving}
    connections, _ = most_of(stray)
    return {
        name: one["instances"] - 1 + connections[name] for name, one in status["resources"].items()
    }


def _rows(editor: Editor, load: Load, count: Count, backends: Backends) -> list[Row]:
    side = editor.side
    _in_time(lambda: not any(left(side, backends).values()))
    leaked, status = left(side, backends), side.look()
    rows: list[Row] = []
    for name in editor.names:
        account = load.accounts[name]
        row = Row(
            resource=name,
            requests=account.requests,
            errors=account.errors,
            torn=len(account.torn),
            outlasted=account.outlasted,
            changes=side.edits.changes[name],
            builds=status["resources"][name]["builds"],
            generations=max(count.generations[name], side.instances[name]),
            connections=count.connections[name],
            most=2 * SIZE,
            late=status["late"].get(name, 0.0),
            leaked=leaked[name],
            slowest=account.slowest,
        )
        rows.append(row)
    return rows


def _summary(
    editor: Editor, load: Load, start: tuple[int, int], memory: Sequence[float]
) -> SideRow:
    side, status = editor.side, editor.side.look()
    first, (fresh, waited) = load.first[side.port], _freshness(side, load)
    return SideRow(
        server=side.server_name,
        edits=side.edits.number - start[0],
        reloads=status["reloads"] - start[1],
        waited=waited,
        fresh=fresh,
        bound=side.times.window + side.times.settle,
        slowest=max(load.accounts[name].slowest for name in editor.names),
        refusals=editor.refusals,
        served_refused=len(side.edits.refused & first.keys()),
        early=status["early"],
        forced=status["forced"],
        memory=memory,
    )


def _freshness(side: Side, load: Load) -> tuple[float, int]:
    """Return the longest time that an edit took to be live, less the builds since it was written.

    These are its own, and what was left of the one before. The edits that had to wait for an
    instance to drain are counted and not measured.
    """
    longest, waited = 0.0, 0
    first = sorted(load.first[side.port].items())
    begun = min(at for _, at in first)
    for number, written in side.edits.at.items():
        live = next(((one, at) for one, at in first if one >= number), None)
        if number in side.edits.refused or live is None or written < begun:
            continue
        if any(written < at < live[1] for at in side.waits):
            waited += 1
            continue
        swaps = [swap for one, swap in side.builds.items() if one <= live[0] and swap[0] > written]
        builds = sum(min(spent, at - written) for at, spent in swaps)
        longest = max(longest, live[1] - written - builds)
    return longest, waited


def _in_time(condition: Callable[[], bool]) -> bool:
    """Wait for what ought to happen; what does not shows in the account."""
    try:
        until(condition, SETTLED)
    except AssertionError:
        return False
    return True

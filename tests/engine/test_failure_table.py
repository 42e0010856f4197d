"""Every part of foreign code, every way to fail, and what has to come of it: one table.

The parts are those of `mid`, which is built on `low` and carries `top`, of the schema and of a
listener. Each cell edits `a`, which all three are built from.
"""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.loading import VALIDATION_TIMEOUT
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, threads_named, until
from tests.support.stage import CANARY, TIMEOUT, Stage, staged

Part: TypeAlias = Literal["build", "probe", "schema", "listener", "close"]
RAISED: list[type[BaseException]] = [
    Exception, RecursionError, MemoryError, SystemExit, KeyboardInterrupt, asyncio.CancelledError,
]  # fmt: skip


@dataclass(frozen=True)
class Need:
    """What has to come of an edit; `{}` stands for the name of what was raised.

    `log`: what is built and closed for it, in order. `later`: what is once a hang has ended, too.
    `warning` is told once, and nothing else is. `threads`: what those that hang are called.
    """

    outcome: Outcome
    code: str | None
    log: tuple[str, ...]
    warning: str
    later: tuple[str, ...] = ()
    threads: str = ""

    @property
    def version(self) -> int:
        """Return the version that serves after it."""
        return 2 if self.outcome is Outcome.RELOADED else 1


GOOD = ("+low2", "+mid2", "+top2", "-top1", "-mid1", "-low1")
LIVE, REFUSED = Outcome.RELOADED, Outcome.REJECTED
TABLE: dict[tuple[Part, str], Need] = {
    ("build", "raises"): Need(REFUSED, "factory", ("+low2", "-low2"), "its factory raised {}"),
    ("build", "hangs"): Need(
        REFUSED, "timeout", ("+low2", "-low2"), "its factory did not return within 5 s",
        later=("+mid2", "-mid2"), threads="mid",
    ),
    ("probe", "raises"): Need(
        REFUSED, "probe", ("+low2", "+mid2", "-mid2", "-low2"), "its probe raised {}"
    ),
    ("probe", "hangs"): Need(
        REFUSED, "timeout", ("+low2", "+mid2", "-mid2", "-low2"),
        "its probe did not return within 5 s", threads="mid-probe",
    ),
    ("schema", "raises"): Need(REFUSED, "schema", (), "{}"),
    ("schema", "hangs"): Need(
        REFUSED, "schema", (), f"the schema did not return within {VALIDATION_TIMEOUT:g} s",
        threads="schema",
    ),
    ("listener", "raises"): Need(LIVE, None, GOOD, "a listener raised {}"),
    ("listener", "hangs"): Need(LIVE, None, GOOD, "", threads="listener"),
    ("close", "raises"): Need(LIVE, None, GOOD, "closing resource mid raised {}"),
    ("close", "hangs"): Need(
        LIVE, None, GOOD, "closing resource mid did not return within 5 s", threads="mid-close"
    ),
}  # fmt: skip
ASYNC = {
    # A task can be cancelled where a thread cannot: what hangs has ended at its time-out.
    cell: replace(need, threads="", later=())
    for cell, need in TABLE.items()
}


@pytest.fixture
def stage(request: pytest.FixtureRequest, make: Make, text: Text) -> Iterator[Stage]:
    """An engine on version 1, its code sync or async as the parameter says."""
    text.edit(edit(1))
    with staged(make, sync=request.param) as stage:
        yield stage


def edit(a: int) -> str:
    """Write a configuration in which the canary is a value, which nothing may quote."""
    return f"a: {a}\nsecret: {CANARY}\n"


def cells(how: str, table: dict[tuple[Part, str], Need]) -> list[tuple[Part, Need]]:
    """Return one row of the table."""
    return [(part, need) for (part, way), need in table.items() if way == how]


def both(how: str) -> pytest.MarkDecorator:
    """Return a row for sync and async code; a schema is always sync."""
    rows = [(True, *cell) for cell in cells(how, TABLE)]
    rows += [(False, *cell) for cell in cells(how, ASYNC) if cell[0] != "schema"]
    names = [f"{part}-{'sync' if sync else 'async'}" for sync, part, _ in rows]
    return pytest.mark.parametrize(("stage", "part", "need"), rows, ids=names, indirect=["stage"])


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was warned of."""
    return [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]


def heals(stage: Stage, text: Text, version: int) -> None:
    """Assert that the next good edit is live, whole, and that nothing is left of the failure."""
    stage.part = ""
    text.edit(edit(3))
    until(lambda: Call(stage.live.check).result() is not Outcome.REJECTED)
    until(lambda: stage.live.snapshot.version == version)
    stage.serves(version, 3)
    until(stage.settled)
    until(lambda: stage.live.status().error is None)


@both("raises")
@pytest.mark.parametrize("fault", RAISED, ids=lambda fault: fault.__name__)
def test_what_is_raised(
    stage: Stage,
    part: Part,
    need: Need,
    fault: type[BaseException],
    text: Text,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All or nothing, the rest goes on, one warning that quotes nothing, and it heals."""
    stage.part, stage.fault = part, fault
    text.edit(edit(2))
    assert Call(stage.live.check).result() is need.outcome
    until(lambda: stage.log == [*need.log])
    until(stage.settled)
    until(lambda: len(warnings(caplog)) == 1)
    assert need.warning.format(fault.__name__) in warnings(caplog)[0]
    stage.serves(need.version, need.version)
    assert need.code == stage.live.status().code
    until(lambda: len(stage.heard) == 2)
    heals(stage, text, need.version + 1)
    assert stage.entered == 1
    assert CANARY not in caplog.text + str(stage.live.status())


@both("hangs")
@pytest.mark.parametrize("late", [False, True], ids=["for ever", "late success"])
def test_what_hangs(
    stage: Stage,
    part: Part,
    need: Need,
    late: bool,
    text: Text,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At the time-out as if it had raised; one thread is stuck at most; late is not published."""
    stage.part, stage.gate = part, threading.Event()
    text.edit(edit(2))
    checking = Call(stage.live.check)
    until(lambda: stage.entered == 1)
    if need.outcome is Outcome.RELOADED:
        checking.result()
        assert Call(stage.live.check).result() is Outcome.UNCHANGED  # nothing is being read now
    else:
        stage.serves(1, 1)
    until(lambda: part != "listener" or stage.settled())
    passing = (VALIDATION_TIMEOUT if part == "schema" else TIMEOUT) + 0.1
    clock.advance(passing)
    checking.result()
    until(lambda: stage.live.status().code == need.code)
    until(lambda: stage.log == [*need.log])
    until(stage.settled)
    until(lambda: len(warnings(caplog)) == bool(need.warning))
    assert need.warning in "".join(warnings(caplog))
    stage.serves(need.version, need.version)
    assert bool(need.threads) == bool(threads_named(need.threads or "mid"))
    if late:
        stage.gate.set()
        until(lambda: not threads_named("mid", "schema", "listener"))
        until(lambda: stage.log == [*need.log, *need.later])
        until(stage.settled)
        stage.serves(need.version, need.version)
        heals(stage, text, need.version + 1)
        return
    for number in (3, 4):
        text.edit(edit(number))
        Call(stage.live.check).result(clock, step=0.2)
    until(lambda: len(threads_named("mid", "schema", "listener")) <= 1)
    if part == "listener" or (part == "close" and not need.threads):
        until(lambda: stage.live.snapshot.config["a"] == 4, clock)  # nothing is held up
    else:
        stage.serves(need.version, need.version)

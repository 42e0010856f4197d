"""How the engine thread waits: what ends a step, and what it leaves for the next."""

import pytest

from reloadcheck._engine.options import Options
from reloadcheck._engine.scheduler import Scheduler
from reloadcheck._snapshots.cell import Cell
from reloadcheck.testing import FakeClock
from tests.support.rig import Call


@pytest.fixture
def done() -> list[str]:
    """What was done in the engine thread."""
    return []


@pytest.fixture
def scheduler(clock: FakeClock) -> "Scheduler[object]":
    """A scheduler with nothing to wait for."""
    return Scheduler(Options(), clock, Cell(), needs_loop=False)


def test_a_close_that_an_edit_waits_for_ends_a_step_between_checks(
    scheduler: "Scheduler[object]", done: list[str]
) -> None:
    """The engine thread looks at the edit first; what was posted is done in the next step."""
    scheduler.admission.post(lambda: done.append("post"))
    scheduler.awaited = -1
    assert scheduler.has_drained
    Call(lambda: scheduler.step(None, requests=True)).result()
    assert done == []
    scheduler.awaited = None
    Call(lambda: scheduler.step(None, requests=True)).result()
    assert done == ["post"]


def test_during_a_check_posts_are_done_whatever_has_drained(
    scheduler: "Scheduler[object]", done: list[str]
) -> None:
    """While a job runs its end is a post: a step that let it lie would never see it."""
    scheduler.awaited = -1
    scheduler.admission.post(lambda: done.append("post"))
    Call(lambda: scheduler.step(None, requests=False)).result()
    assert done == ["post"]


def test_a_wanted_check_ends_a_step_only_between_checks(
    scheduler: "Scheduler[object]", clock: FakeClock
) -> None:
    """One that is asked for during a check waits for its end."""
    scheduler.admission.look_again()
    Call(lambda: scheduler.step(None, requests=True)).result()
    waiting = Call(lambda: scheduler.step(clock.monotonic() + 5.0, requests=False))
    waiting.join(0.05)
    assert waiting.waits
    clock.advance(5.0)
    waiting.result()


def test_closing_with_nothing_left_ends_a_step(
    scheduler: "Scheduler[object]", done: list[str]
) -> None:
    """Nothing more will be posted that ends it."""
    scheduler.closing = True
    Call(lambda: scheduler.step(None, requests=False)).result()
    assert done == []


@pytest.mark.parametrize(
    ("armed", "window", "enabled", "offered"),
    [
        (True, 1.0, True, True),
        (True, 0.001, True, True),
        (True, 0.0, True, False),
        (True, 0.0, False, True),
        (False, 1.0, True, False),
    ],
)
def test_who_may_go_on_without_asking(
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    armed: bool,
    window: float,
    enabled: bool,
    offered: bool,
) -> None:
    """Doors of a process that serves, where a result lasts: not before a request, not without."""
    options = Options(window=window, enabled=enabled)
    scheduler: Scheduler[object] = Scheduler(options, clock, Cell(), needs_loop=False)
    seen: list[float | None] = []
    monkeypatch.setattr(scheduler.serving, "offer", seen.append)
    scheduler.admission.serves_requests = armed
    scheduler.offer(7.0)
    assert seen == ([7.0] if offered else [])

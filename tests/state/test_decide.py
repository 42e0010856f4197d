"""The truth table: what is served, by content, order, start or run, and a store that is away."""

from itertools import product

import pytest

from reloadcheck._state.board import Ban, Hold, State
from reloadcheck._state.decide import Decision, Situation, decide

OLD, HELD, BANNED, UNDONE, NEW = "old", "held", "banned", "undone", "new"
KEPT = frozenset({OLD, HELD, BANNED, UNDONE})
HOLDS = {
    None: None,
    "rollback": Hold("rollback", HELD, 41),
    "pin": Hold("pin", HELD, 41),
    "fallback": Hold("fallback"),
}


def _state(kind: str | None, active: str = OLD) -> State:
    hold = HOLDS[kind]
    active = HELD if kind in ("rollback", "pin") else active
    banned = {BANNED: Ban(43, "dora", 1.0, "slow"), UNDONE: Ban(at=1.0, cause="undone")}
    return State(43, active, hold=hold, banned=banned)


def _running(kind: str | None, file: str | None) -> Decision:
    running = HELD if kind else OLD
    return decide(Situation(file, running, _state(kind), KEPT, fallback=HELD))


@pytest.mark.parametrize(
    ("file", "kind", "expected"),
    [
        (NEW, None, Decision(NEW)),
        (None, None, Decision(OLD, "config")),
        (BANNED, None, Decision(OLD, "banned")),
        (UNDONE, None, Decision(OLD, "banned")),
        (BANNED, "rollback", Decision(HELD, "banned", pending=True)),
        (UNDONE, "rollback", Decision(HELD, "banned", pending=True)),
        (HELD, "rollback", Decision(HELD, ends_hold=True)),
        (NEW, "rollback", Decision(NEW, ends_hold=True)),
        (None, "rollback", Decision(HELD, "config")),
        (NEW, "pin", Decision(HELD, "pinned", pending=True)),
        (BANNED, "pin", Decision(HELD, "pinned", pending=True)),
        (None, "pin", Decision(HELD, "pinned")),
        (HELD, "pin", Decision(HELD)),
        (NEW, "fallback", Decision(HELD, "fallback", pending=True)),
        (None, "fallback", Decision(HELD, "fallback")),
    ],
)
def test_a_running_worker(file: str | None, kind: str | None, expected: Decision) -> None:
    """Each row of the table, for a process that serves."""
    assert expected == _running(kind, file)


@pytest.mark.parametrize(
    ("file", "kind", "expected"),
    [
        (NEW, None, Decision(NEW)),
        (None, None, Decision(None, "booted-last-good")),
        (BANNED, None, Decision(OLD, "banned")),
        (UNDONE, None, Decision(OLD, "banned")),
        (BANNED, "rollback", Decision(HELD, "banned", pending=True)),
        (UNDONE, "rollback", Decision(HELD, "banned", pending=True)),
        (HELD, "rollback", Decision(HELD, ends_hold=True)),
        (NEW, "rollback", Decision(HELD, pending=True)),
        (None, "rollback", Decision(HELD, "config")),
        (NEW, "pin", Decision(HELD, "pinned", pending=True)),
        (None, "pin", Decision(HELD, "pinned")),
        (NEW, "fallback", Decision(HELD, "fallback", pending=True)),
    ],
)
def test_a_worker_that_starts(file: str | None, kind: str | None, expected: Decision) -> None:
    """Each row of the table, for a process that has nothing yet."""
    assert expected == decide(Situation(file, None, _state(kind), KEPT, fallback=HELD))


def test_the_last_good_boots_where_it_is_asked_for() -> None:
    """`boot="last-good"`: the last accepted, where the file is bad."""
    bad = Situation(None, None, _state(None), KEPT, last_good_boots=True)
    assert Decision(OLD, "booted-last-good") == decide(bad)


def test_a_banned_start_without_anything_kept_fails() -> None:
    """There is nothing to serve with, and what is banned is no way out."""
    assert Decision(None, "banned") == decide(Situation(BANNED, None, _state(None)))


def test_a_hold_that_cannot_be_built_stops_a_start_and_no_run() -> None:
    """A rolling deploy stops there; who runs goes on as before, and is behind."""
    start = decide(Situation(NEW, None, _state("pin")))
    assert (start.serve, start.behind) == (None, True)
    running = decide(Situation(NEW, OLD, _state("pin")))
    assert (running.serve, running.behind) == (OLD, True)


def test_who_starts_beside_others_serves_what_they_serve() -> None:
    """Whatever the file says; it follows the file with them, later."""
    assert decide(Situation(NEW, None, _state(None), KEPT, others=True)).serve == OLD
    assert decide(Situation(None, None, _state(None), KEPT, others=True)).serve == OLD


def test_orders_that_nobody_knows_count_as_none() -> None:
    """The store is away, and nothing was ever read of it: the file."""
    assert Decision(NEW) == decide(Situation(NEW, None, None))
    assert Decision(BANNED) == decide(Situation(BANNED, OLD, None))


def test_no_combination_breaks_a_rule() -> None:
    """Content × order × phase × what is kept × others × boot: what is banned is never served."""
    count = 0
    for file, kind, running, kept, others, last_good, away in product(
        (NEW, None, BANNED, HELD, OLD),
        HOLDS,
        (None, OLD, HELD),
        (KEPT, frozenset[str]()),
        (False, True),
        (False, True),
        (False, True),
    ):
        state = None if away else _state(kind)
        now = Situation(file, running, state, kept, others, last_good, fallback=HELD)
        decision = decide(now)
        count += 1
        if not away:
            assert decision.serve != BANNED, now
        if running is not None:
            assert decision.serve is not None, now
        if not away and kind in ("pin", "fallback"):
            assert decision.serve in (HELD, running), now
            assert not decision.ends_hold
        if decision.serve not in (None, running, file):
            assert decision.serve in kept, now
    assert count == 960

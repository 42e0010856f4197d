"""Workers that act as one keep their promises whatever happens; each wrong rule is noticed."""

from dataclasses import replace

import pytest

from reloadcheck._state.together import Kind, Vote

from .mutants import MUTANTS
from .schedules import run
from .small_worlds import Budget, Steady, explore
from .world import BrokenError, World


@pytest.mark.parametrize(
    "block", [*range(2), *(pytest.param(block, marks=pytest.mark.long) for block in range(2, 10))]
)
def test_random_schedules_keep_every_invariant(block: int) -> None:
    """Edits, orders, crashes, pauses, lost answers in 200 random orders (`-m long`: 1,000)."""
    for seed in range(block * 100, block * 100 + 100):
        run(seed)


@pytest.mark.parametrize("name", MUTANTS)
def test_each_wrong_rule_is_noticed(name: str) -> None:
    """An invariant that no wrong rule breaks would promise nothing."""
    mutant = MUTANTS[name]

    def schedules() -> None:
        for seed in (mutant.seed, *range(400)):  # the rest where the rules have changed since
            run(
                seed,
                reaction=mutant.reaction,
                unguarded=mutant.unguarded,
                stage=mutant.stage,
            )

    with pytest.raises(BrokenError):
        schedules()


@pytest.mark.parametrize(
    ("budget", "bad"),
    [
        (Budget(edits=2), False),
        (Budget(edits=2), True),
        (Budget(edits=1, crashes=1), False),
        (Budget(edits=1, deadlines=1), False),
        (Budget(edits=1, orders=1), False),
    ],
    ids=["edits", "bad edits", "a crash", "a deadline", "an order"],
)
def test_small_worlds_have_no_bad_state(budget: Budget, bad: bool) -> None:
    """Two workers, every interleaving: each state keeps the invariants, and leads to rest."""
    assert explore(budget, bad=bad) > 100


@pytest.mark.parametrize("seed", [79451, 80446])
def test_who_cannot_start_leaves(seed: int) -> None:
    """It had joined without being told, and an order then wants what it can never have."""
    run(seed)


def test_who_builds_another_edit_no_longer_has_the_one_before() -> None:
    """There and back again while a round is opened: it is not counted before it has built anew."""
    world = World(2, draw=Steady())
    opener, other = world.workers
    for worker in world.workers * 20:
        world.turn(worker)
    for worker in world.workers:
        worker.me = replace(worker.me, file="B")
    for _ in range(3):  # it looks, builds, and has looked again
        world.turn(other)
    assert (other.me.candidate, world.groups["1"].state.round) == ("B", None)
    other.me = replace(other.me, file="C")
    world.turn(other)
    assert other.me.building == "C"
    other.built_at = world.now + 1.0
    other.me = replace(other.me, file="B")
    for _ in range(6):
        world.turn(opener)
    opened = world.groups["1"].state.round
    assert opened is not None
    votes = world.groups["1"].votes
    assert {(opened.id, opener.me.id): Vote.PREPARED} == votes
    world.turn(other)
    action = world.turn(other)
    assert action is not None
    assert (action.kind, action.content) == (Kind.BUILD, "B")
    assert (opened.id, other.me.id) not in votes
    world.now += 2.0
    world.rest()
    world.judge_end()
    assert [worker.me.serving for worker in world.workers] == ["B", "B"]

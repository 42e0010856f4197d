"""Workers that act as one keep their promises whatever happens; each wrong rule is noticed."""

import pytest

from .mutants import MUTANTS
from .schedules import run
from .small_worlds import Budget, explore
from .world import BrokenError


@pytest.mark.parametrize("block", range(10))
def test_random_schedules_keep_every_invariant(block: int) -> None:
    """Edits, orders, crashes, pauses, cut-offs, lost answers, in 1,000 random orders."""
    for seed in range(block * 100, block * 100 + 100):
        run(seed)


@pytest.mark.parametrize("name", MUTANTS)
def test_each_wrong_rule_is_noticed(name: str) -> None:
    """An invariant that no wrong rule breaks would promise nothing."""
    mutant = MUTANTS[name]

    def schedules() -> None:
        for seed in range(400):
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

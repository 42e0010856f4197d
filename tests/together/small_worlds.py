"""Every order of events in a small world: two workers, few edits, few faults, no state left out."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from reloadcheck._state.board import State, View
from reloadcheck._state.together import Vote

from .world import DEADLINE, World, pin, rollback

Move = Callable[[World], None]


class Steady(random.Random):
    """A draw that draws nothing: builds take no time, clocks run right, answers arrive."""

    def random(self) -> float:
        """Return what loses no answer."""
        return 1.0

    def uniform(self, a: float, b: float) -> float:
        """Return the middle."""
        return (a + b) / 2

    def choice(self, seq: Any) -> Any:
        """Return the first."""
        return seq[0]


@dataclass(frozen=True)
class Budget:
    """How many of each event may still happen."""

    edits: int = 1
    crashes: int = 0
    deadlines: int = 0
    orders: int = 0


def explore(budget: Budget, *, bad: bool = False, ends: int = 100) -> int:
    """Visit each reachable state; from every so-many-th (`ends`) let all rest. Return how many."""
    world = World(2, draw=Steady())
    world.good = {"B": lambda _: Vote.FAILED_FOR_GOOD} if bad else {}
    seen = {_key(world, budget)}
    waiting = [(world, budget)]
    while waiting:
        world, budget = waiting.pop()
        for change, left in _moves(world, budget):
            after = world.copy()
            change(after)
            key = _key(after, left)
            if key in seen:
                continue
            seen.add(key)
            waiting.append((after, left))
            if len(seen) % ends == 0:
                end = after.copy()
                end.rest()
                end.judge_end()
    return len(seen)


def _moves(world: World, budget: Budget) -> Iterator[tuple[Move, Budget]]:
    for number in range(len(world.workers)):
        yield partial(_turn, number=number), budget
        if budget.crashes:
            left = replace(budget, crashes=budget.crashes - 1)
            yield partial(_crash, number=number), left
        if budget.edits:
            yield partial(_edit, number=number), replace(budget, edits=budget.edits - 1)
    if budget.deadlines:
        yield _wait, replace(budget, deadlines=budget.deadlines - 1)
    if budget.orders:
        for order in (pin, rollback("A")):
            left = replace(budget, orders=budget.orders - 1)
            yield partial(_order, order=order), left


def _turn(world: World, number: int) -> None:
    world.turn(world.workers[number])


def _edit(world: World, number: int) -> None:
    worker = world.workers[number]
    worker.me = replace(worker.me, file="B")


def _crash(world: World, number: int) -> None:
    world.crash(world.workers[number])


def _order(world: World, order: Callable[[State], State | None]) -> None:
    world.order("1", order)


def _wait(world: World) -> None:
    world.now += DEADLINE * 1.1
    for worker in world.workers:
        worker.beat = world.now


def _key(world: World, budget: Budget) -> object:
    """Return what makes two worlds one: revisions count by their order alone, names not at all."""
    group = world.groups["1"]
    views = [worker.view for worker in world.workers if worker.view is not None]
    states = [group.state, *(view.state for view in views)]
    numbers = {group.changed, world.revision, *(at for _, at in group.members.values())}
    numbers |= {number for view in views for number in (view.revision, view.state_revision)}
    numbers |= {state.round.id for state in states if state.round is not None}
    rank = {number: place for place, number in enumerate(sorted(numbers))}
    names = {worker.me.id: f"n{place}" for place, worker in enumerate(world.workers)}
    least = min((state.edition for state in states), default=0)

    def plain(state: State) -> object:
        opened = state.round
        number = None if opened is None else (rank[opened.id], names.get(str(opened.by)))
        refused = None if state.refused is None else replace(state.refused, attempt=0, by=())
        bare = replace(state, round=None, edition=state.edition - least, refused=refused)
        return repr(bare), number, None if opened is None else opened.content

    def seen(view: View | None) -> object:
        if view is None:
            return None
        members = sorted((names.get(m, m), one.content) for m, one in view.members.items())
        votes = sorted((names.get(m, m), vote) for m, vote in view.votes.items())
        revisions = rank[view.revision], rank[view.state_revision]
        return revisions, plain(view.state), tuple(members), tuple(votes)

    board = sorted(
        (names.get(m, m), one.content, rank[at]) for m, (one, at) in group.members.items()
    )
    opened = group.state.round
    votes = sorted(
        (names.get(m, m), vote)
        for (number, m), vote in group.votes.items()
        if opened is not None and number == opened.id
    )
    workers = [
        (
            repr(replace(w.me, id="", shown=None if w.me.shown is None else rank.get(w.me.shown))),
            seen(w.view),
            w.beat == world.now,
        )
        for w in world.workers
    ]
    return repr((workers, plain(group.state), rank[group.changed], board, votes, budget, world.now))

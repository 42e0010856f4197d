"""Random schedules: edits, orders and faults in any order, then rest; every invariant is kept."""

import random
from collections.abc import Callable
from dataclasses import replace

from reloadcheck._state.together import Vote, react, reads

from .world import Reaction, Stage, World, check, pin, retry, rollback, unban, unpin


def run(
    seed: int,
    *,
    reaction: Reaction = react,
    unguarded: frozenset[str] = frozenset(),
    stage: Stage = reads,
) -> World:
    """Run one schedule; raise `BrokenError` where an invariant does not hold."""
    draw = random.Random(seed)
    releases = ("1", "2") if draw.random() < 0.25 else ("1",)
    world = World(
        draw.randint(1, 5),
        draw=draw,
        reaction=reaction,
        need="all" if draw.random() < 0.7 else "quorum",
        releases=releases,
        unguarded=unguarded,
        stage=stage,
    )
    world.alone = draw.random() < 0.3
    world.good = {"C": _never_for_some(draw), "D": _sometimes(draw), "E": _never}
    world.unsure = draw.choice((0.0, 0.0, 0.1))
    faulty = draw.random() < 0.7
    for _ in range(draw.randint(60, 250)):
        world.now += draw.choice((0.0, 0.02, 0.1, 0.1, 1.0))
        _happen(world, draw, faulty=faulty)
        for worker in draw.sample(world.workers, draw.randint(1, len(world.workers))):
            world.turn(worker)
    world.rest()
    world.judge_end()
    check_calm(world)
    return world


def check_calm(world: World) -> None:
    """At rest nobody opens rounds for what was refused for good, again and again."""
    before = len(world.opened)
    for _ in range(300):
        world.now += 0.1
        for worker in world.workers:
            world.turn(worker)
    doomed = [release for release, _, content in world.opened[before:] if content == "E"]
    check(len(doomed) <= 2, "what failed for good is not tried again", doomed)


def _happen(world: World, draw: random.Random, *, faulty: bool) -> None:
    dice = draw.random()
    release = draw.choice(list(world.groups))
    worker = draw.choice(world.workers)
    if dice < 0.06:
        content = draw.choice(("A", "B", "B", "B", "C", "D", "E", None))
        for one in world.workers:
            if draw.random() < 0.8:
                one.me = replace(one.me, file=content)
    elif dice < 0.10:  # the laggards see it, too
        file = world.workers[0].me.file
        for one in world.workers:
            one.me = replace(one.me, file=file)
    elif dice < 0.14:
        order = draw.choice(
            (rollback("A"), rollback("B"), rollback("C"), pin, unpin, unpin, unban, retry)
        )
        world.order(release, order)
    elif faulty and dice < 0.16:
        world.crash(worker, release)  # a deploy, where there are two
    elif faulty and dice < 0.18:
        worker.paused_until = world.now + draw.choice((0.5, 3.0, 20.0, 40.0))
    elif faulty and dice < 0.20:
        worker.cut_until = world.now + draw.choice((0.5, 3.0, 20.0))
    elif dice < 0.24:
        for one in world.workers:
            if draw.random() < 0.8:
                world.rotate(one)


def _never(_: str) -> Vote | None:
    return Vote.FAILED_FOR_GOOD


def _never_for_some(draw: random.Random) -> Callable[[str], Vote | None]:
    bad = draw.randint(0, 3)
    return lambda who: Vote.FAILED_FOR_GOOD if int(who[1:]) % 4 == bad else None


def _sometimes(draw: random.Random) -> Callable[[str], Vote | None]:
    until = draw.randint(0, 4)
    tries: dict[str, int] = {}

    def verdict(who: str) -> Vote | None:
        tries[who] = tries.get(who, 0) + 1
        return Vote.FAILED if tries[who] <= until else None

    return verdict

"""Many trials, however they end, leave nothing behind: neither in memory nor in the store."""

from pathlib import Path

import pytest

from tests.support.scripts import run

TRIALS = """
import gc
from collections import Counter
from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeDraw, MemorySource, MemoryStore
from reloadcheck.trial import Trial
from tests.support.rig import until

source, store = MemorySource("a: 0"), MemoryStore(keep=5)
live = ReloadCheck(
    source, store=store, app="shop", settle=0, window=0,
    trial=Trial(shares=(0.5,), seconds=600, watch=600),
)
engine_of(live).trial.draw = lambda: FakeDraw(share=0.5)


@live.resource("a", name="pool")
def pool(a):
    return object()


def ask(bad=None):
    for _ in range(6):
        try:
            with live.lease(trial=True) as snapshot:
                if snapshot.config["a"] == bad:
                    live.mark("wrong")
                    raise KeyError
        except KeyError:
            continue


def tried(number):
    source.edit(f"a: {number}")
    until(lambda: live.check() is Outcome.TRYING and live.status().trial)
    ask()
    if number % 4 == 0:
        live.undo(reason="x")
    elif number % 4 == 1:  # watched when the next one comes
        live.promote()
        ask()
    elif number % 4 == 2:
        until(lambda: ask(number) or live.check() is Outcome.UNDONE)
    else:  # superseded by the next one
        pass


def counted():
    until(lambda: len(engine_of(live).thread.serving.live) <= 2)
    for _ in range(3):
        gc.collect()
    found = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    del found["reloadcheck._state.board.Ban"]
    return found


live.start()
for number in range(1, 51):
    tried(number)
before = counted()
for number in range(51, 101):
    tried(number)
after = counted()
say(str({name: grown for name, grown in (after - before).items() if grown >= 25}))
look = store.look("")
say(str(len(look.records) < 25))
live.close()
"""


@pytest.mark.long
def test_many_trials_leave_nothing(tmp_path: Path) -> None:
    """Objects of every type are as many after a hundred as after fifty, but the bans."""
    done = run(tmp_path, TRIALS)
    assert (done.status, done.said) == (0, ["{}", "True"]), done.output

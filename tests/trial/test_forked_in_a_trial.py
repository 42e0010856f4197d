"""A worker that is forked while an edit is tried or held back: a preloading server's next one."""

from pathlib import Path

import pytest

from tests.support.scripts import run

SITE = """
from reloadcheck._engine.api import engine_of
from reloadcheck._state import feed
from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import FakeDraw
from reloadcheck.trial import Trial
from tests.support.rig import until

feed._FIRST_LOOK_SECONDS = 20.0  # however slow the machine is
db = sys.argv[1] + "/store/reloadcheck.db"
live = ReloadCheck(
    CONFIG, settle=0, window=0.1, patience=40, store=db, app="shop",
    trial=Trial(shares=(0.5,), seconds=600, watch=0), together=TOGETHER,
)
engine_of(live).trial.draw = FakeDraw


@live.resource("a")
def owner(a):
    return who()


def ask(*, trial=False):
    with live.lease(trial=trial) as snapshot:
        return snapshot.config["a"], snapshot[owner]


live.start()
orders = Orders(SQLiteStore(db), app="shop")
until(lambda: orders.state().edition == 1)
"""

TRIED = """
CONFIG.write_text("a: 2")
until(lambda: live.check() and live.status().trial)
until(lambda: all(one.pending for one in orders.members().values()))
assert (ask(), ask(trial=True)) == ((1, "parent"), (2, "parent"))


def work():
    assert ask() == (1, "child"), ask()
    until(lambda: live.check() and live.status().trial)
    assert (ask(), ask(trial=True)) == ((1, "child"), (2, "child"))
    board = SQLiteStore(db)
    until(lambda: sum("/trial/" in name for name in board.look("shop/").records) == 2)
    if LEAVES:
        live.close()


assert child(work) == 0
if LEAVES:
    until(lambda: len(orders.members()) == 1)
else:
    until(lambda: str(live.check()) == "undone")
    assert live.status().code == "worker-lost"
assert (ask(), bool(live.status().trial)) == ((1, "parent"), LEAVES)
live.close()
"""

FROZEN = """
orders.freeze(why="sale")
CONFIG.write_text("a: 2")
until(lambda: live.check() and live.status().code == "frozen")


def work():
    assert ask() == (1, "child"), ask()
    live.close()


assert child(work) == 0
live.check()
assert ask() == (1, "parent")
live.close()
"""


@pytest.mark.parametrize("together", [None, "all"])
@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "lost"])
def test_a_child_tries_what_is_tried(tmp_path: Path, together: str | None, leaves: bool) -> None:
    """It serves what the others serve, and has a share of the edit; its death undoes it."""
    done = run(tmp_path, f"TOGETHER, LEAVES = {together!r}, {leaves}\n{SITE}{TRIED}")
    assert (done.status, done.said) == (0, []), done.output


def test_a_child_serves_no_edit_that_is_held_back(tmp_path: Path) -> None:
    """Its parent's start is not its own: it is asked about what it starts with."""
    done = run(tmp_path, f"TOGETHER = None\n{SITE}{FROZEN}")
    assert (done.status, done.said) == (0, []), done.output

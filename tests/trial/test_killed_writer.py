"""Who writes down that an edit is undone is killed at it: it stays undone all the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import SQLiteStore

from .dying import STORE, Worker

Starting = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starting]:
    """Return how to start a worker of the site; all are ended with the test."""
    made: list[Worker] = []

    def starting(together: str = "off", part: str = "", when: str = "") -> Worker:
        made.append(Worker(tmp_path, together, part, when))
        return made[-1]

    (tmp_path / "config.yaml").write_text("a: 1")
    yield starting
    for one in made:
        one.kill()


def _edit(directory: Path) -> None:
    new = directory / "new"
    new.write_text("a: 2")
    new.rename(directory / "config.yaml")


@pytest.mark.parametrize("together", ["off", "all"])
@pytest.mark.parametrize("stage", ["trial", "watch"])
def test_the_last_worker_dies_when_it_has_written_the_verdict(
    start: Starting, tmp_path: Path, stage: str, together: str
) -> None:
    """A restart does not serve what was undone, and none is left who could have written a ban."""
    worker = start(together, "/verdict/", "after")
    assert worker.says(1, "unchanged")
    _edit(tmp_path)
    assert worker.says(1, "trying")
    if stage == "watch":
        worker.order("promote")
        assert worker.says(2, "unchanged")
    worker.order("undo")
    assert worker.ended() < 0
    again = start(together)
    assert again.says(1, "undone"), again.told
    assert {value for value, _ in again.told} == {1}
    store = SQLiteStore(tmp_path / STORE)
    state = Orders(store, app="shop").state()
    assert [(ban.cause, ban.why) for ban in state.banned.values()][0][0] == "undone"
    assert state.active not in state.banned
    store.close()

"""Who writes down that an edit is undone is killed at it: it stays undone all the same."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


def _long(*values: str) -> Any:
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("stage", "together"),
    [("trial", "off"), ("watch", "all"), _long("trial", "all"), _long("watch", "off")],
)
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
    assert again.says(1, "undone")
    assert {value for value, _ in again.told} == {1}
    _is_banned(tmp_path)


@pytest.mark.parametrize(
    ("part", "when"),
    [
        ("/verdict/", "before"),
        _long("/verdict/", "after"),
        *(_long(part, when) for part in ("/entry/r/", "/trial/") for when in ("before", "after")),
    ],
)
def test_the_others_undo_it_wherever_the_one_who_decided_is_killed(
    start: Starting, tmp_path: Path, part: str, when: str
) -> None:
    """Before it is written that is a lost worker, after it what it has told; a ban stands."""
    writer, *others = start("off", part, when), start(), start()
    for each in (writer, *others):
        assert each.says(1, "unchanged")
    _edit(tmp_path)
    for each in (writer, *others):
        assert each.says(1, "trying")
    writer.order("undo")
    assert writer.ended() < 0
    for each in others:
        assert each.says(1, "undone")
    _is_banned(tmp_path)
    late = start()
    assert late.says(1, "undone")
    for each in (late, *others):
        each.kill()
    again = start()
    assert again.says(1, "undone")
    assert {value for each in (*others, late, again) for value, _ in each.told} == {1}


def _is_banned(directory: Path) -> None:
    store = SQLiteStore(directory / STORE)
    state = Orders(store, app="shop").state()
    store.close()
    assert [ban.cause for ban in state.banned.values()] == ["undone"]
    assert state.active not in state.banned

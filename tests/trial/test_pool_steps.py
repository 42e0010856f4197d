"""One worker's part in the trial of all, step by step: what it writes, hears and is asked for."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import pytest

from reloadcheck._state.trial_pool import TRIALS, VERDICTS, Pool
from reloadcheck.seams.trial import Counted, Verdict
from reloadcheck.testing import MemoryStore
from reloadcheck.types import Board

UNDO = Verdict("undo", "undone-failed", "undone: version 2")
PROMOTE = Verdict("promote", "", "it is good")
OWN = f"shop/{TRIALS}d/me"


class _Worker:
    """One that takes its steps whenever it is woken, or by a test."""

    def __init__(self, *, is_woken: bool = False) -> None:
        self.board = MemoryStore()
        self.woken = 0
        self._is_woken = is_woken
        self.pool = Pool(self.board, self._wake, lambda: None, lambda: self.look().revision)

    def _wake(self) -> None:
        self.woken += 1
        if self._is_woken:
            self.step()

    def look(self) -> Board:
        """Return what is on the board."""
        board = self.board.look("shop/")
        assert board is not None
        return board

    def step(self) -> None:
        """Take part until nothing is to be written."""
        while self.pool.step(self.look(), "shop/", "me"):
            pass

    def says(self, verdict: Verdict, digest: str = "d") -> None:
        """Have another worker decide."""
        self.board.put({f"shop/{VERDICTS}{digest}/trial": json.dumps(asdict(verdict))})

    @property
    def records(self) -> Mapping[str, str]:
        """What is written."""
        return {name: one.value for name, one in self.look().records.items()}


def test_what_is_new_is_told_at_once() -> None:
    """And the store is left alone while there is nothing new, however often it is said."""
    worker = _Worker(is_woken=True)
    worker.pool.begin("d")
    before = worker.woken
    worker.pool.tell(Counted(units=3))
    assert json.loads(worker.records[OWN])["units"] == 3
    worker.pool.tell(Counted(units=3))
    assert worker.woken == before + 1


def test_a_verdict_is_written_before_it_is_given() -> None:
    """Whoever hears it from here finds it in the store; it takes no more than one look."""
    worker = _Worker(is_woken=True)
    worker.pool.begin("d")
    before = worker.woken
    assert worker.pool.decide(UNDO) == UNDO
    assert json.loads(worker.records[f"shop/{VERDICTS}d/trial"]) == asdict(UNDO)
    assert worker.woken == before + 1


def test_who_was_faster_has_decided() -> None:
    """What this worker would have said is written by nobody."""
    worker = _Worker(is_woken=True)
    worker.pool.begin("d")
    worker.says(PROMOTE)
    assert worker.pool.decide(UNDO) == PROMOTE
    assert json.loads(worker.records[f"shop/{VERDICTS}d/trial"]) == asdict(PROMOTE)


def test_without_a_store_that_answers_it_decides_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a moment."""
    monkeypatch.setattr("reloadcheck._state.trial_pool.ANSWER_SECONDS", 0.04)
    worker = _Worker()
    worker.pool.begin("d")
    assert worker.pool.decide(UNDO) == UNDO
    assert worker.records == {}


def test_who_leaves_is_gone_from_the_store_at_once() -> None:
    """And is told of by nobody; the next trial finds it again, though nothing is counted yet."""
    worker = _Worker(is_woken=True)
    worker.pool.begin("d")
    assert (list(worker.records), worker.pool.is_on) == ([OWN], True)
    worker.pool.leave()
    assert (list(worker.records), worker.pool.is_on) == ([], False)
    worker.pool.begin("d")
    assert list(worker.records) == [OWN]
    worker.pool.begin("e")
    assert list(worker.records) == [f"shop/{TRIALS}e/me"]


def test_what_was_said_before_it_began_is_not_heard() -> None:
    """Not even by a look between its beginning and its first step."""
    worker = _Worker()
    worker.says(UNDO)
    worker.pool.begin("d")
    worker.pool.hear(worker.look(), "shop/")
    assert worker.pool.verdict() is None
    worker.step()
    worker.says(PROMOTE)
    worker.pool.hear(worker.look(), "shop/")
    assert worker.pool.verdict() == PROMOTE

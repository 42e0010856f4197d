"""Finding something out once for several processes."""

import threading
from pathlib import Path

import pytest

from . import once as module
from .once import once


def test_the_second_waits_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first one finds out is what the second one gets, and it is found out once."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    begun, go_on = threading.Event(), threading.Event()
    calls: list[int] = []
    got: list[int] = []

    def work() -> int:
        begun.set()
        assert go_on.wait(30)
        calls.append(1)
        return 7

    def ask(worker: str) -> None:
        got.append(once("thing", tmp_path / worker, work))

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in ("gw0", "gw1")]
    threads[0].start()
    assert begun.wait(30)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert (calls, got) == ([1], [7, 7])


def test_all_hear_of_a_failure_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would wait for what is not found out learns why, without a wait."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")

    def work() -> int:
        raise OSError("no port is free")

    with pytest.raises(OSError, match="no port is free"):
        once("thing", tmp_path / "gw0", work)
    with pytest.raises(AssertionError, match="no port is free"):
        once("thing", tmp_path / "gw1", work)


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that failed to find it out is told of."""
    monkeypatch.setattr(module, "SECONDS", 0.0)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    (tmp_path / "thing.begun").mkdir()
    with pytest.raises(AssertionError, match="thing"):
        once("thing", tmp_path, lambda: 7)

"""What several tests of the store's rooms start from: workers that act as one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reloadcheck._state.keeper import Keeper

from .crew import Crew


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """Workers that are ended with the test."""
    crew = Crew(tmp_path)
    yield crew
    for worker in crew.workers:
        worker.gate.set()
        worker.store.heal()
        worker.live.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many seconds starts were ready to wait for a store, in turn."""
    waits: list[float] = []
    first_look = Keeper.first_look

    def watched(self: Keeper, seconds: float) -> bool:
        waits.append(seconds)
        return first_look(self, seconds)

    monkeypatch.setattr(Keeper, "first_look", watched)
    return waits

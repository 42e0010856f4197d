"""What several tests of the store's rooms start from: workers that act as one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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

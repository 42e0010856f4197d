"""Every store does what a store must do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import STORE_CHECKS, MemoryStore, OpenStore


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_a_memory_store_conforms(check: Callable[[OpenStore], None]) -> None:
    """Tests of applications share a store that behaves as the real ones do."""
    check(MemoryStore(ttl=0.5).peer)


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_a_sqlite_store_conforms(check: Callable[[OpenStore], None], tmp_path: Path) -> None:
    """A file is a board for all processes of a host."""
    check(lambda: SQLiteStore(tmp_path / "made" / "store.db", ttl=0.5))

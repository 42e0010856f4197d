"""A process that ends by itself leaves the board, though nobody has closed its engine."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from reloadcheck import Orders
from reloadcheck.stores import SQLiteStore

WORKER = """
import sys, time
from reloadcheck import ReloadCheck
live = ReloadCheck("config.yaml", store="store.db", app="shop", settle=0)
live.start()
until = time.monotonic() + 20
while live.status().store.edition is None and time.monotonic() < until:
    time.sleep(0.01)
sys.exit(0)
"""


def test_who_ends_without_a_close_is_missed_by_nobody(tmp_path: Path) -> None:
    """Neither a member until its time to live is over, nor among the lost after that."""
    (tmp_path / "config.yaml").write_text("a: 1\n")
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", WORKER], cwd=tmp_path, check=False, timeout=60)
        assert done.returncode == 0
    with closing(SQLiteStore(tmp_path / "store.db")) as store:
        fleet = Orders(store, app="shop").fleet()
    assert (fleet.edition, fleet.members) == (1, ())

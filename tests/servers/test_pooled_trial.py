"""Four real workers and one trial: undone everywhere by what all have seen, or by a death."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck import Code, Orders
from reloadcheck.stores import SQLiteStore
from tests.support.lateness import watched
from tests.support.load import until
from tests.support.servers import serving
from tests.trial.test_on_servers import RATE, Visitors, answer

pytestmark = pytest.mark.alone

COMMAND = ["gunicorn", "tests.trial.tried_wsgi:app", "--bind", "127.0.0.1:0", "-k", "gthread",
           "--threads", "4", "--workers", "4"]  # fmt: skip


HEARD_SECONDS, LOST_SECONDS = 0.5, 1.0
"""Within so long a verdict is heard by all, and a death undoes everywhere."""

MOST_FAILED = 12

TOO_LATE = Code.UNDONE_BEFORE, Code.BANNED


def test_one_verdict_is_heard_by_four_workers(tmp_path: Path) -> None:
    """All failing is undone on all within half a second; a killed worker undoes it, in one.

    That is so where whoever sleeps is woken in time, which a busy machine may not do.
    """
    config, path = tmp_path / "config.yaml", tmp_path / "store.db"
    config.write_text("number: 1\nevery: 0\n")
    environ = {
        "TRIED_CONFIG": str(config),
        "RELOAD_CHECK_STORE": str(path),
        "RELOAD_CHECK_APP": "shop",
    }
    with serving([sys.executable, "-m", *COMMAND], environ, tmp_path) as server:
        orders = Orders(SQLiteStore(path), app="shop")
        visitors = Visitors(server.port)
        try:
            until(lambda: path.exists() and len(orders.members()) == 4, 40.0)
            config.write_text("number: 2\nevery: 1\n")
            with watched() as machine:
                spread = _undone(orders, "undone-failed")
            assert spread <= HEARD_SECONDS + machine.excuses
            most = MOST_FAILED + RATE * machine.excuses  # they come while nobody wakes
            failed = visitors.seen["500"]
            until(lambda: len(orders.state().banned) == 1)
            config.write_text("number: 3\nevery: 0\n")
            until(lambda: _outcomes(orders) == ["trying"] * 4)
            with watched() as machine:
                os.kill(next(iter(orders.members().values())).pid, signal.SIGKILL)
                killed = time.monotonic()
                _undone(orders, "worker-lost", workers=3)
            assert time.monotonic() - killed <= LOST_SECONDS + machine.excuses
        finally:
            visitors.stop()
        assert answer(server.port) == "1"
        assert failed <= most
        assert visitors.seen["3"] < visitors.seen["1"]


def _outcomes(orders: Orders, of: Callable[[object], object] | None = None) -> list[str]:
    return [str(one.outcome) for one in orders.members().values()]


def _undone(orders: Orders, code: str, workers: int = 4) -> float:
    """Wait until all have undone it; return the seconds between the first and the last.

    Who looked at its file only after the verdict has never tried it, and has nothing to undo.
    """
    at: list[float] = []

    def all_have() -> bool:
        codes = [one.code for one in orders.members().values()]
        at.extend([time.monotonic()] * (codes.count(code) - len(at)))
        return bool(at) and len(at) + sum(map(codes.count, TOO_LATE)) >= workers

    until(all_have, 40.0)
    return at[-1] - at[0]

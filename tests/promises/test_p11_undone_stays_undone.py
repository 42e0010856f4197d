"""P11. Undone stays undone: over restarts, in new workers, until the bytes change or `retry`."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Orders
from reloadcheck.stores import SQLiteStore
from tests.support.load import until
from tests.support.servers import Server, serving
from tests.trial.test_on_servers import Visitors, answer, status

COMMAND = [
    *(sys.executable, "-m", "gunicorn", "tests.trial.tried_wsgi:app", "--workers", "2"),
    *("--bind", "127.0.0.1:0", "-k", "gthread", "--threads", "4"),
]
GOOD = "number: 1\nevery: 0\n"
BAD = "number: 2\nevery: 1\n"


class Site:
    """Two workers of one application with a store, which a test starts more than once."""

    def __init__(self, directory: Path) -> None:
        self.config = directory / "config.yaml"
        self.config.write_text(GOOD)
        self.store = directory / "private" / "store.db"
        self.orders = Orders(SQLiteStore(self.store), app="shop")
        self._directory = directory

    def serving(self) -> Any:
        """Serve until the block ends."""
        environ = {
            "TRIED_CONFIG": str(self.config),
            "RELOAD_CHECK_STORE": str(self.store),
            "RELOAD_CHECK_APP": "shop",
        }
        return serving(COMMAND, environ, self._directory)

    def outcomes(self, server: Server) -> dict[int, str]:
        """Return what each worker that serves made of the file, by its pid."""
        told = [(answer(server.port), status(server.port))[1] for _ in range(8)]
        return {one["process"]["pid"]: one["outcome"] for one in told if one["version"]}

    def codes(self, server: Server) -> set[str | None]:
        """Return why what is written is not live."""
        return {status(server.port)["code"] for _ in range(8)}


@pytest.fixture
def undone(tmp_path: Path) -> Iterator[tuple[Site, Server]]:
    """A site whose workers have taken an edit back."""
    site = Site(tmp_path)
    with site.serving() as server:
        until(lambda: len(site.outcomes(server)) == 2)
        visitors = Visitors(server.port)
        try:
            site.config.write_text(BAD)
            until(lambda: list(site.outcomes(server).values()) == ["undone", "undone"], 40.0)
        finally:
            visitors.stop()
        yield site, server


def test_no_new_worker_serves_what_was_undone(undone: tuple[Site, Server]) -> None:
    """Not one that is started with the file as it is, nor one that takes a dead one's place.

    A comment is no other content; other content is tried, and so is the same one after `retry`.
    """
    site, server = undone
    server.stop()
    until(lambda: site.orders.members() == {})  # nobody is left to ask
    with site.serving() as again:
        until(lambda: len(site.outcomes(again)) == 2)
        assert {answer(again.port) for _ in range(40)} == {"1"}
        before = set(site.outcomes(again))
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(set(site.outcomes(again)) - before) == 1)
        assert {answer(again.port) for _ in range(40)} == {"1"}
        site.config.write_text(f"# {BAD}{BAD}")
        until(lambda: None not in site.codes(again))
        assert {answer(again.port) for _ in range(40)} == {"1"}
        site.config.write_text(BAD.replace("2", "3"))
        until(lambda: "trying" in site.outcomes(again).values())
        site.config.write_text(BAD)
        until(lambda: "trying" not in site.outcomes(again).values())
        site.orders.retry()
        until(lambda: "trying" in site.outcomes(again).values())

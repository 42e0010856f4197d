"""Behind real servers an edit that breaks a page is rejected before a single user gets it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Server, serving

from .test_on_servers import SERVERS, Visitors, answer, status, until


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """One worker of a real server whose contract names a page."""
    config, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    config.write_text("number: 1\nevery: 0\n")
    contract.write_text("reloadcheck: 1\nrehearse: [GET /]\n")
    command = [sys.executable, "-m", *SERVERS[request.param]]
    environ = {"TRIED_CONFIG": str(config), "RELOAD_CHECK_CONTRACT": str(contract)}
    with serving(command, environ, tmp_path) as server:
        yield server, config


def test_no_user_sees_what_a_rehearsal_finds(server: tuple[Server, Path]) -> None:
    """Rejected with the page that failed; a good edit is rehearsed, then tried."""
    rig, config = server
    assert answer(rig.port) == "1"
    visitors = Visitors(rig.port)
    try:
        config.write_text("number: 2\nevery: 1\n")
        until(lambda: status(rig.port)["code"] == "rehearsal", 30.0)
        told = status(rig.port)
        config.write_text("number: 3\nevery: 0\n")
        until(lambda: status(rig.port)["outcome"] == "trying", 30.0)
    finally:
        visitors.stop()
    assert told["outcome"] == "rejected"
    assert "rehearsal GET /: " in told["error"]
    assert set(visitors.seen) <= {"1", "3"}

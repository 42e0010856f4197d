"""Behind real servers a wrong answer with status 200 takes an edit back; clients notice nothing."""

import re
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.servers import serving

from .test_on_servers import SERVERS, Visitors, answer, status, until

KINDS = SERVERS | {
    "gevent": ["gunicorn", "tests.trial.tried_wsgi:app", "--bind", "127.0.0.1:0", "-k", "gevent",
               "--workers", "2"],
}  # fmt: skip
"""The last one has two workers, which share a store, and so one trial."""


@pytest.mark.parametrize(
    "name", [*sorted(SERVERS), pytest.param("gevent", marks=pytest.mark.alone)]
)
def test_a_wrong_answer_takes_an_edit_back(name: str, tmp_path: Path) -> None:
    """Undone by seven requests made again; no answer and no cookie of theirs reaches a client."""
    config = tmp_path / "config.yaml"
    config.write_text("number: 1\nevery: 0\n")
    command = [sys.executable, "-m", *KINDS[name]]
    environ = {"TRIED_CONFIG": str(config), "TRIED_SHADOW": "/*"}
    if name == "gevent":
        store = {"RELOAD_CHECK_STORE": str(tmp_path / "store.db"), "RELOAD_CHECK_APP": "shop"}
        environ |= store
    with serving(command, environ, tmp_path) as rig:
        assert answer(rig.port) == "1"
        visitors = Visitors(rig.port)
        try:
            config.write_text("number: 2\nevery: 0\n")
            until(lambda: {status(rig.port)["outcome"] for _ in range(8)} == {"undone"}, 30.0)
            told = status(rig.port)
            with urllib.request.urlopen(f"http://127.0.0.1:{rig.port}/", timeout=30) as response:
                cookies = response.headers.get_all("Set-Cookie")
        finally:
            visitors.stop()
    assert told["code"] == "undone-shadow"
    assert "First: GET / → another body from byte 1 on. Version 1 serves." in told["error"]
    counted = re.search(r"of (\d+) requests made again", told["error"])  # over all workers
    assert counted is not None
    assert int(counted[1]) >= 7
    assert set(visitors.seen) <= {"1", "2"}
    assert visitors.seen["1"] > visitors.seen["2"]
    assert cookies == ["asked=user"]

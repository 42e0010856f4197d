"""What each adapter brings into a process: its own stack, and nothing of the other one."""

import subprocess
import sys

import pytest

from tests.support.servers import ROOT

ASGI, WSGI = frozenset({"starlette", "fastapi"}), frozenset({"werkzeug", "flask"})


def imported(module: str) -> set[str]:
    """Return the top-level packages that `python -X importtime` lists for an app on a framework."""
    code = f"import {module}, reloadcheck.integrations.{module}"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "reloadcheck" in names
    return names


@pytest.mark.parametrize(
    ("module", "foreign"),
    [("starlette", WSGI | {"fastapi"}), ("fastapi", WSGI), ("flask", ASGI)],
)
def test_an_adapter_stays_with_its_stack(module: str, foreign: frozenset[str]) -> None:
    """An ASGI adapter never imports werkzeug, a WSGI adapter never starlette."""
    names = imported(module)
    assert module in names
    assert set() == names & foreign

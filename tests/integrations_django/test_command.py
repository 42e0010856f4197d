"""`manage.py reloadcheck`, as an operator types it: the answer and the exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.servers import ROOT

from .site import write

MANAGE = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
settings.configure(
    INSTALLED_APPS=["reloadcheck.integrations.django"],
    MIDDLEWARE=["reloadcheck.integrations.django.middleware.ReloadCheckMiddleware"],
    RELOAD_CHECK={"SOURCES": [sys.argv.pop()], "RESOURCES": "tests.integrations_django.resources"},
    SILENCED_SYSTEM_CHECKS=[],
)
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def manage(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run `manage.py` of a small site; the last word is its configuration file."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", MANAGE, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("validate", ": valid\n"),
        ("check", ": valid; built and closed again: doubled\n"),
        ("status", "doubled (1 open)"),
    ],
)
def test_a_good_configuration_is_status_0(tmp_path: Path, question: str, answer: str) -> None:
    """Each question is answered on standard output."""
    write(tmp_path / "config.yaml", 1)
    done = manage("reloadcheck", question, str(tmp_path / "config.yaml"))
    assert (0, "") == (done.returncode, done.stderr)
    assert answer in done.stdout


@pytest.mark.parametrize("question", ["validate", "check", "status"])
def test_a_bad_configuration_is_status_1(tmp_path: Path, question: str) -> None:
    """The cause is told at file:line:column, without a traceback."""
    (tmp_path / "config.yaml").write_text("number: 1\nnumber: 2\n")
    done = manage("reloadcheck", question, str(tmp_path / "config.yaml"))
    assert (1, "") == (done.returncode, done.stdout)
    assert f"{tmp_path}/config.yaml:2:1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reloadcheck", "config.yaml"], "usage: manage.py reloadcheck"),
        (["reloadcheck", "stauts", "config.yaml"], "invalid choice: 'stauts'"),
        (["reloadcheck", "check", "config.ini"], "config.ini"),
    ],
    ids=["no question", "a question that does not exist", "settings that cannot be meant"],
)
def test_wrong_usage_is_status_2(words: list[str], said: str) -> None:
    """What cannot be understood, also in the settings, is told apart from a bad configuration."""
    done = manage(*words)
    assert (2, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_check_runs_the_system_checks(tmp_path: Path) -> None:
    """`manage.py check` shows our checks with their ids and hints, and fails for an error."""
    done = manage("check", str(tmp_path / "missing.yaml"))
    assert 1 == done.returncode
    assert "(reloadcheck.E001)" in done.stderr
    assert "HINT: create it, or change RELOAD_CHECK['SOURCES']" in done.stderr

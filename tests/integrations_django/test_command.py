"""`manage.py reloadcheck`, as an operator types it: the answer and the exit status."""

import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import execute_from_command_line, get_commands

from .site import declared, write

RESOURCES = "tests.integrations_django.resources"


def manage(file: Path, *words: str, **given: Any) -> int:
    """Run `manage.py` of a small site; give its status."""
    commands: Any = get_commands
    commands.cache_clear()
    with declared(file, **given):
        try:
            execute_from_command_line(["manage.py", *words])
        except SystemExit as ended:
            return int(ended.code or 0)
        finally:
            commands.cache_clear()
    return 0


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("validate", ": valid\n"),
        ("check", ": valid; built and closed again: doubled\n"),
        ("status", "doubled (1 open)"),
    ],
)
def test_a_good_configuration_is_status_0(
    tmp_path: Path,
    question: str,
    answer: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each question is answered on standard output."""
    write(tmp_path / "config.yaml", 1)
    monkeypatch.delitem(sys.modules, RESOURCES, raising=False)
    assert 0 == manage(tmp_path / "config.yaml", "reloadcheck", question, resources=RESOURCES)
    said = capsys.readouterr()
    assert answer in said.out
    assert "" == said.err


@pytest.mark.parametrize("question", ["validate", "check", "status"])
def test_a_bad_configuration_is_status_1(
    tmp_path: Path, question: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cause is told at file:line:column, without a traceback."""
    (tmp_path / "config.yaml").write_text("number: 1\nnumber: 2\n")
    assert 1 == manage(tmp_path / "config.yaml", "reloadcheck", question)
    said = capsys.readouterr()
    assert f"{tmp_path}/config.yaml:2:1" in said.err
    assert "" == said.out


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        ([], {}, "usage: manage.py reloadcheck"),
        (["stauts"], {}, "invalid choice: 'stauts'"),
        (["check"], {"widnow": 1}, "'widnow'] is none of"),
    ],
    ids=["no question", "a question that does not exist", "settings that cannot be meant"],
)
def test_wrong_usage_is_status_2(
    tmp_path: Path,
    words: list[str],
    given: dict[str, Any],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be understood, also in the settings, is told apart from a bad configuration."""
    write(tmp_path / "config.yaml", 1)
    assert 2 == manage(tmp_path / "config.yaml", "reloadcheck", *words, **given)
    assert said in capsys.readouterr().err


def test_check_runs_the_system_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`manage.py check` shows our checks with their ids and hints, and fails for an error."""
    assert 1 == manage(tmp_path / "missing.yaml", "check")
    said = capsys.readouterr().err
    assert "(reloadcheck.E001)" in said
    assert "HINT: create it, or change RELOAD_CHECK['SOURCES']" in said

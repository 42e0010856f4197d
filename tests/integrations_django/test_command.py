"""`manage.py reloadcheck`, as an operator types it: the answer and the exit status."""

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import execute_from_command_line, get_commands

from reloadcheck.stores import SQLiteStore
from tests.support.servers import ROOT

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
    assert manage(tmp_path / "config.yaml", "reloadcheck", question, resources=RESOURCES) == 0
    said = capsys.readouterr()
    assert answer in said.out
    assert said.err == ""


@pytest.mark.parametrize("question", ["validate", "check", "status"])
def test_a_bad_configuration_is_status_1(
    tmp_path: Path, question: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cause is told at file:line:column, without a traceback."""
    (tmp_path / "config.yaml").write_text("number: 1\nnumber: 2\n")
    assert manage(tmp_path / "config.yaml", "reloadcheck", question) == 1
    said = capsys.readouterr()
    assert f"{tmp_path}/config.yaml:2:1" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        ([], {}, "usage: manage.py reloadcheck"),
        (["stauts"], {}, "there is no stauts; did you mean status?"),
        (["frobnicate"], {}, "there is no frobnicate; there are approve, check,"),
        ([], {}, "name a QUESTION, `check` for example"),
        (["check"], {"widnow": 1}, "WINDOW; did you mean 'WINDOW'?"),
    ],
    ids=["help", "misspelt", "none like it", "no question", "settings that cannot be meant"],
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
    assert manage(tmp_path / "config.yaml", "reloadcheck", *words, **given) == 2
    assert said in capsys.readouterr().err


def told(site: Path, *words: str) -> tuple[int, str, str]:
    """Run a command in the directory of the example, as an operator does."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *words],
        cwd=site,
        env={"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "mysite.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example's site, and an edit of its file beside it."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "examples" / "django_site", site)
    edit = (site / "config.yaml").read_text().replace("site.sqlite3", "other.sqlite3")
    (site / "edit.yaml").write_text(edit)
    return site


MANAGE = ["manage.py", "reloadcheck"]
CLI = ["-m", "reloadcheck"]
APP_OF = ["--app", "reloadcheck.integrations.django:live"]


@pytest.mark.parametrize(("command", "app"), [(MANAGE, []), (CLI, APP_OF)], ids=["manage", "cli"])
def test_the_command_line_knows_the_site(example: Path, command: list[str], app: list[str]) -> None:
    """`diff` names what an edit rebuilds of the site: its connections, and its own resources."""
    status, said, _ = told(example, *command, "diff", "config.yaml", "edit.yaml", *app)
    assert (status, "rebuilds  django.databases.default" in said) == (0, True)
    assert "keeps     api" in said
    status, said, _ = told(example, *command, "explain", "database.name", *app)
    assert (status, f"{example}/config.yaml:3:9" in said) == (0, True)
    status, said, _ = told(example, *command, "validate", "edit.yaml", *app)
    assert (status, said.startswith("OK: edit.yaml")) == (0, True)
    status, said, _ = told(example, *command, "doctor", *app)
    assert (status in (0, 1), "Settings is read by pydantic" in said) == (True, True)


def test_what_a_store_knows_is_asked_of_the_sites_own(example: Path) -> None:
    """`"STORE"` in `RELOAD_CHECK` is what `history`, `rollback` and the like are about."""
    settings = example / "mysite" / "settings.py"
    line = '    "STORE": BASE_DIR / "store.db",\n    "SCHEMA"'
    settings.write_text(settings.read_text().replace('    "SCHEMA"', line))
    with closing(SQLiteStore(example / "store.db")) as store:
        store.look("site/")  # there is a file, as the site's first start leaves it
    status, said, _ = told(example, *MANAGE, "freeze", "--why", "a quiet evening")
    assert status == 0, said
    status, said, _ = told(example, *MANAGE, "history", "--json")
    assert (status, "a quiet evening" in said) == (0, True)


def test_wrong_words_end_as_on_the_command_line(example: Path) -> None:
    """The exit status and the sentence are `reloadcheck`'s own; Django's options are Django's."""
    status, _, said = told(example, *MANAGE, "explain", "--settings", "mysite.settings")
    assert (status, "explain: error: " in said) == (2, True)
    status, _, said = told(example, *MANAGE, "validate", "missing.yaml")
    assert status == 1
    status, said, _ = told(example, *MANAGE, "status", "http://127.0.0.1:1/page", "--timeout", "5")
    assert (status, said.startswith("UNREACHABLE")) == (3, True)


def test_a_site_that_cannot_be_set_up_is_told_at_its_line(example: Path) -> None:
    """The command line says where the site's own code fails, and does not quote the error."""
    broken = "from django.db import models\nraise ValueError('a secret')\n"
    (example / "mysite" / "models.py").write_text(broken)
    status, said, error = told(example, *CLI, "explain", "database.name", *APP_OF)
    assert (status, said) == (2, "")
    assert f"setting Django up raised ValueError at {example}/mysite/models.py:2" in error
    assert "secret" not in error


def test_check_runs_the_system_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`manage.py check` shows our checks with their ids and hints, and fails for an error."""
    assert manage(tmp_path / "missing.yaml", "check") == 1
    said = capsys.readouterr().err
    assert "(reloadcheck.E001)" in said
    assert "HINT: create it, or change RELOAD_CHECK['SOURCES']" in said

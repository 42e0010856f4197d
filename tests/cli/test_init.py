"""`init`: what it writes runs as it stands, and nothing is overwritten."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from reloadcheck.cli._templates import TEMPLATES
from tests.cli.conftest import Run

SHOWN = {
    "fastapi": "from starlette.testclient import TestClient as C; from app import app as a\n"
    "with C(a) as c: print(c.get('/').json())",
    "flask": "from app import app as a; print(a.test_client().get('/').get_json())",
    "django": "import app; from django.test import Client as C; print(C().get('/').json())",
}
COMMANDS = """
import sys
from pathlib import Path

from reloadcheck.cli import main

for command in ("validate", "explain greeting", "doctor"):
    print(command, main(command.split()), flush=True)
Path("config.yaml").write_text("greeting: hello\\nlimits: {timeuot: 1}\\n")
main(["validate"])
"""


@pytest.mark.parametrize("kind", TEMPLATES)
def test_what_is_written_runs(run: Run, here: Path, kind: str) -> None:
    """The application answers with its configuration, and no command needs `--app`."""
    done = run("init", kind, "site")
    assert (done.status, done.err) == (0, "")
    site = here / "site"

    def python(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words], cwd=site, capture_output=True, text=True, timeout=60
        )

    shown = python("-c", SHOWN[kind])
    assert shown.stdout.strip() == "{'greeting': 'hello'}", shown.stderr
    told = python("-c", COMMANDS)
    assert told.stderr == "", told.stdout
    good, _, misspelt = told.stdout.partition("doctor 0\n")
    assert "validate 0\n" in good, told.stdout
    assert "explain greeting 0\n" in good, told.stdout
    assert "timeuot" in misspelt


def test_what_cannot_be_written_is_told_in_a_line(run: Run, here: Path) -> None:
    """A directory that cannot be made is named, with the system's reason."""
    (here / "taken").write_text("mine\n")
    done = run("init", "flask", "taken")
    assert (done.status, done.out) == (1, "")
    assert done.err == "reloadcheck init: error: taken: File exists\n"


def test_nothing_is_overwritten(run: Run, here: Path) -> None:
    """A file that is there stops it before it writes any; a pyproject.toml is added to."""
    (here / "app.py").write_text("mine\n")
    done = run("init", "flask")
    assert (done.status, "app.py: is there already" in done.err) == (2, True)
    assert [path.name for path in here.iterdir()] == ["app.py"]
    (here / "app.py").unlink()
    (here / "pyproject.toml").write_text('[project]\nname = "shop"')
    assert run("init", "flask").status == 0
    told = tomllib.loads((here / "pyproject.toml").read_text())
    assert (told["project"]["name"], told["tool"]["reloadcheck"]["app"]) == ("shop", "live:live")


@pytest.mark.parametrize("words", [[], ["rails"], ["flask", "a", "b"]])
def test_an_unknown_kind_is_wrong_usage(run: Run, words: list[str]) -> None:
    """The kinds that there are are named."""
    done = run("init", *words)
    assert (done.status, "fastapi, flask, django" in done.err) == (2, True)

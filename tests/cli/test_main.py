"""The command line: what it understands, what it answers, what it does not import."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from reloadcheck import cli
from reloadcheck.demo import run
from reloadcheck.demo.run import Options

ROOT = Path(__file__).parents[2]


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "words",
    [["dmeo"], ["demo", "--kepe"], ["demo", "now"], ["demo", "--app", "rails"]],
    ids=["an unknown command", "an unknown option", "a word too many", "no app"],
)
def test_wrong_usage_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What is not understood is answered with the usage and status 2."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    assert "usage: reloadcheck" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is of Linux")
def test_an_output_that_is_full_is_told_in_a_line() -> None:
    """By standard error, and by the status; no traceback, not at the interpreter's end either."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reloadcheck", "completion", "bash"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.stderr == "reloadcheck completion: error: No space left on device\n"
    assert done.returncode == 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` gives the installed package's version."""
    try:
        expected = version("reloadcheck")
    except PackageNotFoundError:
        expected = "(not installed)"
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"reloadcheck {expected}\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], Options()),
        (["--keep"], Options(keep=True)),
        (["--json", "--sqlite"], Options(json=True, sqlite=True)),
        (["--app", "flask"], Options(app="flask")),
    ],
)
def test_demo_gets_its_options(
    words: list[str], expected: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo is run with what the line said, and its status is the command's."""
    seen: list[Options] = []

    def demo(options: Options) -> int:
        seen.append(options)
        return 1

    monkeypatch.setattr(run, "demo", demo)
    assert cli.main(["demo", *words]) == 1
    assert seen == [expected]


def test_python_m_is_the_same_command() -> None:
    """`python -m reloadcheck` shows the same help."""
    done = _run("-m", "reloadcheck", "demo", "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: reloadcheck demo")


def test_the_command_line_imports_nothing_heavy() -> None:
    """Parsing a line loads neither a server, nor a driver, nor a framework."""
    code = (
        "import sys; from reloadcheck.cli._arguments import parser_of; parser_of();"
        "print({'uvicorn', 'psycopg', 'starlette', 'werkzeug', 'msgspec'} & set(sys.modules))"
    )
    done = _run("-c", code)
    assert done.stdout == "set()\n", done.stderr


def test_a_closed_pipe_is_no_traceback() -> None:
    """A reader that has seen enough ends the demo quietly, with status 1."""
    code = (
        "import os, sys; from reloadcheck import cli; from reloadcheck.demo import run\n"
        "def demo(options):\n"
        "    print('a line', flush=True)\n"
        "    return 0\n"
        "run.demo = demo\n"
        "reading, writing = os.pipe(); os.close(reading); os.dup2(writing, 1)\n"
        "sys.exit(cli.main(['demo']))"
    )
    done = _run("-c", code)
    assert (done.returncode, done.stderr) == (1, "")

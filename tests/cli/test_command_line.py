"""The command line as a whole: help, suggestions, where the engine comes from, shells."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck import cli
from tests.cli.conftest import Run

COMMANDS = (
    "validate",
    "explain",
    "diff",
    "doctor",
    "watch",
    "status",
    "init",
    "completion",
    "demo",
)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a text as standard input."""

    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


def test_without_a_command_there_is_help(run: Run) -> None:
    """Who types the name alone is shown the commands and what the exit statuses mean."""
    done = run()
    assert (done.status, done.err) == (2, "")
    words = " ".join(done.out.split())
    assert all(f" {name} " in words for name in COMMANDS)
    assert "0 fine, 1 the check failed, 2 wrong usage, 3 unreachable, 4 waiting" in words


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run: Run, name: str) -> None:
    """`--help` says what it does, what it takes, and the exit statuses, in 80 columns."""
    done = run(name, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"usage: reloadcheck {name}")
    assert max(map(len, done.lines)) <= 80, name
    assert name == "demo" or "Exit status: 0 fine" in done.out


@pytest.mark.parametrize(
    "name", ["validate", "explain", "diff", "doctor", "watch", "status", "init", "completion"]
)
def test_a_command_alone_that_needs_words_shows_its_help(
    run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside what is missing stands all that it takes; the status is 2."""
    for variable in ("RELOAD_CHECK_STATUS_URL", "RELOAD_CHECK_STATUS_PATH"):
        monkeypatch.delenv(variable, raising=False)
    done = run(name)
    assert (done.status, done.out) == (2, "")
    assert "options:" in done.err
    assert f"reloadcheck {name}: error: name " in done.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["vaildate", "x.yaml"], "there is no command vaildate; did you mean validate?"),
        (["Status"], "there is no command Status; did you mean status?"),
        (["frobnicate"], "the commands are: validate, explain,"),
        (["validate", "--stirct", "x.yaml"], "--stirct; did you mean --strict?"),
        (["diff", "--exitcode", "a.yaml", "b.yaml"], "--exitcode; did you mean --exit-code?"),
    ],
)
def test_what_is_misspelt_is_suggested(run: Run, words: list[str], meant: str) -> None:
    """A command and an option; the status is 2."""
    done = run(*words)
    assert (done.status, meant in done.err) == (2, True), done.err


@pytest.mark.parametrize("word", ["config", "config.ini", "gone.yaml"])
def test_a_missing_file_does_not_exist(run: Run, word: str) -> None:
    """Whatever its suffix; what a program would have to write instead is not told here."""
    done = run("validate", word)
    assert done.status in (1, 2)
    assert "does not exist" in done.out + done.err
    assert "DirectorySource" not in done.out + done.err


def test_a_file_of_another_format_is_told_the_way_out(run: Run, here: Path) -> None:
    """A file that is there and has no suffix can be read from standard input."""
    (here / "config").write_text("a: 1\n")
    done = run("validate", "config")
    assert (done.status, "- --format yaml" in done.err) == (2, True)


def test_a_dash_is_standard_input(run: Run, here: Path, stdin: Callable[[str], None]) -> None:
    """As one layer among others, in any format, with places; once."""
    (here / "base.yaml").write_text("a: 1\nb: 1\n")
    stdin("a: [\n")
    done = run("validate", "-")
    assert (done.status, "<stdin>:1:5: error: " in done.out) == (1, True), done.out
    stdin("a: 2\n")
    done = run("explain", "base.yaml", "-", "a")
    assert (done.status, done.lines[0]) == (0, "a = 2")
    assert "<stdin>:1:4" in done.out
    stdin("a = 3\n")
    assert run("diff", "base.yaml", "-", "--format", "toml").status == 0
    assert ((done := run("validate", "-", "-")).status, "once" in done.err) == (2, True)


def test_strict_lets_a_warning_fail(run: Run, here: Path) -> None:
    """A warning is none without it, and the sentence says why it fails with it."""
    (here / "a.yaml").write_text("b: no\n")
    assert run("validate", "a.yaml").status == 0
    done = run("validate", "a.yaml", "--strict")
    assert (done.status, "FAILED: a.yaml can be used, but --strict" in done.out) == (1, True)
    assert not run("validate", "a.yaml", "--strict", "--json").document["ok"]
    (here / "good.yaml").write_text("b: 1\n")
    assert run("validate", "good.yaml", "--strict").status == 0


def test_a_difference_can_be_a_status(run: Run, here: Path) -> None:
    """As `diff` and `git diff` have it: 0 the same, 1 different, 2 trouble."""
    (here / "a.yaml").write_text("a: 1\n")
    (here / "same.yaml").write_text("# a comment\na: 1\n")
    (here / "b.yaml").write_text("a: 2\n")
    (here / "bad.yaml").write_text("a: [\n")
    for name, with_it, without in (("same", 0, 0), ("b", 1, 0), ("bad", 2, 1)):
        words = ("diff", "a.yaml", f"{name}.yaml")
        assert (with_it, without) == (run(*words, "--exit-code").status, run(*words).status)


def test_the_project_names_the_engine(run: Run, here: Path, app: str) -> None:
    """pyproject.toml says it once, for every command, from any directory below."""
    (here / "pyproject.toml").write_text(f'[tool.reloadcheck]\napp = "{app}"\n')
    (here / "other.yaml").write_text("database: {pool_size: 30}\n")
    assert "OK: base.yaml, local.yaml can be used and fit service:live" in run("validate").out
    assert "database.pool_size = 20" in run("explain", "database.pool_size").out
    assert "rebuilds  db" in run("diff", "local.yaml", "other.yaml").out
    assert "can be used (" not in run("validate", "base.yaml", "--no-app").out
    assert "service:live" not in run("validate", "base.yaml", "--no-app").out
    done = run("validate", "base.yaml", "--schema", "service:Settings")
    assert "fits service:Settings" in done.out


def test_the_project_is_found_from_below(
    run: Run, here: Path, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sub-directory, and with the modules in one; the nearest that says something counts."""
    (here / "src").mkdir()
    (here / "service.py").rename(here / "src" / "service.py")
    said = f'[tool.reloadcheck]\napp = "{app}"\napp-dir = "src"\n'
    (here / "pyproject.toml").write_text(said)
    (here / "deep").mkdir()
    (here / "deep" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    monkeypatch.chdir(here / "deep")
    done = run("explain", "../base.yaml", "greeting")
    assert (done.status, done.lines[0]) == (0, 'greeting = "hello"'), done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.reloadcheck]\napp = 7\n", "app is to be a text"),
        ("[tool.reloadcheck]\nap = 'x:y'\n", "has no ap; it has app, app-dir, store, name"),
        ("[tool.reloadcheck", "cannot be read"),
        ("[tool.reloadcheck]\napp = 'nowhere:live'\n", "there is no module nowhere (looked in "),
        ("[tool.reloadcheck]\napp = 'service:lvie'\n", "no lvie in it; did you mean live?"),
    ],
)
def test_a_project_that_is_wrong_is_named(
    run: Run, here: Path, app: str, text: str, words: str
) -> None:
    """The file that said it is in the sentence."""
    (here / "pyproject.toml").write_text(text)
    done = run("validate")
    err = " ".join(done.err.split())
    assert (done.status, words in err, "pyproject.toml" in err) == (2, True, True), done.err


def test_the_modules_may_be_elsewhere(
    run: Run, here: Path, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--app-dir` says where; without it the sentence says where was looked, and how to say it."""
    (here / "elsewhere").mkdir()
    (here / "service.py").rename(here / "elsewhere" / "service.py")
    done = run("validate", "base.yaml", "--app", app)
    err = " ".join(done.err.split())
    assert (done.status, f"(looked in {here} and where Python looks)" in err) == (2, True)
    assert "--app-dir DIR" in err
    assert run("validate", "base.yaml", "--app", app, "--app-dir", "elsewhere").status == 0
    done = run("validate", "base.yaml", "--app", app, "--app-dir", "gone")
    assert (done.status, "there is no such directory" in done.err) == (2, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_all(run: Run, shell: str) -> None:
    """Every command and option is in the script."""
    done = run("completion", shell)
    assert done.status == 0
    assert all(name in done.out for name in COMMANDS)
    for option in ("strict", "output-format", "exit-code", "app-dir", "workers"):
        assert option in done.out
    assert run("completion", "tcsh").status == 2


def test_bash_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real bash takes the script and completes commands, options and files."""
    assert cli.main(["completion", "bash"]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out)
    (tmp_path / "config.yaml").touch()

    def completed(*words: str) -> list[str]:
        ask = f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _reloadcheck"
        script = f"source ./script; {ask}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    assert completed("reloadcheck", "va") == ["validate"]
    assert completed("reloadcheck", "validate", "--st") == ["--strict"]
    assert completed("reloadcheck", "diff", "conf") == ["config.yaml"]

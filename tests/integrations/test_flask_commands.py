"""`flask reloadcheck`: what an operator may ask an app before it serves."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from reloadcheck import FileReferences, FrozenDict
from reloadcheck._runtime.clock import SystemClock
from reloadcheck.integrations.flask import FlaskReloadCheck
from tests.support.rig import Text, same
from tests.support.servers import ROOT

from .conftest import Make

APP = """
from dataclasses import dataclass
from flask import Flask
from reloadcheck import ReloadCheck
from reloadcheck.integrations.flask import FlaskReloadCheck

@dataclass(frozen=True)
class Settings:
    size: int

live = ReloadCheck("config.yaml", schema=Settings)

@live.resource("size")
def pool(size):
    raise SystemExit("built")

def create_app():
    app = Flask(__name__)
    FlaskReloadCheck(live).init_app(app)
    return app
"""


def flask(directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `flask` on an app factory in a directory."""
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "shop:create_app", "reloadcheck", *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_validate_as_its_users_run_it(tmp_path: Path) -> None:
    """A bad file is exit status 1 and a sentence at file:line:column; nothing is built for it."""
    (tmp_path / "shop.py").write_text(APP)
    config = tmp_path / "config.yaml"
    config.write_text("# sizes\nsize: hunter2\n")
    done = flask(tmp_path, "validate")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()  # and no second one from the log
    assert line.startswith("config.yaml:2:7: size: ")
    assert "hunter2" not in line
    config.write_text("size: 3\n")
    done = flask(tmp_path, "validate")
    assert (done.returncode, done.stdout, done.stderr) == (0, "config.yaml: valid\n", "")


def ask(app: Flask, *words: str) -> tuple[int, str, str]:
    """Run a command in this process; give its status, output and errors."""
    result = app.test_cli_runner().invoke(args=["reloadcheck", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def test_check_builds_and_closes(make: Make) -> None:
    """`check` goes through everything that a worker's start does, and leaves nothing open."""
    live = make()
    journal: list[str] = []

    @live.resource("a")
    def pool(a: int) -> Iterator[int]:
        journal.append("built")
        yield a
        journal.append("closed")

    app = Flask("shop")
    FlaskReloadCheck(live, app)
    assert ask(app, "validate") == (0, "app.yaml: valid\n", "")
    assert journal == []
    said = "app.yaml: valid; built and closed again: pool\n"
    assert (0, said, "") == ask(app, "check")
    assert journal == ["built", "closed"]
    assert live.status().state == "closed"


def test_what_to_know_all_the_same_is_told(make: Make, tmp_path: Path) -> None:
    """A remark on a source, such as that anybody may write it, stands below the verdict."""
    config = tmp_path / "config.yaml"
    config.write_text("a: 1")
    config.chmod(0o666)
    app = Flask("shop")
    FlaskReloadCheck(make(config, clock=SystemClock()), app)
    for command in ("validate", "check"):
        status, out, _ = ask(app, command)
        verdict, remark = out.splitlines()
        assert (status, verdict) == (0, f"{config}: valid")
        assert "writ" in remark


def test_check_fails_where_a_start_would(make: Make) -> None:
    """What cannot be built is exit status 1 and names the place; `validate` does not see it."""
    live = make(Text("password: hunter2"))

    @live.resource("password")
    def pool(password: str) -> int:
        raise ConnectionError(f"no entry with {password}")

    app = Flask("shop")
    FlaskReloadCheck(live, app)
    assert ask(app, "validate")[0] == 0
    status, out, err = ask(app, "check")
    assert (status, out) == (1, "")
    assert err.startswith("app.yaml:1:")
    assert "pool" in err
    assert "hunter2" not in err


def test_every_problem_has_a_line(make: Make) -> None:
    """All that is wrong is told at once, a line each."""

    def schema(given: FrozenDict) -> FrozenDict:
        raise AssertionError

    app = Flask("shop")
    for name, content in (("one.yaml", "a: ["), ("two.yaml", "b: ]")):
        FlaskReloadCheck(make(Text(content, name=name), schema=schema), app)
    status, _, err = ask(app, "validate")
    assert status == 1
    assert [line.partition(":")[0] for line in err.splitlines()] == ["one.yaml", "two.yaml"]


def test_status_tells_what_would_serve(make: Make) -> None:
    """`status` shows version, digest and resources of a worker that starts now, and no value."""
    live = make(Text("password: hunter2"))
    live.resource("password", name="db")(same)
    app = Flask("shop")
    FlaskReloadCheck(live, app)
    status, out, err = ask(app, "status")
    assert (status, err) == (0, "")
    shown = dict(line.split(":", 1) for line in out.splitlines())
    assert (shown["state"].strip(), shown["standing"].strip()) == ("serving", "ok")
    assert shown["version"].strip() == "1"
    assert len(shown["digest"].strip()) >= 32
    assert shown["resources"].strip() == "db (1 open)"
    assert "hunter2" not in out
    assert all(len(line) <= 80 for line in out.splitlines())


@pytest.mark.parametrize("command", ["status", "check", "validate"])
def test_a_command_explains_itself(make: Make, command: str) -> None:
    """Each has a sentence of help."""
    app = Flask("shop")
    FlaskReloadCheck(make(), app)
    status, out, _ = ask(app, command, "--help")
    assert status == 0
    assert "." in out.partition("\n\n")[2]


def test_validate_asks_rules_contract_and_references(make: Make, tmp_path: Path) -> None:
    """What fails a start before anything is built fails `validate` too, and nothing else does."""
    (tmp_path / "port").write_text("5432")
    contract = tmp_path / "contract.yaml"
    contract.write_text("reloadcheck: 1\nservice: shop\nkeys:\n  size: {range: 1..9}\n")

    def schema(given: FrozenDict) -> FrozenDict:
        assert str(given["port"]) == "5432"
        return given

    text = Text("size: 3\nport: ${file:port}\n")
    references = [FileReferences(tmp_path)]
    clock = SystemClock()
    live = make(text, schema=schema, contract=contract, references=references, clock=clock)

    @live.rule("size")
    def odd(size: int) -> str | None:
        return None if size % 2 else "is odd in this shop"

    app = Flask("shop")
    FlaskReloadCheck(live, app)
    assert ask(app, "validate") == (0, "app.yaml: valid\n", "")
    text.write("size: 4\nport: ${file:port}\n")
    assert ask(app, "validate") == (1, "", "app.yaml:1:7: size: is odd in this shop\n")
    text.write("size: 11\nport: ${file:port}\n")
    status, _, err = ask(app, "validate")
    assert status == 1
    assert err.startswith("app.yaml:1:7: size: ")
    assert live.status().state == "idle"

"""What the tests of the commands share: a directory to work in, and a way to run a command."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from reloadcheck import cli
from reloadcheck.cli._doctor.machine import Machine

WIDTH = 80

APP = '''\
"""An application with one resource of each kind of dependence."""

from pydantic import BaseModel, ConfigDict

from reloadcheck import ReloadCheck


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Database(Frozen):
    url: str
    pool_size: int = 4


class Settings(Frozen):
    greeting: str
    database: Database
    debug: bool = False


live = ReloadCheck("base.yaml", "local.yaml", schema=Settings)


@live.resource("database")
def db(database):
    raise AssertionError("nothing is built by a command")


@live.resource("greeting")
def banner(greeting):
    raise AssertionError("nothing is built by a command")


@live.resource("debug", needs=[db])
def tracer(debug, db):
    raise AssertionError("nothing is built by a command")
'''


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Return the lines of the output."""
        return self.out.splitlines()

    @property
    def document(self) -> Any:
        """Return the output as the JSON that it is."""
        assert self.out.isascii()
        return json.loads(self.out)


Run: TypeAlias = Callable[..., Done]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("service", "broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command run in this process, its output at most 80 columns wide and free of controls."""

    def run(*words: str) -> Done:
        try:
            status = cli.main(words)
        except SystemExit as stopped:
            status = stopped.code if isinstance(stopped.code, int) else -1
        caught = capsys.readouterr()
        done = Done(status, caught.out, caught.err)
        if not {"--json", "--output-format", "completion", "schema"} & {*words}:  # for programs
            wide = [line for line in done.lines if len(line) > WIDTH and len(line.split()) > 1]
            assert not wide, done.out  # a path is not broken
        assert all(line.isprintable() for line in done.lines), done.out
        return done

    return run


@pytest.fixture
def app(here: Path) -> str:
    """The application's module, with good files beside it; its engine's name for `--app`."""
    (here / "service.py").write_text(APP)
    (here / "base.yaml").write_text(
        "greeting: hello\ndatabase:\n  url: sqlite://\n  pool_size: 10\n"
    )
    (here / "local.yaml").write_text("database:\n  pool_size: 20\n")
    return "service:live"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """An empty `/proc`."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    return tmp_path / "proc"


@pytest.fixture
def machine(proc: Path, tmp_path: Path) -> Machine:
    """A machine with nothing special about it."""
    return Machine(
        proc=str(proc),
        cgroups=str(tmp_path / "cgroup"),
        environ={},
        uid=1000,
        limit=lambda _: (1024, 4096),
        answer=lambda _: None,
        uwsgi=lambda: None,
        watch=lambda _: 0,
    )


@pytest.fixture
def config(here: Path) -> Path:
    """An ordinary file in a directory of ours."""
    here.chmod(0o755)
    path = here / "config.yaml"
    path.write_text("a: 1\n")
    path.chmod(0o644)
    return path

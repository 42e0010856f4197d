"""What tests start for themselves: nothing of it outlives a test that fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import children_of, group_runs
from tests.support.rig import until
from tests.support.scripts import run

HANGS = """
say(os.getpid())
child(lambda: (say(os.getpid()), time.sleep(300)))
"""


def test_a_script_that_takes_too_long_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has forked, who inherits the output as well."""
    log = tmp_path / "log"

    def pids() -> list[str]:
        return log.read_text().split() if log.exists() else []

    def take_too_long(process: subprocess.Popen[str], timeout: float) -> None:
        until(lambda: len(pids()) == 2)
        raise subprocess.TimeoutExpired(process.args, timeout)

    monkeypatch.setattr(subprocess.Popen, "communicate", take_too_long)
    with pytest.raises(subprocess.TimeoutExpired):
        run(tmp_path, HANGS)
    until(lambda: not any(map(_runs, pids())))


def test_the_dead_whom_nobody_has_taken_leave_of_do_not_run() -> None:
    """Where the first process of a container takes leave of nobody, its orphans stay for ever."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdin is not None
        assert process.pid in children_of(os.getpid())
        assert group_runs(process.pid)
        process.stdin.close()
        until(lambda: not group_runs(process.pid))
        os.killpg(process.pid, 0)  # it is there, dead
    assert not group_runs(process.pid)
    assert children_of(process.pid) == []


def _runs(pid: str) -> bool:
    try:
        return bool(Path("/proc", pid, "cmdline").read_bytes())
    except OSError:
        return False

"""What tests start for themselves: nothing of it outlives a test that fails."""

import subprocess
from pathlib import Path

import pytest

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


def _runs(pid: str) -> bool:
    try:
        return bool(Path("/proc", pid, "cmdline").read_bytes())
    except OSError:
        return False

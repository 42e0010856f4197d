"""A process that was stopped for longer than the drain."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DRAIN, STOPPED = 3.0, 3.5


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_what_a_request_uses_is_open_when_the_process_goes_on() -> None:
    """Time that nobody had does not count: the request goes on with its pool."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.stopped_app", str(DRAIN)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED)
            process.send_signal(signal.SIGCONT)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "open\n"
        finally:
            process.kill()

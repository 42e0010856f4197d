"""Runs a piece of Python in an interpreter of its own, where it may fork and exit."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

PRELUDE = '''
import asyncio, multiprocessing, os, pathlib, sys, threading, time
from reloadcheck import ReloadCheck, NoSnapshotError, OutsideWorkError, current_snapshot

LOG = os.open(sys.argv[1] + "/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def say(word):
    os.write(LOG, f"{word}\\n".encode())

CONFIG = pathlib.Path(sys.argv[1], "app.yaml")
CONFIG.write_text("a: 1")
PARENT = os.getpid()

def who():
    return "parent" if os.getpid() == PARENT else "child"

def child(work, leave=os._exit):
    """Fork; run the work in the child and give its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            say(f"child failed: {error!r}")
            os._exit(1)
        leave(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

live = ReloadCheck(CONFIG, settle=0, window=0)
'''


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a script: the lines it said, its status, its output, how long it took."""

    said: list[str]
    status: int
    output: str
    seconds: float


def run(directory: Path, code: str) -> Run:
    """Run the prelude and the code, with a directory of its own, at most a minute.

    Then it is ended together with all that it started.
    """
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code), str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=60)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # nobody has waited for it: the id is its own
            raise
    seconds = time.monotonic() - begun
    said = (directory / "log").read_text().split("\n")[:-1]
    return Run(said, process.returncode, output, seconds)

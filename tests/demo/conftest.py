"""How the demo's tests run Python beside themselves and see what it left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.ending import HEAR_INTERRUPTS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def python() -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Start Python on a piece of code; what still runs after the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HEAR_INTERRUPTS + code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def left_behind() -> Callable[[Path], list[str]]:
    """Say what is left of a workspace: its directory, and the processes that work in it."""

    def look(directory: Path, *, seconds: float = 10.0) -> list[str]:
        deadline = time.monotonic() + seconds
        while (left := _traces(directory)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    return look


def _traces(directory: Path) -> list[str]:
    left = [str(directory)] if directory.exists() else []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = os.readlink(process / "cwd")
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it ended while we looked, or belongs to somebody else
        if place.startswith(str(directory)) or os.fsencode(directory) in command:
            left.append(process.name)
    return left

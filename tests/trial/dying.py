"""`python -m tests.trial.dying DIRECTORY TOGETHER [PART WHEN]`: a worker that tries edits.

It tells what it serves and how the edit stands, whenever one of both changes, and does what it
reads: `promote` and `undo`. With a `PART` of a record's name it kills itself `before` or `after`
that is written, from the first order on.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck.stores import SQLiteStore
from reloadcheck.trial import Trial

__all__ = ["STORE", "Worker"]

STORE = "shop.db"
SECONDS = 60.0
"""How long a worker is waited for, on a machine that has too much to do."""


class Dying(SQLiteStore):
    """The real store of a worker whose process is killed at one of its writes."""

    armed = False

    def __init__(self, path: Path, part: str, when: str) -> None:
        super().__init__(path)
        self._part, self._when = part, when

    def put(self, records: Mapping[str, str | None], **options: Any) -> int | None:
        """Write, or end before it or after it."""
        meant = self.armed and any(self._part in key for key in records)
        if meant and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        revision = super().put(records, **options)
        if meant and (revision is not None or self._part != "/verdict/"):  # a row: whoever is first
            os.kill(os.getpid(), signal.SIGKILL)
        return revision


class Worker:
    """One such process, as who started it sees it."""

    def __init__(
        self, directory: Path, together: str = "off", part: str = "", when: str = ""
    ) -> None:
        words = [str(directory), together, *([part, when] if part else [])]
        command = [sys.executable, "-m", __name__, *words]
        self._process = Popen(command, stdin=PIPE, stdout=PIPE)
        self._text = b""
        self.told: list[tuple[int, str]] = []

    def says(self, value: int, outcome: str) -> bool:
        """Wait until it tells this; return False where it ends, or does not in a minute."""
        assert self._process.stdout is not None
        pipe, ends = self._process.stdout.fileno(), time.monotonic() + SECONDS
        while (value, outcome) not in self.told[-1:]:
            line, is_whole, rest = self._text.partition(b"\n")
            if is_whole:
                self._text = rest
                number, word = line.decode().split(" ")
                self.told.append((int(number), word))
                continue
            left = ends - time.monotonic()
            data = os.read(pipe, 4096) if select.select([pipe], [], [], max(left, 0))[0] else b""
            if not data:
                return False
            self._text += data
        return True

    def order(self, word: str) -> None:
        """Have it promote or undo what it tries."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())
        self._process.stdin.flush()

    def ended(self) -> int:
        """Wait for its end; return its status."""
        return self._process.wait(SECONDS)

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        self._process.wait(SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def _main(directory: Path, together: str, part: str = "", when: str = "") -> None:
    """Serve, and tell of it, until the end of what is to be read."""
    store = Dying(directory / STORE, part, when)
    live: ReloadCheck[Any] = ReloadCheck(
        directory / "config.yaml",
        store=store,
        app="shop",
        settle=0,
        window=0.1,
        trial=Trial(shares=(0.01,), seconds=600, units=0, watch=600),
        together=None if together == "off" else "all",
    )
    live.start()
    before = None
    while True:
        outcome = live.check()
        now = f"{live.snapshot.config['a']} {outcome}"
        if now != before:
            print(now, flush=True)
            before = now
        if select.select([sys.stdin], [], [], 0.02)[0]:
            word = sys.stdin.readline().strip()
            if not word:
                break
            store.armed = bool(part) and word == "undo"
            live.undo(reason="x") if word == "undo" else live.promote()
    live.close()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), *sys.argv[2:])

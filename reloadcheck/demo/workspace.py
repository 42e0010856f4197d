"""A directory and processes that vanish with whoever asked for them, however that one ends.

Takes command lines, gives running processes. The keeping is done by a process of its own, so that
nothing is left behind when this one is killed. It must never be shared between threads.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, cast

__all__ = ["Identity", "Process", "StartError", "Workspace", "free_port", "tail"]

Identity = Literal["same", "namespace", "nobody"]
"""Who a process runs as: as we do, unprivileged in a user namespace, or as the user nobody."""

_KEEPER = Path(__file__).with_name("keeper.py")
_PATIENCE = 30.0
TAIL_LINES = 15
LOWEST_PORT = 12_000


class StartError(Exception):
    """Something that the demo or a test needs could not be started; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process in a workspace."""

    pid: int
    log: Path
    _ask: Callable[[dict[str, object]], dict[str, object]]

    def status(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return cast("int | None", self._ask({"do": "poll", "pid": self.pid})["status"])

    def end(self) -> int:
        """End it and give its exit status."""
        return cast(int, self._ask({"do": "end", "pid": self.pid})["status"])

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; give the exit status, or None when it still runs after `seconds`."""
        deadline = time.monotonic() + seconds
        while (status := self.status()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return status


class Workspace:
    """A private directory and the processes in it; use as a context manager."""

    def __init__(self, keeper: "subprocess.Popen[str]", directory: Path) -> None:
        self._keeper = keeper
        self.directory = directory

    @property
    def keeper_pid(self) -> int:
        """Return the process id of the keeper."""
        return self._keeper.pid

    @classmethod
    def open(cls, prefix: str, *, base: str | None = None) -> Self:
        """Make a directory under `base`, the system's temporary directory unless told otherwise."""
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_KEEPER), base or tempfile.gettempdir(), prefix],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # a Ctrl-C is for us to hear; the keeper hears of it from us
        )
        try:
            directory = cast(str, _reply(keeper)["directory"])
        except BaseException:
            _dismiss(keeper)
            raise
        return cls(keeper, Path(directory))

    def run(
        self,
        argv: Sequence[str],
        *,
        log: str,
        env: Mapping[str, str] | None = None,
        identity: Identity = "same",
        ending: Sequence[tuple[str, float]] = (("SIGTERM", 5.0),),
        orphaned: str = "SIGTERM",
    ) -> Process:
        """Start a process in a session of its own; its output goes to the file `log`.

        It is ended by the signals in `ending`, each with the seconds it is given, then SIGKILL.
        Where the system can, it gets `orphaned` should even the keeper be killed.
        """
        path = self.directory / log
        answer = self._ask(
            {
                "do": "run",
                "argv": list(argv),
                "env": dict(os.environ if env is None else env),
                "log": str(path),
                "identity": identity,
                "ending": [list(step) for step in ending],
                "orphaned": orphaned,
            }
        )
        if "error" in answer:
            raise StartError(f"{Path(argv[0]).name} did not start: {answer['error']}")
        return Process(cast(int, answer["pid"]), path, self._ask)

    def close(self) -> None:
        """End all processes and remove the directory; idempotent."""
        _dismiss(self._keeper)
        shutil.rmtree(self.directory, ignore_errors=True)  # in case the keeper was killed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended_by: object) -> None:
        self.close()

    def _ask(self, request: dict[str, object]) -> dict[str, object]:
        assert self._keeper.stdin is not None
        try:
            self._keeper.stdin.write(json.dumps(request) + "\n")
            self._keeper.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise StartError("the process that keeps the demo's processes has gone") from None
        return _reply(self._keeper)


def free_port() -> int:
    """Return a loopback port that is free now, of those that the system hands out to nobody.

    So nobody has it who asks for any port or connects to one, before it is used or while what
    listens there is started anew. Only who names it may take it.
    """
    for port in (LOWEST_PORT + secrets.randbelow(_handed_out() - LOWEST_PORT) for _ in range(99)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise StartError("no port is free on loopback")


def _handed_out() -> int:
    """Return the lowest port that is given to who asks for any, as Linux has it unless told."""
    try:
        found = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        found = 0
    return found if found > LOWEST_PORT + 1000 else 32768


def tail(log: Path) -> str:
    """Return the last lines of a log, or an empty string when there is none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def _reply(keeper: "subprocess.Popen[str]") -> dict[str, object]:
    assert keeper.stdout is not None
    line = keeper.stdout.readline()
    if not line:
        raise StartError("the process that keeps the demo's processes has gone")
    return cast("dict[str, object]", json.loads(line))


def _dismiss(keeper: "subprocess.Popen[str]") -> None:
    """Let go of the keeper and wait until it has cleared everything away."""
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        keeper.stdin.close()
    try:
        keeper.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
    keeper.stdout.close()

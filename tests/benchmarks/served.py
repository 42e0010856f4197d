"""Behind real servers: CPU time for each request, bare and with us, by the server's own clock.

Each server is one process that works. All of them stay up, and are asked in turn over a connection
that stays open; what they used meanwhile is read from the kernel. Two processes of the same program
differ by some percent for as long as they live, so all are started anew several times.
"""

import os
import socket
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.servers import serving

from .contestants import CONFIG
from .judging import BAND, Claim, Report, Row, Series, ratio
from .rounds import Batch, Size, interleave

__all__ = ["busy", "connected", "run", "used"]

TICKS = os.sysconf("SC_CLK_TCK")
REQUESTS = 12_000
"""In a row: for longer than a window, so that each row has the checks of a busy server, no more."""
STARTS, ROUNDS = 8, 2
"""How often the servers are started, and how often each is asked so many times then."""
REQUEST = b"GET / HTTP/1.1\r\nHost: served\r\n\r\n"
NARROWEST = 0.03
"""How far from 1 a ratio may be at the least, whatever the control says of its own spread."""


def run(size: Size) -> list[Report]:
    """Measure both servers."""
    uvicorn = ["uvicorn", "tests.benchmarks.served_app:asgi", "--port", "0", "--no-access-log"]
    gunicorn = ["gunicorn", "tests.benchmarks.served_app:wsgi", "--bind", "127.0.0.1:0"]
    threads = [
        "--worker-class",
        "gthread",
        "--threads",
        "1",
        "--keep-alive",
        "60",
    ]  # the one that keeps connections
    return [
        _server("uvicorn", [*uvicorn, "--lifespan", "off", "--timeout-keep-alive", "60"], size),
        _server("gunicorn", [*gunicorn, *threads], size),
    ]


def _server(name: str, arguments: list[str], size: Size) -> Report:
    starts = [_started(arguments, size) for _ in range(1 if size.quick else STARTS)]
    found = {
        contestant: Series(tuple(value for one in starts for value in one[contestant].values))
        for contestant in starts[0]
    }
    bare, again, ours = found["bare"], found["bare again"], found["ours"]
    pairs = zip(bare.values, again.values, strict=True)
    off = Series(tuple(abs(one / other - 1.0) for one, other in pairs))
    band = max(NARROWEST, off.median)
    claim = Claim(
        f"{name}, CPU per request, against bare (band of the control: {band:.0%})",
        ratio(ours, bare),
        1.0 + band,
        # A control that strays from round to round says nothing, wherever its median is.
        control=ratio(again, bare) if band <= BAND else 1.0 + band,
        floor=ratio(found["the least door"], bare),
    )
    rows = tuple(Row.of(name, one, "µs", 1e6) for name, one in found.items())
    return Report(f"{name}, CPU time of a request", rows, (claim,))


def _started(arguments: list[str], size: Size) -> dict[str, Series]:
    """Start one server for each contestant, and ask them in turn."""
    rounds = 3 if size.quick else ROUNDS
    requests = REQUESTS // 40 if size.quick else REQUESTS
    with tempfile.TemporaryDirectory() as made, ExitStack() as up:
        directory = Path(made)
        path = directory / "app.yaml"
        path.write_text(CONFIG)
        batches: dict[str, Batch] = {}
        contestants: dict[str, dict[str, str]] = {
            "bare": {},
            "bare again": {},
            "the least door": {"SERVED_LEAST": "1"},
            "ours": {"SERVED_CONFIG": str(path)},
        }
        for contestant, variables in contestants.items():
            command = [sys.executable, "-m", *arguments]
            server = up.enter_context(serving(command, variables, directory))
            connection = up.enter_context(connected(server.port))
            batches[contestant] = _Asking(connection, server.process.pid)
        return interleave(batches, Size(rounds, 0.0), fixed=requests)


class _Asking:
    """Asks a server so many times; gives the CPU seconds that its processes used."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection = connection
        self._pid = pid
        busy(connection, 50)

    def __call__(self, times: int) -> float:
        busy(self._connection, 5)  # so that the first check after a pause is not counted
        before = used(self._pid)
        busy(self._connection, times)
        return used(self._pid) - before


@contextmanager
def connected(port: int) -> Generator[socket.socket]:
    """Keep a connection open."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def busy(connection: socket.socket, times: int) -> None:
    """Ask one request after the other."""
    for _ in range(times):
        connection.sendall(REQUEST)
        data = b""
        while not data.endswith(b"hello"):
            got = connection.recv(4096)
            assert got, "the server closed the connection"
            data += got


def used(pid: int) -> float:
    """Return the CPU seconds of a process and its children, to the nanosecond where it is told."""
    return sum(_seconds(one) for one in (pid, *_children(pid)))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def _seconds(pid: int) -> float:
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    try:
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except OSError:  # a kernel without it counts in ticks
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

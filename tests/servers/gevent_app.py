"""A WSGI app for gevent's worker in which a greenlet watches how long no greenlet gets its turn.

`/` tells which configuration serves and how long a turn was at most since the last `/forget`.
"""

import json
import os
import threading
import time
from collections.abc import Iterable

from reloadcheck import ReloadCheck
from reloadcheck._doors.protocols import Environ, StartResponse
from reloadcheck.wsgi import ReloadCheckMiddleware

TICK = 0.001
live = ReloadCheck(os.environ["SERVERS_CONFIG"])
longest = [0.0]
turns = [0]


def tick() -> None:
    """Ask for a turn every millisecond, and note how late it comes.

    Time that the process stood in the machine's queue for a CPU is not counted: that is not us.
    """
    last, queued = time.perf_counter(), _queued()
    while True:
        time.sleep(TICK)
        now, since = time.perf_counter(), _queued()
        longest[0] = max(longest[0], now - last - TICK - (since - queued))
        turns[0] += 1
        last, queued = now, since


def _queued() -> float:
    """Return the seconds that this thread was ready to run and no CPU was free."""
    with open("/proc/thread-self/schedstat", "rb") as file:
        return int(file.read().split()[1]) / 1e9


def plain(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request; the first one starts the watch."""
    if not turns[0]:
        turns[0] = 1
        threading.Thread(target=tick, name="tick", daemon=True).start()
    if environ["PATH_INFO"] == "/forget":
        longest[0] = 0.0
    said = {
        "pid": os.getpid(),
        "number": int(environ["reloadcheck.config"].part1.name.rpartition(" ")[2]),
        "longest": longest[0],
        "turns": turns[0],
        "green": time.sleep.__module__.startswith("gevent"),
    }
    body = json.dumps(said).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


app = ReloadCheckMiddleware(plain, live)

"""A parent with a running engine and two children of it: `python -m tests.servers.children fork`.

METHOD is `os.fork`, or `fork` or `spawn` of `multiprocessing`. Each process appends what it is told
to the file SERVERS_ANSWERS: the children until they have seen configuration 2, the parent before
they begin and after they have ended, in one unit of work.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkContext, SpawnContext

from reloadcheck import FrozenDict, Snapshot

from .pooled import live, told

CHILDREN = 2
CONTEXTS: dict[str, ForkContext | SpawnContext] = {
    "fork": multiprocessing.get_context("fork"),
    "spawn": multiprocessing.get_context("spawn"),
}


def note(snapshot: Snapshot[FrozenDict]) -> None:
    """Write down what a unit of work is told."""
    out = os.open(os.environ["SERVERS_ANSWERS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(out, told(snapshot))
    os.close(out)


def work() -> None:
    """Be a child."""
    number = 0
    while number != 2:
        with live.lease() as snapshot:
            note(snapshot)
            number = int(snapshot.config["number"])
        time.sleep(0.03)
    live.close()


def forked() -> Callable[[], int]:
    """Start a child by `os.fork`; give what waits for its exit status."""
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def processed(method: str) -> Callable[[], int | None]:
    """Start a child by `multiprocessing`; give what waits for its exit status."""
    process = CONTEXTS[method].Process(target=work)
    process.start()

    def ended() -> int | None:
        process.join()
        return process.exitcode

    return ended


def main(method: str) -> int:
    """Be the parent."""
    live.start()

    def start() -> Callable[[], int | None]:
        return forked() if method == "os.fork" else processed(method)

    with live.lease() as snapshot:
        note(snapshot)
        statuses = [end() for end in [start() for _ in range(CHILDREN)]]
        note(snapshot)
    live.close()
    return int(statuses != [0] * CHILDREN)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))

"""A process that follows one file, and says when it has taken up an edit.

`python -m tests.benchmarks.worker FILE busy|idle` writes a line with the number in the file and the
time of each version, by a clock that all processes share, until its input ends.
"""

import sys
import threading
import time

from reloadcheck import ReloadCheck


def main() -> None:
    """Follow the file; `busy` makes fifty units of work a second, `idle` one at the start."""
    path, mode = sys.argv[1:]
    live = ReloadCheck(path, window=0.05, settle=0.05, environ={})
    over = threading.Event()
    threading.Thread(target=_await_end, args=(over,), daemon=True).start()
    seen: object = None
    live.start()
    while not over.is_set():
        with live.lease() as snapshot:
            if snapshot.config.number != seen:
                seen = snapshot.config.number
                print(seen, time.monotonic(), flush=True)
        over.wait(0.02 if mode == "busy" else None)
    live.close()


def _await_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    main()

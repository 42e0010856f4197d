"""A process that is to be stopped while a unit of work uses an old resource.

`python -m tests.support.stopped_app DRAIN` says `ready`; at a line from its standard input it
waits for a moment, so that its engine thread has had its turn, and says `open` or `closed`.
"""

import sys
import time
from collections.abc import Iterator

from reloadcheck import ReloadCheck
from reloadcheck.testing import MemorySource, push

MOMENT = 0.5


class Box:
    """What is built."""

    open = True


def main(drain: float) -> None:
    """Hold version 1 while version 2 serves."""
    source = MemorySource("a: 1")
    live = ReloadCheck(source, drain=drain, environ={})

    @live.resource("a")
    def pool(part: object) -> Iterator[Box]:
        box = Box()
        yield box
        box.open = False

    with live.lease() as snapshot:
        box = snapshot[pool]
        push(live, source, "a: 2")
        print("ready", flush=True)
        sys.stdin.readline()
        time.sleep(MOMENT)
        print("open" if box.open else "closed", flush=True)
    live.close()


if __name__ == "__main__":
    main(float(sys.argv[1]))

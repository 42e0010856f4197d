"""A program in which foreign code hangs for ever, and which then comes to its end.

`python -m tests.support.stuck PLACE DIRECTORY` prints the monotonic time at which its main part
ended.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from reloadcheck import FileSource, FrozenDict, ReloadCheck
from reloadcheck.sources import Disk

from . import config

__all__ = ["PLACES"]

PLACES = ["factory", "probe", "closer", "listener", "schema", "disk"]


def main(place: str, directory: Path) -> None:
    """Start, have the given piece of code hang in a reload, and end."""
    hanging = threading.Event()
    armed = threading.Event()

    def hang(here: str) -> None:
        if armed.is_set() and here == place:
            hanging.set()
            threading.Event().wait()

    def read(descriptor: int, size: int) -> bytes:
        hang("disk")
        return os.read(descriptor, size)

    def schema(tree: dict[str, object]) -> FrozenDict:
        hang("schema")
        return FrozenDict(tree)

    file = directory / "config.yaml"
    config.write(file, config.text(1))
    live = ReloadCheck(FileSource(file, disk=Disk(read=read)), schema=schema, settle=0.0)

    @live.resource("pool", probe=lambda _: hang("probe"))
    def pool(part: FrozenDict) -> Iterator[int]:
        hang("factory")
        yield 1
        hang("closer")

    live.subscribe(lambda _: hang("listener"))
    live.start()
    live.check()
    armed.set()
    config.write(file, config.text(2))
    threading.Thread(target=live.check, daemon=True).start()
    assert hanging.wait(30)
    assert pool.name == "pool"
    print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

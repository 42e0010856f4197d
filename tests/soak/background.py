"""Work that goes on in a thread while a block runs."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

__all__ = ["background"]

ENDING = 60.0


@contextmanager
def background(work: Callable[[threading.Event], None]) -> Generator[None]:
    """Run `work` until the block ends, which sets the event; raise there what it raised."""
    over, failures = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            work(over)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(ENDING)
    if failures:
        raise failures[0]
    if thread.is_alive():
        raise AssertionError(f"did not end within {ENDING:g} s")

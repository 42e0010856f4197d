"""A resource that tells when it was built and closed, and the edit that replaces it."""

from collections.abc import Iterator
from typing import Any

from reloadcheck import Outcome, ReloadCheck, Resource
from tests.support.rig import Text

__all__ = ["Pool", "edit", "pool_of"]


class Pool:
    """Something built from `a`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = False


def pool_of(live: ReloadCheck[Any], journal: list[str]) -> Resource[Pool]:
    """Register a pool that writes a line when it is built and when it is closed."""

    @live.resource("a")
    def pool(a: int) -> Iterator[Pool]:
        journal.append(f"built {a}")
        made = Pool(a)
        yield made
        made.closed = True
        journal.append(f"closed {a}")

    return pool


def edit(live: ReloadCheck[Any], text: Text, content: str) -> None:
    """Write a new content and have it go live."""
    before = live.snapshot.version
    text.write(content)
    assert live.check() in (Outcome.RELOADED, Outcome.UNCHANGED)  # a busy engine may have it by now
    assert live.snapshot.version == before + 1

"""The edits that the demo makes, in their order, and what each of them promises.

Takes the file to edit and the database, gives steps. A step returns after the last byte of its edit
and says what must be live afterwards; it must never look at the server itself.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from .databases import Database

__all__ = ["Content", "Expectation", "Promise", "Script", "Step"]

PIECES = 8
PAUSE = 0.1


class Promise(Enum):
    """What an edit must come to in every worker."""

    LIVE = "live"
    NOTHING = "nothing to do"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Content:
    """What the file says."""

    greeting: str
    url: str
    pool_size: int

    def text(self) -> str:
        """Return it as YAML."""
        return (
            "# The orders service. Edit this file while the service runs: no restart.\n"
            f"greeting: {self.greeting}\n"
            "database:\n"
            f"  url: {self.url}\n"
            f"  pool_size: {self.pool_size}\n"
        )

    def __repr__(self) -> str:
        return f"Content({self.greeting!r}, pool_size={self.pool_size})"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be live after a step, whether its pools are new, and the code of a rejection."""

    promise: Promise
    content: Content
    rebuilds: bool = False
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A title and the edit itself; `is_tried`: another application tries an edit of its own."""

    title: str
    perform: Callable[[], Expectation]
    is_tried: bool = False


class Script:
    """The file, and the content that is meant to be live."""

    def __init__(
        self, file: Path, database: Database, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.file = file
        self._sleep = sleep
        self._database = database
        self._first = Content("Hello", database.url(), 4)
        self.content = self._first
        self._write(self.content.text())

    def steps(self) -> list[Step]:
        """Return all steps in order; each expects the ones before it to have been performed."""
        return [
            Step("edit the greeting", self._edit),
            Step(self._database.rotation, self._rotate),
            Step("change the pool's size", self._resize),
            Step("touch the file", self._touch),
            Step("write broken YAML", self._break),
            Step(self._database.mistake, self._mistake),
            Step("write slowly, in pieces", self._dribble),
            Step("restore the file", self._restore),
            Step("break one request in five", self._restore, is_tried=True),
        ]

    def _edit(self) -> Expectation:
        return self._live(replace(self.content, greeting="Good morning"))

    def _rotate(self) -> Expectation:
        return self._live(replace(self.content, url=self._database.rotate()))

    def _resize(self) -> Expectation:
        return self._live(replace(self.content, pool_size=6))

    def _touch(self) -> Expectation:
        os.utime(self.file)
        return Expectation(Promise.NOTHING, self.content)

    def _break(self) -> Expectation:
        self._write(self.content.text().replace("greeting: ", 'greeting: "'))
        return Expectation(Promise.REJECTED, self.content, code="syntax")

    def _mistake(self) -> Expectation:
        self._write(replace(self.content, url=self._database.wrong_url()).text())
        return Expectation(Promise.REJECTED, self.content, code="factory")

    def _dribble(self) -> Expectation:
        """Truncate the file and write it in pieces; most of them end in what parses."""
        content = replace(self.content, greeting="Good evening")
        data = content.text().encode()
        size = -(-len(data) // PIECES)
        with self.file.open("wb", buffering=0) as file:
            for start in range(0, len(data), size):
                self._sleep(PAUSE)
                file.write(data[start : start + size])
        self.content = content
        return Expectation(Promise.LIVE, content)

    def _restore(self) -> Expectation:
        """Go back to the first content, with the password that is right by now."""
        return self._live(replace(self._first, url=self.content.url))

    def _live(self, content: Content) -> Expectation:
        rebuilds = (content.url, content.pool_size) != (self.content.url, self.content.pool_size)
        self._write(content.text())
        self.content = content
        return Expectation(Promise.LIVE, content, rebuilds)

    def _write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

"""A request as it is made again for a trial that compares answers: both doors fill it in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it can be made again; `path` is the whole one, `target` what is below `root`.

    `headers` are names in lower case and values; `client` is the address that it came from, `home`
    the event loop that it was served in.
    """

    method: str
    path: str
    target: str
    root: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    client: tuple[str, int] | None = field(default=None, repr=False)
    home: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request that was made again; `headers` are names in lower case and values.

    `error` is the name of the exception that came in its place; `status` is 500 then.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str | None = None

    def header(self, name: str) -> str | None:
        """Return the value of a header, by its name in lower case; None where there is none."""
        return next((value for key, value in self.headers if key == name), None)


LARGEST: Final = 1 << 20
"""Bytes of an answer's body; a larger one is not compared."""


class Repeat:
    """A request that is made again, and its answer as it comes; both doors fill it in."""

    __slots__ = ("body", "headers", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body = bytearray()

    def take(self, part: bytes) -> None:
        """Take the next part of the body; raise `OverflowError` where it is too large."""
        self.body += part
        if len(self.body) > LARGEST:
            raise OverflowError


class Repeats(Protocol):
    """Who makes a request again in process, on the version that serves and on the candidate."""

    def request(self, scope: Mapping[str, Any]) -> Request | None:
        """Return how to make it again, from its scope or environ; None where that cannot be."""
        ...

    def start(
        self,
        request: Request,
        order: Sequence[bool],
        came: Callable[[Sequence[Answered] | None], None],
    ) -> None:
        """Make it once for each of `order`, which says whether on the candidate; never blocks.

        `came` is called once, in another thread, with the answers, or None where there are none to
        compare. Raise where it cannot begin; `came` is not called then.
        """
        ...

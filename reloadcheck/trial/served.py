"""What served before: the digests that are never held up on their way back."""

from collections import deque
from typing import Final

REMEMBERED: Final = 100
"""Digests that are remembered, without a store."""


class Served:
    """The last hundred digests that served in this process."""

    def __init__(self) -> None:
        self._digests: deque[str] = deque(maxlen=REMEMBERED)

    def __contains__(self, digest: object) -> bool:
        return digest in self._digests

    def add(self, digest: str) -> None:
        """Take note of what serves; the oldest is forgotten."""
        if digest in self._digests:
            self._digests.remove(digest)
        self._digests.append(digest)

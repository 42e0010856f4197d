"""Where a statement of leave is written: beside the application's file, or in its store.

Reads and writes texts; what they say and who signed them is `leave`'s.
"""

import os
from pathlib import Path

from .._state.for_contract import statement_key
from .._state.store_orders import Orders
from ..exceptions import UsageError
from ..policy.files import bytes_of
from ..policy.statement import FIELDS, MOST_BYTES, UnsignedError, statement_of
from ..types import printable

__all__ = ["BesideFile", "InStore"]


class BesideFile:
    """The file `config.yaml.approval`; one statement at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return str(self.path)

    def texts(self) -> list[bytes]:
        """Return what is there."""
        try:
            return [bytes_of(self.path, MOST_BYTES)]
        except OSError:
            return []

    def write(self, text: str, at: float) -> None:
        """Put a statement there, whole or not at all; raise `UsageError`."""
        try:
            beside = self.path.with_name(f"{self.path.name}.new")
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, self.path)
        except OSError as error:
            raise UsageError(
                f"{printable(self.name)} cannot be written: {error.strerror}; without --key, what "
                "to sign is printed"
            ) from None


class InStore:
    """The statements of one kind in a store; each content has its own."""

    def __init__(self, orders: Orders, kind: str, store: str) -> None:
        self._orders, self._kind, self._store = orders, kind, store

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return f"the {self._kind} in {self._store}"

    def texts(self) -> list[bytes]:
        """Return what is there; raise `StoreError`."""
        return [text.encode() for text in self._orders.statements(self._kind).values()]

    def write(self, text: str, at: float) -> None:
        """Put a statement there, and take those away whose time is over; raise `StoreError`."""
        lines = "".join(line + "\n" for line in text.split("\n")[: len(FIELDS)])
        old = self._orders.statements(self._kind)
        gone = [key for key, one in old.items() if _is_over(one, at)]
        self._orders.give_leave(statement_key(self._kind, lines), text, gone)


def _is_over(text: str, at: float) -> bool:
    try:
        return statement_of(text.encode(), signed=False).until <= at
    except UnsignedError:
        return True

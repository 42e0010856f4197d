"""An entry of the history as commands print it."""

from dataclasses import asdict
from typing import Any

from .._state.ledger import Entry

__all__ = ["row_of"]


def row_of(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON has it; times are epoch seconds."""
    lists = {"changed": list(entry.changed), "secrets": list(entry.secrets)}
    return {**asdict(entry), **lists}

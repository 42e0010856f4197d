"""Whether the workers of an application judge an edit that is tried together, or each alone."""

from collections.abc import Iterator
from typing import Any

from ..._engine.engine import Engine
from .finding import Finding, passed, warned

__all__ = ["trial"]


def trial(engine: Engine[Any] | None) -> Iterator[Finding]:
    """Say who judges an edit that is tried; nothing where none is."""
    if engine is None or engine.trial is None:
        return
    if engine.companion is None:
        said = "without a store each worker judges an edit alone, by the requests that it gets"
        yield warned("trial", said, "with several workers, give them a store: store=…")
    else:
        yield passed("trial", "workers that share the store share one trial and one verdict")

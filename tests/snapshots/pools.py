"""An engine with one pool that tells when it was built and closed."""

from collections.abc import Iterator
from typing import Any

from reloadcheck import Outcome, ReloadCheck, Resource
from tests.support.fixtures import Make
from tests.support.rig import Text

DRAIN = 30.0


class Pools:
    """An engine with one resource `pool` on `a` that tells when it was built and closed."""

    def __init__(self, make: Make, text: Text, **options: Any) -> None:
        self.live: ReloadCheck[Any] = make(drain=DRAIN, **options)
        self.text = text
        self.log: list[str] = []
        self.most = 0
        self.open: set[int] = set()
        self.pool: Resource[int] = self.live.resource("a", name="pool")(self._pool)

    def _pool(self, a: int) -> Iterator[int]:
        self.log.append(f"+{a}")
        self.open.add(a)
        self.most = max(self.most, len(self.open))
        yield a
        self.log.append(f"-{a}")
        self.open.discard(a)

    def edit(self, number: int) -> Outcome:
        """Write a configuration with another `a` and check."""
        self.text.write(f"a: {number}")
        outcome = self.live.check()
        if outcome is Outcome.RELOADED:
            assert self.live.check() is Outcome.UNCHANGED
        return outcome

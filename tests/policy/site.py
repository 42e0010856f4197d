"""A site under a contract with a store: workers that start one after another, and their orders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import SQLiteStore
from tests.support.load import until

from .signing import Signers

CONTRACT = """\
reloadcheck: 1
service: shop
keys:
  database: {approve: [dba]}
  log: {window: never}
  server: {restart: true}
windows: {never: []}
approvers: allowed_signers
roles: {dba: [dora@example.test], oncall: [otto@example.test]}
override: {roles: [oncall], at_most: 4h}
"""
CONFIG = "database: {size: 1}\nlog: {level: INFO}\nserver: {bind: 0.0.0.0:80}\nfree: 1\n"


class Site:
    """One file, one store, one worker at a time, as a master starts them one after another."""

    def __init__(self, directory: Path, signers: Signers) -> None:
        self.directory, self.signers = directory, signers
        self.file = directory / "config.yaml"
        self.file.write_text(CONFIG)
        (directory / "contract.yaml").write_text(CONTRACT)
        (directory / "allowed_signers").write_text("\n".join(signers.lines) + "\n")
        self.engines: list[ReloadCheck[Any]] = []
        self.orders = Orders(SQLiteStore(directory / "store.db"), app="shop")

    def engine(self, *, start: bool = True, **options: Any) -> ReloadCheck[Any]:
        """Return a worker's engine, which has started unless it is not to."""
        given: dict[str, Any] = {
            "contract": self.directory / "contract.yaml",
            "store": SQLiteStore(self.directory / "store.db"),
            **options,
        }
        live: ReloadCheck[Any] = ReloadCheck(
            self.file,
            app="shop",
            settle=0,
            verify=0,
            window=0.1,
            environ={},
            **given,
        )
        self.engines.append(live)
        if start:
            live.start()
        return live

    def edit(self, old: str, new: str) -> None:
        """Replace a text in the file."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def editions(self, count: int) -> None:
        """Wait until the history has so many editions."""
        until(lambda: self.orders.state().edition >= count)


@pytest.fixture
def site(tmp_path: Path, signers: Signers) -> Iterator[Site]:
    """The site, all of whose workers are closed at the end."""
    made = Site(tmp_path, signers)
    yield made
    for live in made.engines:
        live.close()


def comes_to(live: ReloadCheck[Any], outcome: Outcome) -> None:
    """Wait until a check comes to an outcome."""
    until(lambda: live.check() is outcome)


def serves(live: ReloadCheck[Any], **wanted: object) -> None:
    """Wait until values are live; the store may have had them taken up by itself."""

    def holds() -> bool:
        live.check()
        config = live.snapshot.config
        found = {"level": config.log.level, "size": config.database.size, "free": config.free}
        return wanted.items() <= found.items()

    until(holds)

"""The shop whose contract the tests of leave and of verdicts are about, and its people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck.cli._inputs import loaded_object
from tests.policy.signing import Signers

APP = """\
from reloadcheck import ReloadCheck

live = ReloadCheck(
    "config.yaml", contract="contract.yaml", environment="production", settle=0, verify=0
)
"""
CONTRACT = """\
reloadcheck: 1
service: shop
keys:
  database: {approve: [dba, architect]}
  log.level: {window: never}
windows: {never: []}
approvers: allowed_signers
roles: {dba: [dora@example.test], architect: [arno@example.test], oncall: [otto@example.test]}
override: {roles: [oncall], at_most: 4h}
"""
CONFIG = "database: {url: db.example.test, pool_max: 20}\nlog: {level: INFO}\n"
DORA, ARNO, OTTO, EVE = (f"{name}@example.test" for name in ("dora", "arno", "otto", "eve"))


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    """Three people whom the shop knows, and one whom it does not."""
    people = Signers(tmp_path_factory.mktemp("keys"))
    for person in (DORA, ARNO, OTTO):
        people.add(person)
    known = people.lines.copy()
    people.add(EVE)
    people.lines[:] = known
    return people


@pytest.fixture
def shop(here: Path, signers: Signers) -> Path:
    """A working directory with the shop's module, its configuration, contract and signers."""
    (here / "service.py").write_text(APP)
    (here / "contract.yaml").write_text(CONTRACT)
    (here / "config.yaml").write_text(CONFIG)
    (here / "allowed_signers").write_text("\n".join(signers.lines) + "\n")
    return here


@pytest.fixture
def live(shop: Path) -> Iterator[ReloadCheck[Any]]:
    """The shop's engine, serving."""
    engine: Any = loaded_object("--app", "service:live")
    engine.start()
    yield engine
    engine.close()


def edit(shop: Path, old: str = "pool_max: 20", new: str = "pool_max: 30") -> None:
    """Edit the configuration."""
    text = (shop / "config.yaml").read_text()
    assert old in text
    (shop / "config.yaml").write_text(text.replace(old, new))


def key(signers: Signers, person: str) -> str:
    """Return the file of a person's key."""
    return str(signers.directory / person.split("@")[0])

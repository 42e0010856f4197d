"""What all tests share: one PostgreSQL and one Valkey for the run, engines on a clock of theirs."""

import compileall
from collections.abc import Iterator
from pathlib import Path

import pytest

import reloadcheck
from reloadcheck._snapshots.unit import unit_of_work
from reloadcheck.demo.postgres import PostgresServer
from tests.support.fixtures import clients, clock, make, outliving, ready, serve, text
from tests.support.valkey import ValkeyServer, valkey_server

__all__ = [
    "clients",
    "clock",
    "make",
    "no_unit_of_work_stays",
    "outliving",
    "postgres",
    "ready",
    "serve",
    "text",
    "valkey",
]


def pytest_configure(config: pytest.Config) -> None:
    """Compile what the programs that tests start import.

    Where Python is told to write no byte code, hundreds of them would each do it for themselves.
    """
    if not hasattr(config, "workerinput"):
        for directory in (Path(reloadcheck.__file__).parent, Path(__file__).parent / "support"):
            compileall.compile_dir(directory, quiet=2)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only tests with one mark are asked for, look for them where there are some."""
    mark = config.getoption("markexpr")
    if mark not in ("alone", "long") or collection_path.suffix != ".py":
        return None
    return f"mark.{mark}" not in collection_path.read_text(encoding="utf-8") or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and say so, what is long, unless it is asked for by `-m long`."""
    asked = config.getoption("markexpr") or ""
    if "long" in asked:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(autouse=True)
def no_unit_of_work_stays() -> Iterator[None]:
    """Fail any test after which the thread of the tests is still in a unit of work."""
    yield
    unit = unit_of_work.get()
    unit_of_work.set(None)
    assert unit is None


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server; a test makes roles and databases of its own in it."""
    with PostgresServer.start() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A running Valkey; a test flushes the database of it that it uses."""
    with valkey_server() as server:
        yield server

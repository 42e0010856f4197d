"""What all tests share: one PostgreSQL and one Valkey for the run, engines on a clock of theirs."""

import compileall
import gc
import importlib
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

import reloadcheck
from reloadcheck._snapshots.unit import unit_of_work
from reloadcheck.demo.postgres import PostgresServer
from tests.support.fixtures import (
    clients,
    clock,
    make,
    no_thread_of_ours_outlives_its_module,
    no_thread_of_ours_stays,
    outliving,
    ready,
    serve,
    text,
)
from tests.support.surroundings import settle_in
from tests.support.valkey import ValkeyServer, valkey_server

__all__ = [
    "clients",
    "clock",
    "make",
    "no_thread_of_ours_outlives_its_module",
    "no_thread_of_ours_stays",
    "no_unit_of_work_stays",
    "outliving",
    "postgres",
    "ready",
    "serve",
    "text",
    "valkey",
]


def pytest_configure(config: pytest.Config) -> None:
    """Compile what the programs that tests start import, and say how processes share the tests.

    Where Python is told to write no byte code, hundreds of programs would each compile it all. All
    of them run in the same surroundings on every machine, and Hypothesis tries the same examples
    everywhere, however long the machine takes: of itself it does so only where it sees a CI.
    """
    settle_in()
    settings.load_profile("everywhere")
    if not hasattr(config, "workerinput"):
        for directory in (Path(reloadcheck.__file__).parent, Path(__file__).parent / "support"):
            compileall.compile_dir(directory, quiet=2)
    if config.getoption("dist", "no") == "load":  # who has none left takes of who has, to the end
        config.option.dist = "worksteal"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Have several processes share what each needs to find the tests.

    pytest rewrites what a test asserts, which costs more than all the rest; it keeps that for the
    next process, where byte code may be written. So each begins with modules of its own.

    What is imported and found stays to the end: the garbage collector looks at none of it, neither
    now nor in a test that asks for a collection. Hypothesis has its generator of random numbers
    before that, or it would not see, on 3.14, that anybody keeps it.
    """
    _any_example()
    told, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    gc.disable()
    try:
        for name in _own_share(session.config):
            with suppress(Exception, pytest.skip.Exception):  # told where it is collected
                importlib.import_module(name)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        sys.dont_write_bytecode = told


settings.register_profile(
    "everywhere",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@settings(max_examples=1, derandomize=True, database=None)
@given(none())
def _any_example(nothing: None) -> None:
    """Have Hypothesis begin."""


def _own_share(config: pytest.Config) -> list[str]:
    """Name the modules that this one of several processes is the first to import."""
    worker = getattr(config, "workerinput", None)
    if worker is None:
        return []
    number, count = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
    directories = [config.invocation_params.dir / word for word in config.args]
    found = [path for one in directories for path in sorted(one.rglob("test_*.py"))]
    packaged = [path for path in found if (path.parent / "__init__.py").exists()]
    steps = [path.relative_to(config.rootpath).with_suffix("").parts for path in packaged]
    return [".".join(one) for one in steps[number::count]]


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

"""What tests of engines start from and leave behind; the conftest of a room imports it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck.testing import FakeClock, assert_all_closed
from tests.support.clients import Clients
from tests.support.rig import Call, Text, until
from tests.support.steady import SteadyClock
from tests.support.ways import Serve, through_lease, through_wsgi

Make = Callable[..., "ReloadCheck[Any]"]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves only when told, and not while a thread is at work."""
    return SteadyClock()


@pytest.fixture
def text() -> Text:
    """A source that is quiet at once."""
    return Text("a: 1\nb: 1\n")


@pytest.fixture
def outliving() -> None:
    """Have a test keep leases beyond the drain."""


@pytest.fixture
def make(clock: FakeClock, text: Text, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make engines on the fake clock and the text; they are closed at the end of the test.

    A test that leaves anything open fails, save for leases in one that is about `outliving`.
    """
    engines: list[ReloadCheck[Any]] = []

    def engine(*sources: Any, **options: Any) -> ReloadCheck[Any]:
        environ: dict[str, str] = {}
        given: dict[str, Any] = {"clock": clock, "environ": environ, **options}
        live: ReloadCheck[Any] = ReloadCheck(*(sources or (text,)), **given)
        engines.append(live)
        return live

    yield engine
    text.gate.set()
    for live in engines:
        if live.status().state not in ("idle", "closed"):
            for _ in range(10):
                Call(live.close).result(clock, step=5.0)
        if "outliving" not in request.fixturenames:
            assert_all_closed(live)


@pytest.fixture
def clients(make: Make) -> Clients:
    """An engine with an async resource, not started."""
    return Clients(make(window=0))


@pytest.fixture(params=[through_lease, through_wsgi], ids=["lease", "wsgi"])
def serve(request: pytest.FixtureRequest) -> Serve:
    """A unit of work that gives the version it saw."""
    found: Serve = request.param
    return found


@pytest.fixture
def ready(make: Make, serve: Serve) -> "ReloadCheck[Any]":
    """An engine that has just concluded a check and has served."""
    live = make(window=1.0, patience=5.0)
    live.start()
    serve(live)
    assert live.check() is Outcome.UNCHANGED
    return live


def _left(before: set[threading.Thread]) -> list[str]:
    new = set(threading.enumerate()) - before
    return [thread.name for thread in new if thread.name.startswith("reloadcheck-")]


def _see_them_end() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until(lambda: not _left(before), or_say=lambda: f"still runs: {_left(before)}")


@pytest.fixture(autouse=True)
def no_thread_of_ours_stays() -> Iterator[None]:
    """Fail any test after which a thread of the package more runs than before.

    It may take its time to end, and the next test begins when it has.
    """
    yield from _see_them_end()


@pytest.fixture(autouse=True, scope="module")
def no_thread_of_ours_outlives_its_module() -> Iterator[None]:
    """Fail a module whose own fixtures leave a thread of the package."""
    yield from _see_them_end()

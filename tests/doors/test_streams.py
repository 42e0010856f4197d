"""Generators behind the WSGI door: passed on as what they are, and a lease from call to end."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import OutsideWorkError, ReloadCheck, current_snapshot
from reloadcheck._engine.api import engine_of
from reloadcheck._runtime.refcounts import counts_references
from reloadcheck._snapshots.unit import READS, unit_of_work
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.fixtures import Make
from tests.support.rig import Call, begin, same, until

pytestmark = pytest.mark.skipif(
    not counts_references(), reason="without exact reference counts there is no fast path"
)


def start(status: str, headers: list[tuple[str, str]]) -> None:
    """Take the status and the headers of an answer."""


class Parts:
    """An application of two parts, which notes how it ends."""

    def __init__(self) -> None:
        self.pool: Any = None
        self.units: list[Any] = []
        self.ended: list[BaseException | None] = []
        self.bodies: list[Iterator[bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        self.bodies.append(self._parts())
        return self.bodies[-1]

    def _parts(self) -> Iterator[bytes]:
        try:
            yield b"a"
            current_snapshot()[self.pool]
            self.units.append(unit_of_work.get())
            yield b"b"
        except BaseException as error:
            self.ended.append(error)
            raise
        self.ended.append(None)


@pytest.fixture
def live(make: Make, app: Parts) -> ReloadCheck[Any]:
    """An engine whose doors find a fresh snapshot."""
    engine = make(window=100.0)
    app.pool = engine.resource("a", name="pool")(same)
    begin(engine)
    return engine


def leases(live: ReloadCheck[Any]) -> int:
    """Return how many there are; those who are known by name are among them, and no others."""
    found = sum(live.status().leases.values())
    fresh = engine_of(live).cell.fresh
    assert fresh is None or len(fresh.known) <= found
    return found


Ask = Callable[[], Any]


@pytest.fixture
def app() -> Parts:
    """The application."""
    return Parts()


@pytest.fixture
def ask(live: ReloadCheck[Any], app: Parts) -> Ask:
    """Make a request by the fast path."""
    door: Any = ReloadCheckMiddleware(app, live)
    list(door({"PATH_INFO": "/first"}, start))
    app.ended.clear()
    Call(live.check).result()
    until(lambda: engine_of(live).cell.fresh is not None)
    return lambda: door({"PATH_INFO": "/"}, start)


def outside() -> bool:
    """Return whether this code runs in no unit of work."""
    try:
        current_snapshot()
    except OutsideWorkError:
        return True
    return False


def test_a_generator_ends_its_lease_with_its_last_part(
    live: ReloadCheck[Any], app: Parts, ask: Ask
) -> None:
    """Also where nobody closes it: a server that forgets to holds nothing."""
    body = ask()
    assert leases(live) == 1
    assert list(body) == [b"a", b"b"]
    assert (leases(live), outside()) == (0, True)
    assert app.ended == [None]
    assert app.units[-1][READS:] == []  # a context that was copied meanwhile keeps no resource
    body.close()
    assert leases(live) == 0


@pytest.mark.parametrize("taken", [0, 1], ids=["before the first part", "after it"])
def test_a_generator_that_is_closed_early_is_closed_to_the_bottom(
    live: ReloadCheck[Any], app: Parts, ask: Ask, taken: int
) -> None:
    """The application's own generator ends with it, and so does the lease."""
    body = ask()
    for _ in range(taken):
        next(body)
    body.close()
    assert (leases(live), outside()) == (0, True)
    assert taken == len(app.ended)
    assert list(app.bodies[-1]) == []


def test_what_is_thrown_into_a_generator_reaches_the_application(
    live: ReloadCheck[Any], app: Parts, ask: Ask
) -> None:
    """It passes, and ends the lease; the body is a generator, as the application's was."""
    body, error = ask(), ConnectionError()
    next(body)
    with pytest.raises(ConnectionError):
        body.throw(error)
    assert [error] == app.ended
    assert (leases(live), outside()) == (0, True)


def test_a_generator_that_is_dropped_late_takes_no_other_request_its_snapshot(
    live: ReloadCheck[Any], ask: Ask
) -> None:
    """The collector may throw it away in the midst of the thread's next request."""

    def serve() -> tuple[bool, int]:
        old = ask()
        next(old)
        with live.lease() as snapshot:
            del old
            gc.collect()
            return current_snapshot() is snapshot, leases(live)

    assert Call(serve).result() == (True, 1)
    assert leases(live) == 0

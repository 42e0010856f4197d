"""An etcd that is away under load, and edits in it, as real servers with their workers see them."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.stores.outage import KEY, outage, site, write
from tests.support.etcd import etcd_server
from tests.support.lateness import watched

pytestmark = pytest.mark.alone


@pytest.mark.long
def test_an_etcd_that_is_stopped_fails_no_request_and_is_asked_seldom() -> None:
    """Edits of a file go on, or wait where workers act together; `outage --seconds 60` is longer.

    A second for the window, one for a busy machine; a look that hangs takes two.
    """
    found = outage(6.0, killed=False)
    assert found.failures == ()
    assert found.requests > 100
    assert found.asked <= 0.75  # once in two seconds, and the one that has just begun
    assert found.asked_by_both <= 1.25
    assert found.live < 3.0
    assert found.waited
    assert found.back < 12.0
    assert found.back_together < 12.0


@pytest.mark.long
def test_an_edit_in_etcd_is_live_on_twelve_workers_within_a_second(tmp_path: Path) -> None:
    """The best of three, of three applications.

    What the machine was late to wake a process meanwhile is taken off.
    """
    with twelve_workers(tmp_path) as live_after:
        assert min(live_after(number) for number in (2, 3, 4)) < 1.0


def test_an_edit_in_etcd_is_told_to_twelve_workers(tmp_path: Path) -> None:
    """Nobody waits for the range that is asked for each ten seconds, in case a watch is silent."""
    with twelve_workers(tmp_path) as live_after:
        assert live_after(2) < 8.0


@contextmanager
def twelve_workers(directory: Path) -> Generator[Callable[[int], float]]:
    """Run three applications of four workers, and give after how long an edit serves on all."""
    with ExitStack() as stack:
        etcd = stack.enter_context(etcd_server())
        write(etcd, 1)
        sites = [
            stack.enter_context(site(name, etcd.port, directory, 4, key=KEY))
            for name in ("shop", "orders", "mail")
        ]

        def live_after(number: int) -> float:
            with watched() as machine:
                begun = time.monotonic()
                write(etcd, number)
                for one in sites:
                    one.load.reaches(number, one.everyone)
                return time.monotonic() - begun - machine.excuses

        yield live_after
        assert [failure for one in sites for failure in one.load.failures] == []

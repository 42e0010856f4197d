"""An etcd that is away under load, and edits in it, as real servers with their workers see them."""

import time
from contextlib import ExitStack
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


def test_an_edit_in_etcd_is_live_on_twelve_workers_of_three_applications(tmp_path: Path) -> None:
    """Within a second at the best of three: a look each window, and the first wakes the others.

    What the machine was late to wake a process meanwhile is taken off.
    """
    took: list[float] = []
    with ExitStack() as stack:
        etcd = stack.enter_context(etcd_server())
        write(etcd, 1)
        sites = [
            stack.enter_context(site(name, etcd.port, tmp_path, 4, key=KEY))
            for name in ("shop", "orders", "mail")
        ]
        for number in (2, 3, 4):
            with watched() as machine:
                begun = time.monotonic()
                write(etcd, number)
                for one in sites:
                    one.load.reaches(number, one.everyone)
                took.append(time.monotonic() - begun - machine.excuses)
            if took[-1] < 1.0:
                break
        assert [failure for one in sites for failure in one.load.failures] == []
    assert min(took) < 1.0, took

"""A status of an engine with many resources."""

import time

from reloadcheck import ReloadCheck
from reloadcheck.testing import MemorySource


def anything(_: object) -> object:
    """Build something."""
    return object()


def test_a_status_takes_time_in_proportion_to_the_resources() -> None:
    """Four times as many take about four times as long, not sixteen: it may run on a loop."""
    seconds: dict[int, float] = {}
    for count in (500, 2000):
        live = ReloadCheck(MemorySource({"a": 1}), environ={})
        for number in range(count):
            live.resource("a", name=f"resource {number}")(anything)
        live.start()
        taken: list[float] = []
        for _ in range(5):
            begun = time.thread_time()
            assert len(live.status().resources) == count
            taken.append(time.thread_time() - begun)
        seconds[count] = min(taken)
        live.close()
    assert seconds[2000] < 9 * seconds[500]

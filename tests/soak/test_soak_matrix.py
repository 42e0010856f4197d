"""Each resource under real app servers, with real servers behind it, for a moment; for as long as
you like: `python -m tests.soak`. A database and caches by default, the others by `-m long`.
"""

from collections.abc import Callable

import pytest

from .backends import Backends
from .matrix import Entry, Kind, chosen
from .sides import Side
from .trial import Pace, trial

pytestmark = pytest.mark.alone

PACE = Pace(seconds=1.0, rate=400.0, edit=0.2, refuse_every=4)


def _is_the_machines(problem: str) -> bool:
    few = ("1 instances at once", "no request outlasted a reload", "built 0 times", "built 1 times")
    return any(words in problem for words in (*few, "an edit was live after"))


PAIRS = list(zip(chosen("async"), chosen("sync"), strict=True))
SHORT = PAIRS[0], PAIRS[3]


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(
            (one, two),
            id=f"{one.name}, {two.name}",
            marks=() if (one, two) in SHORT else pytest.mark.long,
        )
        for one, two in PAIRS
    ],
)
def test_a_resource_is_replaced_while_it_is_used(
    pair: tuple[Entry, Entry], servers: Backends, app_server: Callable[[Kind], Side]
) -> None:
    """No error, no torn answer, two pools' connections at most, none left; wrong credentials are
    refused and change nothing.
    """
    sides, names = [app_server(one.kind) for one in pair], [one.name for one in pair]
    report = trial(sides, servers, PACE, names)
    for _ in range(2):
        # A busy machine may show too little of it in a second, or late, but never anything else.
        if report.problems and all(_is_the_machines(problem) for problem in report.problems):
            report = trial(sides, servers, PACE, names)
    assert report.problems == [], report.table()


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_server_that_ends_leaves_no_connection(
    kind: Kind, servers: Backends, app_server: Callable[[Kind], Side]
) -> None:
    """What a server's resources had open is closed when the server ends, though it served."""
    side = app_server(kind)
    names = {entry.name for entry in side.entries}
    assert names <= servers.connected()
    side.server.stop()
    assert set() == servers.left_over(names)

"""Every server that the README names: an edit reaches each worker, and the end is as without us.

All are started by one fixture, several at a time because they mostly wait; each test reads one
result. The table is printed with the summary of the test run.
"""

import asyncio
from dataclasses import replace

import pytest

from .catalog import SERVERS, Kind
from .conftest import MEASURED
from .once import once
from .trial import run
from .verdict import GRACE, SETTLE, STOP_GRACE, WINDOW, Result, problems, row, table


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Result]:
    """Try the servers whose tests were chosen."""
    chosen = {item.name for item in request.session.items}
    kinds = [kind for kind in SERVERS if f"test_on_a_server[{kind.name}]" in chosen]
    directory = tmp_path_factory.mktemp("servers")
    base = tmp_path_factory.getbasetemp()
    return once("servers", base, lambda: asyncio.run(run(kinds, directory)))


BESIDES = {
    "gunicorn gthread --preload",
    "gunicorn gevent --preload",
    "gunicorn uvicorn-worker",
    "uwsgi --enable-threads",
    "uwsgi --lazy-apps",
    "werkzeug",
}
"""Those that differ from another one in what `test_forks` has too, or in little: `-m long`."""


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, id=kind.name, marks=pytest.mark.long if kind.name in BESIDES else ())
        for kind in SERVERS
    ],
)
def test_on_a_server(
    kind: Kind, results: dict[str, Result], measured: list[tuple[str, object]]
) -> None:
    """Every worker has the edit in time; a response under way keeps its version.

    Signals lead where they did, and the server stops with the same status, as soon, and whole.
    """
    measured.append((MEASURED, row(results[kind.name])))
    assert problems(results[kind.name]) == [], results[kind.name].log


KIND = SERVERS[0]
LATEST = WINDOW + SETTLE + GRACE
GOOD = Result(
    KIND,
    picked_up=(0.2, LATEST),
    streamed=frozenset({1}),
    same_workers=True,
    same_signals=True,
    status=0,
    bare_status=0,
    stop=1.0 + STOP_GRACE,
    bare_stop=1.0,
    gone=True,
)


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, error="it did not start"),
        replace(GOOD, picked_up=(0.2, LATEST + 0.1), control=0.05),
        replace(GOOD, failures=("status 500",)),
        replace(GOOD, streamed=frozenset({1, 2})),
        replace(GOOD, streamed=frozenset()),
        replace(GOOD, same_workers=False),
        replace(GOOD, same_signals=False),
        replace(GOOD, status=1),
        replace(GOOD, stop=1.0 + STOP_GRACE + 0.01),
        replace(GOOD, gone=False),
    ],
)
def test_a_fault_is_found(bad: Result) -> None:
    """Each thing that a trial looks at makes a problem of its own when it is wrong."""
    assert problems(GOOD) == []
    assert len(problems(bad)) == 1


def test_the_table_fits_the_screen() -> None:
    """No line is longer than 80 columns, and what failed shows."""
    bad = replace(GOOD, kind=Kind("a name of 26 characters ab", KIND.command, 2), status=-15)
    lines = table([GOOD, bad])
    assert [line for line in lines if len(line) > 80] == []
    assert lines[1].endswith("ok")
    assert lines[2].endswith("NO")

"""However a process forks: each child has a pool of its own, and the parent's is left alone.

All ways are tried at the same time by one fixture; each test reads one result.
"""

import asyncio
from dataclasses import replace

import pytest

from reloadcheck.demo.postgres import PostgresServer

from .forks import WAYS, Told, problems, run


@pytest.fixture(scope="module")
def told(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
) -> dict[str, Told | BaseException]:
    """Try the ways whose tests were chosen."""
    chosen = {item.name for item in request.session.items}
    names = [name for name in WAYS if f"test_forked_processes[{name}]" in chosen]
    return asyncio.run(run(names, postgres.url(), tmp_path_factory.mktemp("forks")))


@pytest.mark.parametrize("way", WAYS)
def test_forked_processes(way: str, told: dict[str, Told | BaseException]) -> None:
    """Every process asks over connections that it built itself, and gets the edit.

    What the parent had built before the fork is neither used nor closed by a child, also when a
    child ends and another takes its place.
    """
    found = told[way]
    if isinstance(found, BaseException):
        raise found
    assert problems(found) == [], found.log


def _answer(pid: int, backend: int, built: str) -> dict[str, object]:
    return {"pid": pid, "number": 1, "backend": backend, "built": built}


GOOD = Told(
    parent=1,
    early=True,
    answers=(_answer(2, 20, "1 of 2"), _answer(3, 30, "1 of 3")),
    before=frozenset({10}),
    after=frozenset({10}),
    converged=True,
    failures=(),
    status=0,
    gone=True,
)


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, answers=(_answer(2, 20, "1 of 1"),)),
        replace(GOOD, answers=(_answer(2, 20, "2 of 2"),)),
        replace(GOOD, answers=(_answer(2, 20, "1 of 2"), _answer(3, 20, "1 of 3"))),
        replace(GOOD, answers=(_answer(2, 10, "1 of 2"),)),
        replace(GOOD, after=frozenset()),
        replace(GOOD, before=frozenset(), after=frozenset()),
        replace(GOOD, converged=False),
        replace(GOOD, failures=("status 500",)),
        replace(GOOD, status=-11),
        replace(GOOD, gone=False),
    ],
)
def test_a_fault_is_found(bad: Told) -> None:
    """Each thing that is looked at makes a problem of its own when it is wrong."""
    assert problems(GOOD) == []
    assert len(problems(bad)) == 1

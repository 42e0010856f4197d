"""However a process forks: each child has a pool of its own, and the parent's is left alone.

All ways are tried at the same time by one fixture; each test reads one result.
"""

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reloadcheck._engine.uwsgi import warn_before_forks
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.demo.workspace import free_port
from tests.support.servers import serving

from .catalog import uwsgi
from .forks import WAYS, WSGI, Told, problems, run
from .once import once


@pytest.fixture(scope="module")
def told(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,
) -> dict[str, Told | BaseException]:
    """Try the ways whose tests were chosen."""
    chosen = {item.name for item in request.session.items}
    names = [name for name in WAYS if f"test_forked_processes[{name}]" in chosen]
    base = tmp_path_factory.getbasetemp()
    directory = tmp_path_factory.mktemp("forks")
    return once("forks", base, lambda: asyncio.run(run(names, postgres.url(), directory)))


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
    assert "before uWSGI forks" not in found.log


PATCHED_LATE = """
import sys, threading
from reloadcheck import ReloadCheck

live = ReloadCheck(sys.argv[1])
from gevent import monkey
monkey.patch_all()
seen = []

def use():
    with live.lease() as snapshot:
        seen.append(snapshot.config["number"])

users = [threading.Thread(target=use) for _ in range(5)]
for user in users:
    user.start()
for user in users:
    user.join()
live.close()
print(seen)
"""


def test_an_app_that_was_loaded_before_gevent_patched_it(tmp_path: Path) -> None:
    """As with `gunicorn --preload -k gevent`: requests that come first, and together, all begin."""
    config = tmp_path / "app.yaml"
    config.write_text("number: 1\n")
    command = [sys.executable, "-W", "ignore", "-c", PATCHED_LATE, str(config)]
    done = subprocess.run(command, capture_output=True, timeout=30, text=True, check=False)
    assert done.stdout == "[1, 1, 1, 1, 1]\n", done.stderr


class UWSGI:
    """The module that uWSGI provides, in its master or in a worker of it."""

    def __init__(self, worker: int = 0, master: int = 7, numproc: int = 1, **opt: object) -> None:
        self._worker = worker
        self._master = master
        self.numproc = numproc
        self.opt = {key.replace("_", "-"): value for key, value in opt.items()}

    def worker_id(self) -> int:
        """Return the worker's number, 0 in the master."""
        return self._worker

    def masterpid(self) -> int:
        """Return the master's pid, 0 without one."""
        return self._master


@pytest.mark.parametrize(
    ("uwsgi", "warned"),
    [
        (UWSGI(), True),
        (UWSGI(master=0, numproc=2), True),
        (UWSGI(master=0), False),
        (UWSGI(worker=1), False),
        (UWSGI(py_call_uwsgi_fork_hooks=True), False),
        (None, False),
        (object(), False),
    ],
)
def test_uwsgi_that_will_fork_is_warned_of(
    uwsgi: object, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, by name of the option to add, where the fork is still to come and no hook will run."""
    warn_before_forks({"uwsgi": uwsgi})
    assert ("--py-call-uwsgi-fork-hooks" in caplog.text) is warned


def test_a_uwsgi_master_says_so_itself(postgres: PostgresServer, tmp_path: Path) -> None:
    """The module that it provides is as we think."""
    config = tmp_path / "app.yaml"
    config.write_text(f"number: 1\ndatabase: {{number: 1, url: '{postgres.url()}'}}\n")
    environ = {"SERVERS_CONFIG": str(config), "SERVERS_EARLY": "1"}
    command = uwsgi(app=WSGI)(free_port())
    with serving(command, environ, tmp_path, listen=False) as server:
        server.logs("--lazy-apps or --py-call-uwsgi-fork-hooks")


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

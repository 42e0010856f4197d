"""Celery's own worker on a real Valkey: tasks follow the file, and keep their version."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery, Task, signals
from celery.result import AsyncResult

from reloadcheck import (
    ConfigSyntaxError,
    FrozenDict,
    OutsideWorkError,
    ReloadCheck,
    current_snapshot,
)
from reloadcheck.integrations.celery import CeleryReloadCheck
from tests.support import config, journal
from tests.support.load import until
from tests.support.servers import Server, environment, serving
from tests.support.task_client import client_of
from tests.support.valkey import ValkeyServer

if TYPE_CHECKING:
    AnyTask = Task[..., Any]
else:
    AnyTask = Task  # Celery before 5.5 has no generic class

SECONDS = 30.0
POOLS = {"prefork": 2, "threads": 2, "solo": 1}
"""Each kind of pool, with how many tasks it runs at once."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A worker, and what sends tasks to it."""

    app: Celery
    worker: Server
    file: Path
    journal: Path

    def send(self, name: str, *args: object) -> "AsyncResult[Any]":
        """Have a task run."""
        return self.app.send_task(f"tests.support.celery_app.{name}", args)

    def ask(self, name: str, *args: object) -> Any:
        """Have a task run, and wait for what it says."""
        return self.send(name, *args).get(timeout=SECONDS)

    def everywhere(self, at_once: int) -> list[dict[str, Any]]:
        """Have as many tasks run as do so at once, and give what each sees; none is torn."""
        with TemporaryDirectory(dir=self.file.parent) as place:
            sent = [self.send("report", place, at_once) for _ in range(at_once)]
            said = [one.get(timeout=SECONDS) for one in sent]
        for one in said:
            assert one["number"] == one["pool"] == one["end"]
            assert one["closed"] is False
        return said

    def follows(self, number: int, at_once: int) -> None:
        """Edit the file, and wait until all that run at once see it."""
        config.replace(self.file, config.text(number))
        until(lambda: {one["number"] for one in self.everywhere(at_once)} == {number})


@contextmanager
def working(
    pool: str, valkey: ValkeyServer, directory: Path, *, ready: bool = True
) -> Generator[Queue]:
    """Run a worker on a database of its own until the block ends."""
    url = valkey.url(list(POOLS).index(pool))
    file = directory / "config.yaml"
    if not file.exists():
        config.write(file, config.text(1))
    environ = {**environment(file, directory / "journal"), "RIG_BROKER": url}
    command = [sys.executable, "-m", "celery", "-A", "tests.support.celery_app", "worker"]
    pools = ["--pool", pool, "--concurrency", str(POOLS[pool])]
    plain = ["--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with (
        serving([*command, *pools, *plain], environ, directory, listen=False) as worker,
        client_of(url) as app,
    ):
        if ready:
            worker.logs(" ready.")
        yield Queue(app, worker, file, directory / "journal")


@pytest.mark.parametrize(
    "pool", ["prefork", "solo", pytest.param("threads", marks=pytest.mark.long)]
)
def test_tasks_follow_the_file_and_keep_their_version(
    pool: str, valkey: ValkeyServer, tmp_path: Path
) -> None:
    """Without a restart: each task is of one version to its end, a retry is of the next.

    When the worker ends, whatever was built is closed once, in the process that built it. The
    process that forks tries the configuration, closes what it built, and only then forks.
    """
    at_once = POOLS[pool]
    with working(pool, valkey, tmp_path) as queue:
        if pool == "prefork":  # each process has built before its first task
            until(lambda: len({one.pid for one in journal.read(queue.journal)}) == 1 + at_once)
        queue.follows(2, at_once)

        long, retried = str(tmp_path / "long"), str(tmp_path / "retried")
        one = queue.send("slow", long)
        until(Path(long + ".begun").exists)
        if at_once > 1:
            queue.follows(3, at_once - 1)
        Path(long).touch()
        first, second = one.get(timeout=SECONDS)
        assert (first["number"], first) == (2, second)

        queue.follows(3, at_once)
        two = queue.send("again", retried)
        until(Path(retried + ".begun").exists)
        config.replace(queue.file, config.text(4))
        Path(retried).touch()
        first, second = two.get(timeout=SECONDS)
        assert (first["number"], second["number"] in (3, 4)) == (3, True)

        queue.follows(4, at_once)
        said = queue.ask("process")
        assert (said["state"], said["leases"], said["instances"]) == ("serving", 1, 1)
        assert queue.worker.stop() == 0
    entries = journal.read(queue.journal)
    assert journal.closed_once(entries)
    assert journal.still_open(entries) == []
    assert journal.most_open(entries) <= 2
    mine = [one for one in entries if one.pid == queue.worker.process.pid]
    if pool == "prefork":
        assert [one.event for one in mine] == ["built", "closed"]
        assert mine[-1].at < min(one.at for one in entries if one not in mine)
    else:
        assert mine == entries


def test_a_worker_refuses_to_start_on_a_bad_configuration(
    valkey: ValkeyServer, tmp_path: Path
) -> None:
    """It ends at once, with the sentence that names file, line and column."""
    file = tmp_path / "config.yaml"
    config.write(file, "number: [1\n")
    with working("threads", valkey, tmp_path, ready=False) as queue:
        assert queue.worker.process.wait(SECONDS) == 1
        assert f"{file}:1:9: " in queue.worker.log.splitlines()[-1]


@pytest.fixture
def unconnected() -> Iterator[None]:
    """Celery's signals heard by nobody, such as a page's example; and as they were, afterwards."""
    connected = [signals.worker_init, signals.worker_process_init, signals.worker_shutdown]
    connected += [signals.worker_before_create_process, signals.worker_process_shutdown]
    connected += [signals.task_prerun, signals.task_postrun]
    before = [list(signal.receivers or ()) for signal in connected]
    for signal in connected:
        signal.receivers = []
    yield
    for signal, receivers in zip(connected, before, strict=True):
        signal.receivers = receivers


@pytest.fixture
def here(unconnected: None, tmp_path: Path) -> Iterator[tuple[Celery, ReloadCheck[FrozenDict]]]:
    """An app whose tasks run in this process, and its engine."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1))
    live = ReloadCheck(file, window=0.0, settle=0.0, environ={})
    with Celery("here", set_as_current=False) as app:
        CeleryReloadCheck(live, app)
        yield app, live
    live.close()


Here = tuple[Celery, ReloadCheck[FrozenDict]]


@dataclass(frozen=True)
class Sender:
    """Stands for the worker that Celery's signal is about."""

    app: Celery


def leases(live: ReloadCheck[FrozenDict]) -> int:
    """Count the units of work that hold a snapshot."""
    return sum(live.status().leases.values())


def test_without_a_configuration_a_task_fails_before_its_first_line(
    here: Here, tmp_path: Path
) -> None:
    """With the cause; the process starts all the same, and the next task after the repair runs."""
    app, live = here
    config.write(tmp_path / "config.yaml", "number: [1\n")
    began: list[int] = []

    @app.task
    def work() -> int:
        began.append(1)
        return int(live.current().config["number"])

    signals.worker_process_init.send(sender="host")
    result = work.apply()
    assert isinstance(result.result, ConfigSyntaxError)
    assert (result.status, began, leases(live)) == ("FAILURE", [], 0)
    config.write(tmp_path / "config.yaml", config.text(2))
    assert (work.apply().get(), began, leases(live)) == (2, [1], 0)


def test_a_task_of_any_class_has_its_lease_to_its_end(here: Here, tmp_path: Path) -> None:
    """Also one that is not derived from the app's class, and in `after_return`."""
    app, live = here
    after: list[tuple[str, int]] = []

    class Kind(AnyTask):
        def after_return(
            self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any
        ) -> None:
            after.append((status, live.current().config["number"]))

    @app.task(base=Kind)
    def work(fail: bool) -> int:
        config.write(tmp_path / "config.yaml", config.text(2))
        live.check()
        assert live.snapshot.config["number"] == 2
        config.write(tmp_path / "config.yaml", config.text(1))
        if fail:
            raise ValueError
        return int(current_snapshot().config["number"])

    assert work.apply((False,)).get() == 1
    live.check()
    assert work.apply((True,)).status == "FAILURE"
    assert after == [("SUCCESS", 1), ("FAILURE", 1)]
    assert leases(live) == 0


def test_a_task_called_by_a_task_shares_its_version(here: Here, tmp_path: Path) -> None:
    """A task run in place joins the unit of work around it, and ends only its own lease."""
    app, live = here

    @app.task
    def inner() -> tuple[int, int]:
        return leases(live), live.current().config["number"]

    @app.task
    def outer() -> list[Any]:
        config.write(tmp_path / "config.yaml", config.text(2))
        live.check()
        return [inner.apply().get(), leases(live), live.current().config["number"]]

    assert outer.apply().get() == [(2, 1), 1, 1]
    assert leases(live) == 0


def test_a_worker_that_runs_tasks_itself_opens_and_closes_once(here: Here) -> None:
    """A solo pool tells of a process that starts, and it is the one that has checked."""
    app, live = here
    signals.worker_init.send(sender=Sender(app))
    assert live.status().state == "serving"
    signals.worker_process_init.send(sender="host")
    signals.worker_shutdown.send(sender=Sender(app))
    assert live.status().state == "closed"


def test_tasks_of_another_app_are_left_alone(here: Here) -> None:
    """Signals are Celery's, not an app's: another app's tasks and workers are none of ours."""
    _, live = here
    with Celery("other", set_as_current=False) as other:

        @other.task
        def work() -> str:
            with pytest.raises(OutsideWorkError):
                live.current()
            return live.status().state

        signals.worker_init.send(sender=Sender(other))
        assert work.apply().get() == "idle"

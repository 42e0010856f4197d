"""Four real workers that act as one, through edits, kills, stops and starts."""

import os
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from reloadcheck import Orders
from reloadcheck.stores import SQLiteStore
from tests.support import config
from tests.support.halting import halt
from tests.support.lateness import watched
from tests.support.load import Answer, Load, get, until
from tests.support.servers import Server, gunicorn, serving, uvicorn

from .conftest import MEASURED

DEADLINE = 2.0


@dataclass
class Crew:
    """Four workers of a server, their file, and what a test does to them."""

    server: Server
    file: Path
    stage: Path
    orders: Orders
    numbers: Iterator[int]

    def edit(self) -> int:
        """Edit the file; return its number."""
        number = next(self.numbers)
        config.replace(self.file, config.text(number))
        return number

    def pids(self) -> list[int]:
        """Return the processes of all members."""
        return sorted(one.pid for one in self.orders.members().values())

    def served(self) -> set[object]:
        """Return the editions that members serve, if there are four."""
        members = list(self.orders.members().values())
        state = self.orders.state()
        if len(members) != 4:
            return {"members", len(members)}
        return {one.content == state.active for one in members}

    def all_serve(self, edition: int) -> bool:
        """Return whether all four serve an edition."""
        return self.orders.state().edition == edition and self.served() == {True}

    @property
    def edition(self) -> int:
        """The number of what is active."""
        return self.orders.state().edition

    @contextmanager
    def staged(self, what: str, pid: int) -> Generator[Path]:
        """Let a process fail or wait while the block runs."""
        mark = self.stage / f"{what}-{pid}"
        mark.touch()
        try:
            yield mark
        finally:
            mark.unlink(missing_ok=True)


@contextmanager
def crew_of(command: list[str], directory: Path) -> Generator[Crew]:
    """Run a server with four workers that are members."""
    file, stage = directory / "config.yaml", directory / "stage"
    stage.mkdir()
    config.write(file, config.text(1))
    store = directory / "state" / "store.db"
    environ = {
        "SERVERS_CONFIG": str(file),
        "SERVERS_STORE": str(store),
        "SERVERS_STAGE": str(stage),
        "SERVERS_DEADLINE": str(DEADLINE),
        "RELOAD_CHECK_WINDOW": "0.2",
        "RELOAD_CHECK_SETTLE": "0.1",
    }
    with serving(command, environ, directory) as server:
        orders = Orders(SQLiteStore(store), app="shop")
        crew = Crew(server, file, stage, orders, count(2))
        until(lambda: store.exists() and crew.all_serve(1), 40.0)
        yield crew


def test_four_workers_act_as_one(tmp_path: Path, measured: list[tuple[str, object]]) -> None:
    """Each edit is live on all or on none, with no request failed, whatever becomes of a worker."""
    command = gunicorn("tests.servers.acting_wsgi:app", "--workers", "4")
    with crew_of(command, tmp_path) as crew:
        with Load(crew.server.port, clients=3, pace=0.03) as load:
            _an_edit_goes_live(crew, load, measured)
            _one_that_fails_refuses_for_all(crew)
            _one_that_waits_is_waited_for(crew)
            _an_edit_is_taken_back(crew)
            _two_in_a_row(crew)
        assert load.failures == []
        assert not [answer for answer in load.answers if answer.torn]
        _idle_workers_take_part(crew)
        _one_is_killed_in_mid_round(crew)


def test_four_workers_of_an_event_loop_act_as_one(
    tmp_path: Path, measured: list[tuple[str, object]]
) -> None:
    """The same of uvicorn's workers: an edit, no request at all, a kill."""
    command = uvicorn("tests.servers.acting_asgi:app", "--workers", "4")
    with crew_of(command, tmp_path) as crew:
        with Load(crew.server.port, clients=3, pace=0.03) as load:
            _an_edit_goes_live(crew, load, measured)
        assert load.failures == []
        _idle_workers_take_part(crew)
        _one_is_killed_in_mid_round(crew)


def test_a_stopped_worker_is_waited_for_no_longer_than_the_deadline(tmp_path: Path) -> None:
    """Refused for all, then live on those who are left; it catches up when it goes on."""
    command = gunicorn("tests.servers.acting_wsgi:app", "--workers", "4", "--timeout", "60")
    with crew_of(command, tmp_path) as crew:
        victim = crew.pids()[0]
        halt([victim])
        try:
            before = crew.edition
            number = crew.edit()
            with Load(crew.server.port, clients=2, pace=0.05):
                until(lambda: crew.orders.state().refused is not None)
                assert before == crew.edition
                until(lambda: crew.edition == before + 1, 60.0)
        finally:
            os.kill(victim, signal.SIGCONT)
        until(lambda: crew.all_serve(before + 1))
        assert number == get(crew.server.port).number


def _an_edit_goes_live(crew: Crew, load: Load, measured: list[tuple[str, object]]) -> None:
    def answers(number: int) -> list[Answer]:
        return [answer for answer in list(load.answers) if answer.number == number]

    with watched() as machine:
        until(lambda: bool(answers(1)))
        number = crew.edit()
        until(lambda: crew.all_serve(2))
        time.sleep(0.2)
        until(lambda: bool(answers(number)))
    old, new = answers(number - 1), answers(number)
    spread = max(one.begun for one in old) - min(one.begun for one in new)
    measured.append((MEASURED, f"four workers swapped within {1000 * max(spread, 0):.0f} ms"))
    assert spread < 1.5 + machine.excuses


def _one_that_fails_refuses_for_all(crew: Crew) -> None:
    before, victim = crew.edition, crew.pids()[1]
    with crew.staged("fails", victim):
        crew.edit()
        until(lambda: crew.orders.state().refused is not None)
        refused = crew.orders.state().refused
        assert refused is not None
        assert f"/{victim}/" in str(refused.error)
        assert (before, {True}) == (crew.edition, crew.served())
    until(lambda: crew.all_serve(before + 1), 40.0)


def _one_that_waits_is_waited_for(crew: Crew) -> None:
    before = crew.edition
    with crew.staged("waits", crew.pids()[2]):
        number = crew.edit()
        until(lambda: crew.orders.state().round is not None)
        assert get(crew.server.port).number == number - 1
        assert before == crew.edition
    until(lambda: crew.all_serve(before + 1), 40.0)


def _an_edit_is_taken_back(crew: Crew) -> None:
    before, text = crew.edition, crew.file.read_text()
    with crew.staged("waits", crew.pids()[3]):
        crew.edit()
        until(lambda: crew.orders.state().round is not None)
        config.replace(crew.file, text)
        until(lambda: crew.orders.state().round is None)
    time.sleep(0.5)
    until(lambda: crew.served() == {True})
    assert before == crew.edition


def _two_in_a_row(crew: Crew) -> None:
    crew.edit()
    time.sleep(0.15)
    number = crew.edit()
    until(lambda: crew.served() == {True} and get(crew.server.port).number == number, 40.0)
    until(lambda: crew.orders.state().round is None)


def _idle_workers_take_part(crew: Crew) -> None:
    before = crew.edition
    time.sleep(0.5)
    crew.edit()
    time.sleep(0.2)
    get(crew.server.port)
    until(lambda: crew.all_serve(before + 1))


def _one_is_killed_in_mid_round(crew: Crew) -> None:
    before, victim = crew.edition, crew.pids()[0]
    with crew.staged("waits", victim):
        number = crew.edit()
        until(lambda: _asked(crew) and crew.orders.state().round is not None)
        os.kill(victim, signal.SIGKILL)
        until(lambda: crew.edition == before + 1)
    until(lambda: crew.all_serve(before + 1), 40.0)  # with the one that took its place
    assert victim not in crew.pids()
    assert number == get(crew.server.port).number


def _asked(crew: Crew) -> bool:
    """Ask, so that some worker sees the edit; the one that waits answers, too."""
    return get(crew.server.port).number > 0

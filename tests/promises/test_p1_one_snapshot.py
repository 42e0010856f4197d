"""P1. One request, one snapshot: config and resources of a request, a stream or a websocket come
from one version, from its first byte to its last.
"""

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reloadcheck import FrozenDict, ReloadCheck, Resource, current_snapshot
from reloadcheck._doors.protocols import Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware
from tests.support import config, journal
from tests.support.calls import ask
from tests.support.engines import drained
from tests.support.load import Load, Stream, Talk, workers
from tests.support.servers import environment, gunicorn, serving, uvicorn
from tests.support.stock import Pool

SERVERS = {
    "uvicorn": uvicorn(),
    "gunicorn with threads": gunicorn("tests.support.wsgi_app:app", "--threads", "8"),
}


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS.keys())
def test_a_stream_keeps_version_1_while_2_and_3_are_written(
    command: list[str], tmp_path: Path
) -> None:
    """A stream stays on 1 to its end; 2 is live at once, 3 follows the drain, and nobody fails."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1))
    with serving(command, environment(file, log), tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port) as load, Stream(server.port, tmp_path / "gate") as stream:
            load.reaches(1, everyone)
            own = {stream.line()["pid"]}
            config.write(file, config.text(2))
            load.reaches(2, everyone)
            config.write(file, config.text(3))
            load.reaches(3, everyone - own)
            server.logs("is still used by")
            rest = stream.open_gate()
            load.reaches(3, everyone)
        server.stop()
    assert {(line["version"], line["number"], line["pool"], line["closed"]) for line in rest} == {
        (1, 1, 1, False)
    }
    assert (load.failures, [one for one in load.answers if one.torn]) == ([], [])
    entries = journal.read(log)
    assert journal.most_open(entries) == 2
    assert journal.closed_once(entries)
    assert journal.still_open(entries) == []


def test_an_endless_stream_holds_up_an_edit_no_longer_than_the_drain(tmp_path: Path) -> None:
    """At the drain deadline version 1's resource is closed and 3 goes live, the stream open."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1))
    environ = environment(file, log, RELOAD_CHECK_DRAIN="1.5")
    with serving(uvicorn(), environ, tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port) as load, Stream(server.port, tmp_path / "gate") as stream:
            own = stream.line()["pid"]
            config.write(file, config.text(2))
            load.reaches(2, everyone)
            config.write(file, config.text(3))
            load.reaches(3, everyone)
            rest = stream.open_gate()
        server.stop()
    assert {(line["version"], line["number"]) for line in rest} == {(1, 1)}
    assert load.failures == []
    first, second = [entry for entry in journal.read(log) if entry.pid == own][1:3]
    assert (first.event, first.number) == ("built", 2)
    assert (second.event, second.number) == ("closed", 1)
    assert second.at - first.at >= 1.5
    (told,) = [
        line for line in server.log.splitlines() if "s of drain (its next use fails)" in line
    ]
    assert told.endswith("still use it: GET /stream")


def test_a_websocket_keeps_version_1_while_2_and_3_are_written(tmp_path: Path) -> None:
    """A websocket stays on 1 for as long as it is open; 3 follows its drain, and nobody fails."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1))
    with serving(uvicorn(), environment(file, log), tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port) as load:
            with Talk.to(server.port) as talk:
                load.reaches(1, everyone)
                said = [talk.first, talk.ask()]
                own = {talk.first["pid"]}
                config.write(file, config.text(2))
                load.reaches(2, everyone)
                said.append(talk.ask())
                config.write(file, config.text(3))
                load.reaches(3, everyone - own)
                server.logs("is still used by")
                said.append(talk.ask())
            load.reaches(3, everyone)
            with Talk.to(server.port) as talk:
                assert (talk.first["version"], talk.first["pool"]) == (3, 3)
        server.stop()
    assert {(one["version"], one["number"], one["pool"], one["closed"]) for one in said} == {
        (1, 1, 1, False)
    }
    assert (load.failures, [one for one in load.answers if one.torn]) == ([], [])
    entries = journal.read(log)
    assert (journal.most_open(entries), journal.still_open(entries)) == (2, [])
    assert journal.closed_once(entries)
    assert "s of drain (its next use fails)" not in server.log


def test_an_endless_websocket_holds_up_an_edit_no_longer_than_the_drain(tmp_path: Path) -> None:
    """At the deadline its resource is closed under it, told with path and age; it stays on 1."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1))
    environ = environment(file, log, RELOAD_CHECK_DRAIN="1.5")
    with serving(uvicorn(), environ, tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port) as load, Talk.to(server.port) as talk:
            config.write(file, config.text(2))
            load.reaches(2, everyone)
            config.write(file, config.text(3))
            load.reaches(3, everyone)
            late = talk.ask()
        server.stop()
    assert load.failures == []
    assert (late["version"], late["number"], late["closed"]) == (1, 1, True)
    own = [entry for entry in journal.read(log) if entry.pid == talk.first["pid"]]
    assert [(one.event, one.number) for one in own[:4]] == [
        ("built", 1), ("built", 2), ("closed", 1), ("built", 3),
    ]  # fmt: skip
    assert own[2].at - own[1].at >= 1.5
    (told,) = [
        line for line in server.log.splitlines() if "s of drain (its next use fails)" in line
    ]
    assert "resource pool of version 1 is closed after 1." in told
    assert ": 1 unit of work still use it" in told
    assert told.endswith("still use it: websocket /ws")


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    """Threads that take turns every 10 µs, so that races are run and not waited for."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def on_one(tmp_path: Path) -> Iterator[tuple[Path, ReloadCheck[FrozenDict], Resource[Pool]]]:
    """An engine in this process, with a resource, on configuration 1."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1))
    live = ReloadCheck(file, settle=0.0, environ={})

    @live.resource("pool")
    def pool(part: FrozenDict) -> Iterator[Pool]:
        made = Pool(part["number"])
        yield made
        made.closed = True

    yield file, live, pool
    live.close()


@pytest.mark.parametrize("path", ["fast", "slow"])
@pytest.mark.parametrize("kind", ["websocket", "http"])
def test_what_is_open_keeps_its_version_through_edits(
    kind: str, path: str, on_one: tuple[Path, ReloadCheck[FrozenDict], Resource[Pool]]
) -> None:
    """A websocket and a request see one version before and after an edit goes live for others."""
    file, live, pool = on_one
    seen: list[tuple[int, int, int, bool]] = []

    async def main() -> None:
        entered, edited = asyncio.Event(), asyncio.Event()

        def look(scope: Scope) -> None:
            state = scope["state"]
            assert state["snapshot"] is live.current() is current_snapshot()
            found = state["snapshot"][pool]
            seen.append(
                (live.current().version, state["config"].number, found.number, found.closed)
            )

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/warm":
                return
            look(scope)
            if scope["path"] == "/long":
                entered.set()
                await edited.wait()
                look(scope)

        wrapped = ReloadCheckMiddleware(app, live)
        if path == "fast":  # a check since the first request: the next one need not ask
            await ask(wrapped, "/warm", kind)
            await live.acheck()
        session = asyncio.create_task(ask(wrapped, "/long", kind))
        await entered.wait()
        config.write(file, config.text(2))
        await live.acheck()
        await ask(wrapped, "/short", kind)
        edited.set()
        await session

    asyncio.run(main())
    assert seen == [(1, 1, 1, False), (2, 2, 2, False), (1, 1, 1, False)]


@pytest.mark.usefixtures("hurried_threads")
def test_units_of_work_that_race_the_swap_see_whole_versions(
    on_one: tuple[Path, ReloadCheck[FrozenDict], Resource[Pool]],
) -> None:
    """Threads that enter and leave during 50 swaps never see a mixed pair or a closed resource."""
    file, live, pool = on_one
    torn: list[tuple[int, int, bool]] = []
    over = threading.Event()
    rounds = [0] * 3

    def work(which: int) -> None:
        while not over.is_set():
            with live.lease() as snapshot:
                number, found = snapshot.config["number"], snapshot[pool]
                if found.number != number or found.closed or snapshot[pool] is not found:
                    torn.append((number, found.number, found.closed))
            rounds[which] += 1

    live.start()
    threads = [threading.Thread(target=work, args=(which,), daemon=True) for which in range(3)]
    for thread in threads:
        thread.start()
    for number in range(2, 52):
        config.replace(file, config.text(number))
        live.check()
        assert live.snapshot.config["number"] == number
        drained(live)
    over.set()
    for thread in threads:
        thread.join(30)
    assert torn == []
    assert min(rounds) > 100

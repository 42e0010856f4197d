"""P10. Nothing leaks: no thread, file descriptor, instance or memory is left behind, and no secret
is in a repr of ours, a log, an error or a status.
"""

import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from reloadcheck import ConfigError, FrozenDict, ReloadCheck, ReloadEvent
from tests.support import config, journal
from tests.support.engines import drained
from tests.support.faults import HANGS
from tests.support.load import Load, until, workers
from tests.support.servers import ROOT, environment, gunicorn, serving, uvicorn
from tests.support.stock import Pool
from tests.support.stuck import PLACES

ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("kind", ["sync", pytest.param("async", marks=pytest.mark.long)])
def test_a_thousand_reloads_leave_nothing_behind(kind: str) -> None:
    """After 1,000 as after 100: one instance, the same threads and descriptors, 2 MB at most."""
    command = [sys.executable, "-m", "tests.support.thousand", kind]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRON, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    before, early, late, closed = json.loads(done.stdout)
    assert (late["builds"], late["closes"], late["instances"], late["alive"]) == (1001, 1000, 1, 1)
    assert late["threads"] == early["threads"]
    assert late["descriptors"] == early["descriptors"]
    assert abs(late["kilobytes"] - early["kilobytes"]) <= 2048
    assert (closed["closes"], closed["instances"], closed["alive"]) == (1001, 0, 0)
    assert closed["threads"] == before["threads"]
    assert closed["descriptors"] <= early["descriptors"] - 2


SERVERS = {
    "uvicorn": uvicorn(),
    "gunicorn with threads": gunicorn("tests.support.wsgi_app:app", "--threads", "4"),
}


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS.keys())
def test_workers_hold_no_more_after_reloads_than_before(command: list[str], tmp_path: Path) -> None:
    """The same threads of ours, descriptors and instances; at the end all is closed, once."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1))
    environ = environment(file, log, RELOAD_CHECK_WINDOW="0.02", RELOAD_CHECK_SETTLE="0.01")
    with serving(command, environ, tmp_path) as server:
        everyone = set(workers(server.port))
        before = holdings(server.port)
        with Load(server.port) as load:
            for number in range(2, 24):
                config.replace(file, config.text(number))
                load.reaches(number, everyone)
        until(lambda: no_more(holdings(server.port), before))
        server.stop()
    entries = journal.read(log)
    assert load.failures == []
    assert (journal.still_open(entries), journal.closed_once(entries)) == ([], True)
    assert len(entries) == 2 * 23 * len(everyone)


def holdings(port: int) -> dict[int, tuple[list[str], int, int]]:
    """Return what each worker holds: our threads, its descriptors, instances."""
    return {
        pid: (
            [name for name in answer.said["threads"] if name.startswith("reloadcheck")],
            answer.said["descriptors"],
            answer.said["instances"],
        )
        for pid, answer in workers(port, "/process").items()
    }


Holdings = dict[int, tuple[list[str], int, int]]


def no_more(now: Holdings, before: Holdings) -> bool:
    """Return whether each worker has the same threads and instances, and no descriptor more.

    Fewer is no leak: the first look may fall on a moment in which a file is being read.
    """
    return now.keys() == before.keys() and all(
        (threads, instances) == (before[pid][0], before[pid][2]) and descriptors <= before[pid][1]
        for pid, (threads, descriptors, instances) in now.items()
    )


def descriptors() -> set[tuple[str, str]]:
    """Return what this process has open, each with what it is."""
    found: set[tuple[str, str]] = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return found


def test_nothing_of_ours_is_alive_after_close(tmp_path: Path) -> None:
    """No thread and no descriptor; the engine itself and its resources can be collected."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1))
    before, others = descriptors(), set(threading.enumerate())
    live = ReloadCheck(file, settle=0.0, environ={})

    @live.resource("pool")
    def pool(part: FrozenDict) -> Iterator[Pool]:
        yield Pool(part["number"])

    live.start()
    engine, made = weakref.ref(live), weakref.ref(live.snapshot[pool])
    assert ours(others) != []
    live.close()
    assert ours(others) == []
    assert descriptors() - before == set()  # others' may have gone meanwhile
    del live, pool
    gc.collect()
    assert (engine(), made()) == (None, None)


def ours(others: set[threading.Thread]) -> list[str]:
    """Return the names of our threads that are alive, without those that were before."""
    names = [thread.name for thread in set(threading.enumerate()) - others]
    return [name for name in names if name.startswith("reloadcheck")]


@pytest.mark.parametrize("place", PLACES)
def test_a_process_exits_at_once_whatever_hangs(place: str, tmp_path: Path) -> None:
    """Less than a second from the end of its main part, without a word on its error output.

    A second more, on a busy machine, than a program takes that ends with nothing hanging; the best
    of a few counts, each beside the other's end.
    """
    plain = "import reloadcheck, time; print(time.monotonic(), flush=True)"
    more: list[float] = []
    while len(more) < 6 and min(more, default=1.0) >= 1.0:
        directory = tmp_path / str(len(more))
        directory.mkdir()
        hanging = seconds_to_exit("-m", "tests.support.stuck", place, str(directory))
        more.append(hanging - seconds_to_exit("-c", plain))
    assert min(more) < 1.0


def seconds_to_exit(*words: str) -> float:
    """Run a program that says when its main part ends; return how long its end took from then."""
    command = [sys.executable, *words]
    process = subprocess.Popen(
        command, cwd=ROOT, env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    ended = time.monotonic()
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err
    return ended - float(out)


def test_a_server_stops_in_time_while_a_factory_hangs(tmp_path: Path) -> None:
    """SIGTERM in the middle of a build that takes a minute ends both workers long before it."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1))
    with serving(uvicorn(), environment(file, log), tmp_path) as server:
        everyone = set(workers(server.port))
        with Load(server.port) as load:
            load.reaches(1, everyone)
            config.write(file, config.text(2, pool=HANGS))
            until(lambda: [e.event for e in journal.read(log)].count("hangs") == 2)
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 30.0
    entries = [entry for entry in journal.read(log) if entry.event != "hangs"]
    assert journal.still_open(entries) == []


SECRET = "s3cr3t/w@rd é\"x'"
"""A password that looks different wherever it is quoted or encoded."""

SPELLINGS = {SECRET, quote(SECRET), quote(SECRET, safe=""), repr(SECRET), json.dumps(SECRET)}


class Settings(BaseModel):
    """A configuration whose validator quotes what it gets, as drivers do."""

    model_config = ConfigDict(frozen=True)
    password: str
    mode: str = ""

    @field_validator("mode")
    @classmethod
    def _known(cls, mode: str) -> str:
        if mode == "invalid":
            raise ValueError(f"invalid mode next to {SECRET}")
        return mode


def _spelled() -> str:
    return " ".join(SPELLINGS)


@pytest.mark.parametrize("mode", ["fine", "invalid", "factory", "probe", "closer", "listener"])
def test_no_secret_is_in_anything_that_people_read(
    mode: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever foreign code raises, in any spelling, is in no log, status, error or repr."""
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "config.yaml"
    live = ReloadCheck(file, schema=Settings, settle=0.0, environ={})
    events: list[ReloadEvent] = []

    def listen(event: ReloadEvent) -> None:
        events.append(event)
        if mode == "listener":
            raise RuntimeError(_spelled())

    def probe(_: str) -> None:
        if mode == "probe" and live.status().state == "serving":
            raise ConnectionError(_spelled())

    @live.resource("password", "mode", probe=probe)
    def pool(password: str, mode: str) -> Iterator[str]:
        if mode == "factory":
            raise ConnectionError(_spelled())
        yield password
        if mode == "closer":
            raise ConnectionError(_spelled())

    live.subscribe(listen)
    write(file, "")
    live.start()
    seen: list[object] = [live, pool, live.lease(), live.snapshot, live.snapshot.resources]
    for word in (mode, "fine", "fine again"):
        write(file, word)
        live.check()
        drained(live)
        seen.extend([live.status(), live.snapshot])
    until(lambda: len(events) >= 2)
    seen.extend(events)
    live.close()
    broken = ReloadCheck(file, schema=Settings, settle=0.0, environ={})
    write(file, "invalid")
    with pytest.raises(ConfigError) as caught:
        broken.start()
    broken.close()
    seen.extend([vars(caught.value), caplog.text, *traceback.format_exception(caught.value)])
    text = "\n".join(f"{one!r} {one}" for one in seen)
    assert [spelling for spelling in SPELLINGS if spelling in text] == []
    assert "s3cr3t" not in text


def write(file: Path, mode: str) -> None:
    """Write the configuration with the secret."""
    config.replace(file, f"password: {json.dumps(SECRET)}\nmode: {mode or 'start'}\n")

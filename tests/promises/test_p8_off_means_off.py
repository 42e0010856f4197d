"""P8. Off means off: with `RELOAD_CHECK_ENABLED=false` the configuration is loaded once, nothing is
ever stat'ed again, and everything else works.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reloadcheck import FileSource, FrozenDict, Outcome, ReloadCheck
from reloadcheck.sources import Disk
from tests.support import config, journal
from tests.support.load import Load, get, workers
from tests.support.servers import environment, gunicorn, serving, uvicorn
from tests.support.stepping import SteppingClock


@pytest.mark.parametrize("word", ["false", "0", "No", "OFF"])
def test_nothing_is_ever_looked_at_again(word: str, tmp_path: Path) -> None:
    """After the first load no call reaches the disk, in a year, whatever is asked."""
    file, clock, calls = tmp_path / "config.yaml", SteppingClock(), list[object]()
    config.write(file, config.text(1))

    def counting(path: str | int) -> os.stat_result:
        calls.append(path)
        return os.stat(path)

    def opening(path: str, flags: int) -> int:
        calls.append(path)
        return os.open(path, flags)

    clock.set_wall(time.time() + 60)
    source = FileSource(file, disk=Disk(stat=counting, lstat=counting, open=opening))
    live = ReloadCheck(source, clock=clock, environ={"RELOAD_CHECK_ENABLED": word}, enabled=True)
    closed: list[int] = []

    @live.resource("pool")
    def pool(part: FrozenDict) -> Iterator[int]:
        yield part["number"]
        closed.append(part["number"])

    live.start()
    assert calls != []
    del calls[:]
    config.write(file, config.text(2))
    for _ in range(10):
        clock.step(86_400.0 * 36)
        with live.lease() as snapshot:
            assert (snapshot.config["number"], snapshot[pool], snapshot.version) == (1, 1, 1)
        assert live.check() is Outcome.UNCHANGED
    assert (live.status().enabled, live.status().state) == (False, "serving")
    live.close()
    assert (calls, closed) == ([], [1])


@pytest.mark.parametrize("command", [uvicorn(), gunicorn()], ids=["uvicorn", "gunicorn sync"])
def test_a_server_that_is_switched_off_takes_up_no_edit(command: list[str], tmp_path: Path) -> None:
    """Its workers serve what they loaded, with their resources, through many windows."""
    file, log = tmp_path / "config.yaml", tmp_path / "journal"
    config.write(file, config.text(1))
    environ = environment(file, log, RELOAD_CHECK_ENABLED="false", RELOAD_CHECK_WINDOW="0.05")
    with serving(command, environ, tmp_path) as server:
        workers(server.port)
        with Load(server.port) as load:
            config.write(file, config.text(2))
            time.sleep(1.0)  # twenty windows: a server has no clock to inject
            file.unlink()
            while len(load.answers) < 100:
                get(server.port)
        said = [answer.said for answer in workers(server.port, "/process").values()]
        server.stop()
    assert ({one.number for one in load.answers}, load.failures) == ({1}, [])
    assert [(one["enabled"], one["version"], one["error"]) for one in said] == [
        (False, 1, None)
    ] * 2
    assert (len(journal.read(log)), journal.still_open(journal.read(log))) == (4, [])

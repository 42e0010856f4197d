"""P3. Last known good: a bad edit changes nothing that a request sees, shows in the log and the
status with its cause at file:line:column, and heals by itself.
"""

import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from reloadcheck import ConfigError, Outcome, ReloadCheck
from tests.support import config
from tests.support.engines import drained
from tests.support.faults import FALSE, FAULTS, HANGS, RAISES, Fault
from tests.support.load import until
from tests.support.stock import Pool


class PoolSettings(BaseModel):
    """The part that the resource is built from."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    number: int
    password: str


class Settings(BaseModel):
    """The whole configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    number: int
    note: str
    pool: PoolSettings
    end: int


released = threading.Event()


def engine(file: Path) -> ReloadCheck[Settings]:
    """Return an engine whose one resource can fail in each way, by the number it is given."""
    live = ReloadCheck(
        file, schema=Settings, settle=0.0, patience=5.0, max_bytes=65_536, environ={}
    )

    @live.resource("pool", probe=lambda pool: pool.number != FALSE, timeout=2.0)
    def pool(part: PoolSettings) -> Iterator[Pool]:
        if part.number == RAISES:
            raise ConnectionError(f"password {part.password!r} was refused")
        if part.number == HANGS:
            released.wait(30)
        made = Pool(part.number)
        yield made
        made.closed = True

    return live


@pytest.fixture
def file() -> Iterator[Path]:
    """A good file in a directory that everybody may enter, as the fault of permission needs."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        path = Path(directory) / "config.yaml"
        config.write(path, config.text(1))
        released.clear()
        yield path
        released.set()


def release() -> None:
    """Let a factory that hangs return: its resource cannot be built while it does not."""
    released.set()
    until(lambda: "reloadcheck-pool" not in [thread.name for thread in threading.enumerate()])


each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())


@each_fault
def test_a_running_app_serves_on_and_heals(
    fault: Fault, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that a unit of work sees changes; one WARNING says why; a good edit is live again."""
    caplog.set_level(logging.DEBUG, "reloadcheck")
    live = engine(file)
    live.start()
    assert live.check() is Outcome.UNCHANGED  # and the pass that follows a reload is over
    good = live.snapshot
    with fault.make(file):
        for _ in range(5):
            assert live.check() == fault.outcome
            drained(live)
            with live.lease() as snapshot:
                assert snapshot is good
                assert not snapshot.resources["pool"].closed
        status = live.status()
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelname for record in warnings] == ["WARNING"]
    assert str(status.error) in warnings[0].getMessage()
    assert f"{file}{fault.place}" in str(status.error)
    assert fault.words in str(status.error)
    assert (status.outcome, status.state, status.version) == (fault.outcome, "serving", 1)
    release()
    config.write(file, config.text(2))
    live.check()
    healed = live.status()
    assert (live.snapshot.config.number, healed.version, healed.error) == (2, 2, None)
    live.close()
    assert config.CANARY not in caplog.text + repr(status) + repr(healed)


@each_fault
def test_going_back_to_the_running_content_heals_too(fault: Fault, file: Path) -> None:
    """What was there before the fault is no edit: same snapshot, no error."""
    live = engine(file)
    live.start()
    assert live.check() is Outcome.UNCHANGED  # and the pass that follows a reload is over
    good = live.snapshot
    with fault.make(file):
        live.check()
        drained(live)
        assert live.status().error is not None
    config.write(file, config.text(1))
    assert live.check() is Outcome.UNCHANGED
    assert (live.status().error, live.snapshot) == (None, good)
    live.close()


@each_fault
def test_on_the_first_start_it_is_an_exception(
    fault: Fault, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`start()` raises the sentence that a running app's status shows, and heals.

    Where a resource is to blame a running app adds what was edited; a first start knows no edit.
    """
    caplog.set_level(logging.DEBUG, "reloadcheck")
    running, live = engine(file), engine(file)
    running.start()
    running.check()
    with fault.make(file):
        running.check()
        with pytest.raises(ConfigError) as caught:
            live.start()
    edited = f"; changed since version 1: pool.number ({file}:4:11)"
    since = edited if fault.words.startswith("resource") else ""
    assert running.status().error == f"{caught.value}{since}"
    text = "".join(traceback_of(caught.value)) + caplog.text
    release()
    config.write(file, config.text(2))
    live.start()
    assert live.snapshot.config.number == 2
    live.close()
    running.close()
    assert config.CANARY not in text


def traceback_of(error: BaseException) -> list[str]:
    """Return an exception as a log would show it, with its attributes."""
    import traceback

    return [*traceback.format_exception(error), repr(error), repr(vars(error))]


def test_the_same_fault_again_is_told_again(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once healed, a fault is news: one WARNING each time that it begins."""
    live = engine(file)
    live.start()
    live.check()
    for number in (2, 3, 4):
        config.replace(file, "number: [\n- x\n")
        assert [live.check() for _ in range(3)] == [Outcome.REJECTED] * 3
        config.replace(file, config.text(number))
        assert live.check() is Outcome.RELOADED
        drained(live)
    live.close()
    assert [one.levelname for one in caplog.records if one.levelno > logging.INFO] == [
        "WARNING"
    ] * 3


def test_a_part_that_a_resource_needs_may_not_go_missing(file: Path) -> None:
    """Without a schema it is the resource that misses it: rejected by the name of both."""
    live = ReloadCheck(file, settle=0.0, environ={})

    @live.resource("pool.password")
    def door(password: str) -> list[str]:
        return [password]

    live.start()
    assert live.check() is Outcome.UNCHANGED
    config.write(file, "number: 2\npool:\n  number: 2\n")
    assert live.check() is Outcome.REJECTED
    error = f"{file}:3:3: pool.password: is missing, and resource 'door' is built from it"
    assert live.status().error == error
    assert live.snapshot[door] == [config.CANARY]
    live.close()

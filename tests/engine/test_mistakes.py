"""What a beginner gets wrong is told in words that name the remedy, where it was written."""

import copy
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from starlette.applications import Starlette

from reloadcheck import (
    OptionError,
    RegistrationError,
    ReloadCheck,
    ResourceClosedError,
    SourceError,
    asgi,
    reload_check,
    wsgi,
)
from reloadcheck.integrations import fastapi, flask
from reloadcheck.integrations.celery import CeleryReloadCheck
from tests.support.fixtures import Make
from tests.support.rig import Call, begin, until
from tests.support.steady import SteadyClock

PATH: Any = "config.yaml"


def listed(number: int) -> list[int]:
    """Build what stands for a pool."""
    return [number]


TAKES_AN_ENGINE: dict[str, Callable[[], object]] = {
    "ASGI": lambda: asgi.ReloadCheckMiddleware(Starlette(), PATH),
    "WSGI": lambda: wsgi.ReloadCheckMiddleware(lambda _environ, _start: [], PATH),
    "FastAPI": lambda: fastapi.config_of(PATH),
    "Flask": lambda: flask.FlaskReloadCheck(PATH),
    "Celery": lambda: CeleryReloadCheck(PATH, Celery("tasks", set_as_current=False)),
}


@pytest.mark.parametrize("door", TAKES_AN_ENGINE)
def test_a_path_in_place_of_an_engine_is_told(door: str) -> None:
    """Whoever gives the file's name where the engine belongs reads how to make one of it."""
    with pytest.raises(OptionError, match=r'live = ReloadCheck\("config.yaml"\), not a str'):
        TAKES_AN_ENGINE[door]()


def test_arguments_the_wrong_way_round_are_told() -> None:
    """An app where the engine belongs is named by its kind."""
    live: Any = ReloadCheck(PATH)
    app: Any = Starlette()
    with pytest.raises(OptionError, match="not a Starlette"):
        asgi.ReloadCheckMiddleware(live, app)


def test_an_option_set_afterwards_is_refused() -> None:
    """It would change nothing."""
    live = ReloadCheck("config.yaml")
    with pytest.raises(AttributeError, match="window"):
        live.window = 3.0  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_decorator_without_parentheses_is_told() -> None:
    """`@reload_check` alone takes the function for a source, and says what to write."""
    bare: Any = reload_check

    def job() -> None: ...

    with pytest.raises(OptionError, match=r'@reload_check\("config.yaml"\)'):
        bare(job)


def test_a_listener_that_cannot_be_called_is_told_at_once() -> None:
    """What is subscribed is looked at where it is subscribed, not at the first reload."""
    listener: Any = print()
    with pytest.raises(RegistrationError, match="subscribe takes a function"):
        ReloadCheck(PATH).subscribe(listener)


def test_a_close_that_raises_names_its_line(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """The log says where a close failed, and not in the words of what it raised."""
    live = make()

    class Pool:
        def close(self) -> None:
            raise ValueError("s3cret")

    @live.resource("a", name="pool")
    def build(_: int) -> Pool:
        return Pool()

    assert build.name == "pool"
    begin(live)
    with caplog.at_level(logging.WARNING):
        live.close()
    assert "closing resource pool raised ValueError (test_mistakes.py:" in caplog.text
    (record,) = [one for one in caplog.records if "closing" in one.message]
    assert "s3cret" not in record.message


def test_a_handle_used_for_the_resource_is_told() -> None:
    """The decorated name is the handle; who uses it for the pool reads how to get the pool."""
    live = ReloadCheck(PATH)
    handle: Any = live.resource("a", name="pool")(listed)
    with pytest.raises(AttributeError, match=r"has no 'connection': snapshot\[handle\] gives"):
        handle.connection()
    assert copy.copy(handle).name == "pool"


def test_a_snapshot_that_was_kept_says_what_its_reader_did(make: Make) -> None:
    """Reading a resource after the unit of work, and after the close, is told for what it is."""
    live = make()
    pool = live.resource("a", name="pool")(listed)
    with live.lease() as snapshot:
        assert snapshot[pool] == [1]
    live.close()
    with pytest.raises(ResourceClosedError, match="the unit of work that reads it has ended, has"):
        _ = snapshot[pool]


def test_a_directory_in_place_of_a_file_names_its_own_source() -> None:
    """A directory has no suffix; what is meant for it is said instead."""
    with pytest.raises(OptionError, match=r"for a directory, write DirectorySource\(path\)"):
        ReloadCheck("/run/secrets")


def test_a_listener_that_raises_is_named_with_its_line(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one that takes no event, which raises before its first line."""
    live = make()

    def deaf() -> None: ...

    def broken(_: object) -> None:
        raise ValueError("s3cret")

    for listener in (deaf, broken):
        live.subscribe(listener)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    begin(live)
    until(lambda: caplog.text.count("a listener raised") == 2)
    text = caplog.text
    assert "a listener raised TypeError: test_a_listener" in text
    assert "a listener raised ValueError (test_mistakes.py:" in text
    assert ".broken" in text
    assert "s3cret" not in text


def test_an_async_probe_of_a_sync_factory_is_told_apart(make: Make) -> None:
    """Where there is no event loop, it is the probe that has to become sync."""
    live = make()

    async def answers(_: list[int]) -> bool:
        return True

    live.resource("a", probe=answers)(listed)
    with pytest.raises(RegistrationError, match=r"has a probe that is async .* a sync probe$"):
        live.start()


def test_patience_that_ends_before_a_file_settles_is_told(tmp_path: Path) -> None:
    """Nothing just written could ever be loaded, and the sentence says which option to raise."""
    path = tmp_path / "config.yaml"
    path.write_text("a: 1")
    clock = SteadyClock()
    live = ReloadCheck(path, settle=10.0, patience=2.0, clock=clock)
    with pytest.raises(SourceError, match="raise patience, which is no longer than settle"):
        Call(live.start).result(clock, 0.1)
    live.close()

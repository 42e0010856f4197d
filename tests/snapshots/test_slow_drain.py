"""A drain that takes long: told while there is time, counted without the time nobody had."""

import gc
from collections.abc import Generator
from types import FrameType

import pytest

from reloadcheck import (
    reload_check,
)
from reloadcheck._engine.api import engine_of
from reloadcheck._snapshots import holders
from reloadcheck._snapshots.drain import SLOW
from tests.support.rig import until
from tests.support.steady import others_work

from .shop import DRAIN, Box, Shop


def test_a_slow_drain_is_told_while_there_is_time(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """Once in the log after some seconds: by whom it is used, and how long yet; and in status."""

    @reload_check(shop.live)
    def nightly() -> Generator[Box]:
        yield shop.live.current()[shop.pool]

    stream = nightly()
    box = next(stream)
    shop.edit(2)
    (draining,) = shop.live.status().draining
    assert (draining.resource, draining.version, draining.leases) == ("pool", 1, 1)
    assert draining.holders == ()
    shop.pass_time(SLOW - 1)
    assert "is still used" not in caplog.text
    for _ in range(3):
        shop.pass_time(1.0)
    (told,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    name = f"{__name__}.test_a_slow_drain_is_told_while_there_is_time.<locals>.nightly"
    assert told.startswith("resource pool of version 1 is still used 5.")
    assert "by 1 unit of work" in told
    assert told.endswith(f": {name}")
    (draining,) = shop.live.status().draining
    assert draining.seconds + draining.closes_in == pytest.approx(DRAIN)
    assert draining.holders == (name,)
    assert box.open
    stream.close()
    until(lambda: shop.open == [2])
    assert shop.live.status().draining == ()


def test_who_is_named_is_held_by_no_frame(shop: Shop) -> None:
    """Looking at frames leaves none behind that would hold, until a collection, what it found."""

    def looking() -> list[FrameType]:
        frames = [one for one in gc.get_objects() if isinstance(one, FrameType)]
        return [one for one in frames if one.f_code.co_filename == holders.__file__]

    gc.disable()
    try:
        with shop.live.lease() as snapshot:
            assert snapshot[shop.pool].open
            shop.edit(2)
            shop.pass_time(SLOW + 1)
            (draining,) = shop.live.status().draining
            assert len(draining.holders) == 1
        assert looking() == []
        until(lambda: shop.open == [2])
    finally:
        gc.enable()
    assert shop.live.status().forced_closes == 0


def test_time_that_nobody_had_does_not_count(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped for longer than the drain goes on as if it had not been."""
    thread = engine_of(shop.live).thread
    assert thread is not None
    real = [0.0]
    monkeypatch.setattr(thread.drain, "_real", lambda: real[0])
    with shop.live.lease() as snapshot:
        box = snapshot[shop.pool]
        shop.edit(2)
        shop.pass_time(1.0)
        until(lambda: not others_work())  # it stands still while it sleeps
        real[0] += 2 * DRAIN
        shop.pass_time(2 * DRAIN)
        assert box.open
        (draining,) = shop.live.status().draining
        assert draining.seconds < 10
        shop.pass_time(DRAIN - 10)
        assert box.open
    until(lambda: shop.open == [2])
    assert shop.live.status().forced_closes == 0

"""Who only looks at a status is held up by no probe, in a thread or in a loop."""

# What comes seldom is made to happen from within.
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck._engine import check_for_status, observed


class _Late:
    """An answer that does not come in time."""

    def result(self, seconds: float) -> Any:
        """Be late."""
        raise TimeoutError


def test_who_looks_is_not_held_up_by_a_probe_that_hangs() -> None:
    """It is told as running, or not at all; before a start there is nothing to ask."""
    probed, plain = (
        SimpleNamespace(name="db", probe=print, timeout=1.0),
        SimpleNamespace(name="log", probe=None, timeout=1.0),
    )
    thread = SimpleNamespace(probe=_Late)
    engine: Any = SimpleNamespace(
        thread=thread, registry=[probed, plain], refuse_inside=lambda *_: None
    )
    found = check_for_status.glance(engine)
    assert found is not None
    assert {name: str(one.outcome) for name, one in found.items()} == {"db": "still running"}
    assert observed.probed(engine) == {}
    engine.thread = None
    assert (check_for_status.glance(engine), observed.probed(engine)) == (None, {})


def test_who_looks_in_a_loop_is_not_held_up_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer may come when it likes."""
    import asyncio
    from concurrent.futures import Future

    probed = SimpleNamespace(name="db", probe=print, timeout=1.0)
    engine: Any = SimpleNamespace(
        thread=SimpleNamespace(probe=Future[Any]),
        registry=[probed],
        refuse_inside=lambda *_: None,
    )
    monkeypatch.setattr(check_for_status, "LOOK", 0.0)
    monkeypatch.setattr(observed, "_longest_probe", lambda engine: 0.0)

    async def look() -> tuple[Any, Any, Any, Any]:
        glance, asked = check_for_status.glance_async, observed.probed_async
        there = await glance(engine), await asked(engine)
        engine.thread = None
        return (*there, await glance(engine), await asked(engine))

    running, nothing, unknown, none = asyncio.run(look())
    assert [*running] == ["db"]
    assert (nothing, unknown, none) == ({}, None, {})

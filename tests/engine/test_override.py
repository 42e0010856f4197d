"""`live.override({…})`: an engine that stands at module level serves other values in a test."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import OptionError, ReloadCheck, SchemaError
from reloadcheck._engine.admission import Admission
from reloadcheck.testing import MemorySource, RecordingFactory, assert_all_closed, push
from tests.schema.models import StructSettings as _Struct
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin

BASE = "greeting: hello\nlimits: {timeout: 1, size: 2}\nhosts: [a, b]\n"


def engine(*, enabled: bool = True) -> "ReloadCheck[Any]":
    """Make an engine on a source in memory."""
    return ReloadCheck(MemorySource(BASE), enabled=enabled, environ={})


def test_an_engine_that_runs_serves_other_values_for_a_while() -> None:
    """Mappings by key, all else replaced; at the end it is as it was, the very content."""
    live = engine()
    live.start()
    before = live.snapshot
    with live.override({"limits": {"timeout": 9}, "hosts": ["c"]}):
        config = live.snapshot.config
        assert (
            config.limits.timeout, config.limits.size, config.hosts, config.greeting,
        ) == (9, 2, ["c"], "hello")  # fmt: skip
    assert (before.config, before.digest) == (live.snapshot.config, live.snapshot.digest)
    live.close()
    assert_all_closed(live)


def test_it_begins_and_ends_in_the_middle_of_a_check(
    make: Make, text: Text, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A look that is under way ends with the sources that it began with; the next one has all."""
    live = make()
    begin(live)
    taken, admission = threading.Event(), Admission[Any]
    post = admission.post

    def noted(self: Admission[Any], work: Callable[[], None]) -> None:
        def done() -> None:
            work()
            if "Override" in getattr(work, "__qualname__", ""):
                taken.set()

        post(self, done)

    monkeypatch.setattr(Admission, "post", noted)

    def in_mid_check(act: Callable[[], object]) -> None:
        text.waiting.clear()
        text.gate.clear()
        checking = Call(live.check)
        assert text.waiting.wait(30)
        taken.clear()
        acting = Call(act)
        assert taken.wait(30)
        text.gate.set()
        acting.result()
        checking.result()

    override = live.override({"a": 5})
    in_mid_check(override.__enter__)
    assert live.snapshot.config["a"] == 5
    in_mid_check(lambda: override.__exit__(None, None, None))
    assert live.snapshot.config["a"] == 1
    assert "failed inside" not in caplog.text


def test_only_what_depends_on_it_is_rebuilt() -> None:
    """The resource of another part is the same object, inside and afterwards."""
    live, pools, others = engine(), RecordingFactory(), RecordingFactory()
    pool = live.resource("limits", name="pool")(pools)
    other = live.resource("greeting", name="other")(others)
    live.start()
    pool_before, other_before = live.snapshot[pool], live.snapshot[other]
    with live.override({"limits": {"timeout": 9}}):
        assert live.snapshot[other] is other_before
        assert live.snapshot[pool] is not pool_before
    parts: list[Any] = [one.arguments[0] for one in pools.built]
    assert [part.timeout for part in parts] == [1, 9, 1]
    assert len(others.built) == 1
    live.close()
    assert_all_closed(live)


def test_an_engine_that_has_not_started_starts_with_them() -> None:
    """As a test client starts it inside the block; afterwards it starts with the old ones."""
    live = engine()
    with live.override({"greeting": "hi"}):
        assert live.status().state == "idle"
        live.start()
        assert live.snapshot.config.greeting == "hi"
        live.close()
    live.start()
    assert live.snapshot.config.greeting == "hello"
    live.close()


def test_blocks_nest() -> None:
    """The inner one is laid over the outer one, and ends alone."""
    live = engine()
    live.start()
    with live.override({"greeting": "one", "hosts": []}):
        with live.override({"greeting": "two"}):
            assert (live.snapshot.config.greeting, live.snapshot.config.hosts) == ("two", [])
        assert live.snapshot.config.greeting == "one"
    assert live.snapshot.config.greeting == "hello"
    live.close()


def test_values_that_do_not_fit_are_an_error_and_change_nothing() -> None:
    """The test that gave them fails, with the place; what served goes on serving."""
    live: ReloadCheck[Any] = ReloadCheck(
        MemorySource("database: {url: a}\n"), schema=_Struct, environ={}
    )
    live.start()
    version = live.snapshot.version
    with (
        pytest.raises(SchemaError, match=r"live\.override"),
        live.override({"database": {"url": 7}}),
    ):
        raise AssertionError("never entered")
    live.check()
    assert (version, None) == (live.snapshot.version, live.status().error)
    with pytest.raises(OptionError, match="JSON can hold"):
        live.override({"a": object()})
    live.close()


def test_switched_off_it_must_begin_before_the_start() -> None:
    """A running engine that looks at nothing cannot be told."""
    live = engine(enabled=False)
    with live.override({"greeting": "hi"}):
        live.start()
        assert live.snapshot.config.greeting == "hi"
        with pytest.raises(OptionError, match="switched off"), live.override({}):
            raise AssertionError("never entered")
        live.close()


def test_it_has_an_async_twin() -> None:
    """On an event loop with async resources too."""

    async def main() -> None:
        live = engine()

        @live.resource("limits")
        async def client(limits: Any) -> Any:
            return limits.timeout

        await live.astart()
        async with live.override({"limits": {"timeout": 9}}):
            assert live.snapshot[client] == 9
        assert live.snapshot[client] == 1
        await live.aclose()

    asyncio.run(main())


def test_push_to_another_engines_source_says_so() -> None:
    """An edit that would never arrive is not waited for."""
    live, strange = engine(), MemorySource("a: 1", "other.yaml")
    with pytest.raises(
        OptionError, match=r"does not read this source other\.yaml; it reads memory"
    ):
        push(live, strange, "a: 2")
    live.close()


TEST = """
from shop import live

def test_one(override_config):
    override_config(live, {"greeting": "hi"})
    assert live.snapshot.config.greeting == "hi"
    override_config(live, {"greeting": "hey"})
    assert live.snapshot.config.greeting == "hey"

def test_two():
    assert live.snapshot.config.greeting == "hello"
"""


def test_pytest_has_a_fixture_for_it(tmp_path: Path) -> None:
    """Each test starts with the file's own values, whatever the one before it did."""
    (tmp_path / "shop.py").write_text(
        "from reloadcheck import ReloadCheck\n"
        'live = ReloadCheck("config.yaml", environ={})\nlive.start()\n'
    )
    (tmp_path / "config.yaml").write_text(BASE)
    (tmp_path / "test_shop.py").write_text(TEST)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    words += ["-p", "reloadcheck.integrations.pytest", "-p", "no:faker", "-p", "no:anyio"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout

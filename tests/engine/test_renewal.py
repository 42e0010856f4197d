"""Resources that are built anew without an edit: asked for, too old, or with a failing probe."""

import logging
from typing import Any

import pytest

from reloadcheck import Outcome, RegistrationError, ReloadEvent, UnknownResourceError
from reloadcheck._engine.api import engine_of
from reloadcheck._engine.waiter import Waiter
from reloadcheck._observe.status import Standing
from reloadcheck.testing import FakeClock, MemorySource, RecordingFactory
from tests.snapshots.pools import Pools
from tests.support.fixtures import Make
from tests.support.loops import Loop
from tests.support.rig import Call, Text, begin, reload, same, until


def thing(_: int) -> object:
    """Build something that is like nothing else."""
    return object()


def test_a_rebuild_is_make_before_break_under_the_same_version(make: Make) -> None:
    """The new one is built first, what needs it too; the old one closes after its last user."""
    live, pools, users = make(), RecordingFactory("pool"), RecordingFactory("user")
    pool = live.resource("a")(pools)
    user = live.resource("a", needs=[pool])(users)
    other = live.resource("b", name="other")(thing)
    begin(live)
    kept = live.snapshot[other]
    lease = live.lease()
    held = Call(lease.__enter__).result()
    first = held[pool]
    assert live.rebuild(pool) is Outcome.REBUILT
    assert live.snapshot.version == held.version == 1
    assert live.snapshot[pool] is not first
    assert live.snapshot[user].arguments[1] is live.snapshot[pool]
    assert live.snapshot[other] is kept
    assert held[pool] is first
    assert pools.log == ["+pool1", "+pool2"]
    lease.__exit__(None, None, None)
    until(lambda: pools.log == ["+pool1", "+pool2", "-pool1"])
    assert live.check() is Outcome.UNCHANGED


def test_a_rebuild_is_told_as_one(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Event, log, history and counts say rebuilt, of what and why, and count no edit."""
    caplog.set_level("INFO", "reloadcheck")
    live, heard = make(), list[ReloadEvent]()
    pool = live.resource("a", name="pool")(same)
    begin(live)
    live.subscribe(heard.append)
    assert live.rebuild(pool) is Outcome.REBUILT
    until(lambda: heard)
    assert [(e.outcome, e.version, e.built) for e in heard] == [(Outcome.REBUILT, 1, ("pool",))]
    assert not heard[0].diff
    assert "rebuilt without an edit: pool (asked for); built: pool; version 1" in caplog.text
    status = live.status()
    assert (status.rebuilds, status.edits, status.resources[0].builds) == (1, 0, 2)
    assert status.history[-1].outcome is Outcome.REBUILT


def test_a_rebuild_that_fails_leaves_what_serves_and_is_tried_again(
    make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The old one serves on, status and log say why, and it is mended without being asked again.

    Nobody edited anything, and so nobody is told that an edit was rejected.
    """
    live, pools = make(), RecordingFactory("pool")
    pool = live.resource("a")(pools)
    begin(live)
    first = live.snapshot[pool]
    pools.build_error = ConnectionError("refused")
    assert live.rebuild(pool) is Outcome.REJECTED
    assert live.snapshot[pool] is first
    status = live.status()
    assert status.code == "factory"
    assert status.error is not None
    assert "cannot be built" in status.error
    assert status.reasons == (f"not built anew (will be tried again): {status.error}",)
    assert (status.standing, status.is_edit) == (Standing.FAIL, False)
    told = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    words = "not built anew (will be tried again); version 1 goes on serving"
    assert told == [f"{words}: {status.error}"]
    pools.build_error = None
    until(lambda: live.snapshot[pool] is not first, clock)
    assert live.snapshot.version == 1
    until(lambda: live.status().code is None, clock)


def test_an_edit_mends_what_cannot_be_built_anew(make: Make, text: Text) -> None:
    """While a rebuild fails, edits are seen: the right credential may be one."""
    live, broken = make(), [True]

    def pool(a: int) -> object:
        if a == 1 and live.status().version:
            raise PermissionError
        return object()

    handle = live.resource("a")(pool)
    begin(live)
    assert live.rebuild(handle) is Outcome.REJECTED
    assert live.check() is Outcome.REJECTED
    text.write("a: 2")
    reload(live)
    assert broken == [True]
    assert live.status().code is None
    assert live.snapshot.version == 2


def test_a_bad_edit_stops_no_rebuild(make: Make, text: Text) -> None:
    """What serves is kept alive though the file is broken meanwhile."""
    live, pools = make(), RecordingFactory("pool")
    pool = live.resource("a")(pools)
    begin(live)
    text.write("a: [")
    assert live.check() is Outcome.REJECTED
    assert live.rebuild(pool) is Outcome.REBUILT
    assert live.check() is Outcome.REJECTED
    assert pools.log == ["+pool1", "+pool2", "-pool1"]


def test_max_age(make: Make, clock: FakeClock) -> None:
    """It is built anew by itself, without a request, between nine tenths of it and all."""
    live, pools = make(verify=None), RecordingFactory("pool")
    live.resource("a", max_age=900.0)(pools)
    begin(live)
    clock.advance(809.0)
    assert live.check() is Outcome.UNCHANGED
    assert pools.log == ["+pool1"]
    clock.advance(91.0)
    until(lambda: pools.log == ["+pool1", "+pool2", "-pool1"])
    until(lambda: live.status().rebuilds == 1)
    assert live.check() is Outcome.UNCHANGED  # the pass that built it has ended
    clock.advance(809.0)
    assert live.check() is Outcome.UNCHANGED
    assert live.status().rebuilds == 1
    clock.advance(91.0)
    until(lambda: live.status().rebuilds == 2)


def test_max_age_where_reloading_is_switched_off(make: Make, text: Text, clock: FakeClock) -> None:
    """Credentials end whether or not edits are looked for; no source is stat'ed for it."""
    live, pools = make(enabled=False), RecordingFactory("pool")
    live.resource("a", max_age=60.0)(pools)
    live.start()
    stamped = text.stamped
    clock.advance(60.0)
    until(lambda: live.status().rebuilds == 1)
    assert text.stamped == stamped


def test_rebuild_after_so_many_failed_probes(make: Make, clock: FakeClock) -> None:
    """The engine probes by itself; a probe that passes between begins the count anew."""
    live, pools = make(verify=None), RecordingFactory("pool")
    answers: list[bool] = []

    def probe(_: object) -> bool:
        return answers.pop(0) if answers else True

    pool = live.resource("a", probe=probe, rebuild_after=2)(pools)
    begin(live)
    first = live.snapshot[pool]
    answers[:] = [False, True, False]
    until(lambda: not answers, clock)
    assert live.snapshot[pool] is first
    answers[:] = [False, False, True]  # at the latest the second of them is too many
    until(lambda: live.snapshot[pool] is not first, clock)
    assert live.status().rebuilds == 1
    assert live.snapshot.version == 1


def test_an_async_resource_is_rebuilt_in_its_loop(make: Make) -> None:
    """`arebuild()` does the same from the event loop, where `rebuild()` is refused."""
    live, loop, log = make(), Loop(), list[str]()

    @live.resource("a")
    async def client(a: int) -> Any:
        log.append("+")
        yield object()
        log.append("-")

    loop.run(live.astart())
    assert loop.run(live.arebuild(client)) is Outcome.REBUILT
    until(lambda: log == ["+", "+", "-"])
    loop.run(live.aclose())
    loop.close()


def test_a_check_under_way_leaves_it_to_the_one_that_answers(make: Make) -> None:
    """Whoever asks in the midst of a check hears of the one that has built it, not of the next."""
    live = make()
    pool = live.resource("a", name="pool")(thing)
    begin(live)
    thread = engine_of(live).running()
    admission, asked = thread.admission, list[Waiter]()
    begun = admission.begin

    def begin_and_be_asked() -> tuple[bool, bool]:
        told = begun()
        if not asked:
            asked.append(admission.ask(prepare=thread.reload.renewal.waited_for(pool)))
        return told

    admission.begin = begin_and_be_asked  # type: ignore[method-assign]
    assert live.check() is Outcome.UNCHANGED
    assert asked[0].wait().outcome is Outcome.REBUILT


def test_what_is_refused(make: Make) -> None:
    """A handle of another engine, options that mean nothing, a count without a probe."""
    live, other = make(), make(MemorySource("a: 1"))
    stranger = other.resource("a", name="x")(same)
    with pytest.raises(UnknownResourceError, match="this engine's"):
        live.rebuild(stranger)
    for options, words in (
        ({"max_age": 0}, "max_age must be a positive number"),
        ({"rebuild_after": 0}, "1 or more"),
        ({"rebuild_after": True}, "1 or more"),
        ({"rebuild_after": 2}, "needs a probe"),
    ):
        given: Any = options
        with pytest.raises(RegistrationError, match=words):
            live.resource("a", name="y", **given)(same)


def test_built_from_its_needs_alone(make: Make, text: Text) -> None:
    """With `config=False` no edit rebuilds it but through what it needs."""
    live, seen = make(), list[tuple[object, ...]]()
    engine = live.resource("a", name="engine")(same)

    def sessions(*given: object) -> object:
        seen.append(given)
        return object()

    handle = live.resource(needs=[engine], config=False)(sessions)
    begin(live)
    first = live.snapshot[handle]
    text.write("a: 1\nb: 2")
    reload(live)
    assert live.snapshot[handle] is first
    text.write("a: 2\nb: 2")
    reload(live)
    assert live.snapshot[handle] is not first
    assert seen == [(1,), (2,)]


def test_paths_and_no_configuration_contradict_each_other(make: Make) -> None:
    """Both said is a mistake, told at registration; so is a factory that takes too much."""
    live = make()
    with pytest.raises(RegistrationError, match="leave out the paths, or config=False"):
        live.resource("a", config=False)(same)
    with pytest.raises(RegistrationError, match=r"called as `same\(\)`, with its needs alone"):
        live.resource(config=False)(same)


def test_a_build_without_an_edit_that_waits_is_called_no_edit(
    make: Make, text: Text, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits for the older instance as an edit does; nobody is to look for one."""
    text.write("a: 1")
    pools = Pools(make, text, window=1.0, settle=0.0)
    begin(pools.live)
    caplog.set_level(logging.INFO, "reloadcheck")
    with pools.live.lease(name="stream"):
        assert pools.edit(2) is Outcome.RELOADED
        rebuilt = Call(lambda: pools.live.rebuild(pools.pool))
        until(lambda: pools.live.status().history[-1].outcome is Outcome.DEFERRED, clock)
        assert rebuilt.result(clock) is Outcome.REBUILT
    told = [one.getMessage() for one in caplog.records if "waits" in one.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("the build waits: 'pool' of version 1 was replaced ")

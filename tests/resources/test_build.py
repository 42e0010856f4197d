"""Building what an edit changed: order, carry-over, all or nothing, back-off.

Long because order, carry-over, roll-back and back-off are tried on the same small graphs.
"""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import (
    FactoryError,
    Outcome,
    ProbeError,
    RegistrationError,
    ReloadCheck,
    Resource,
    ResourceTimeoutError,
    SchemaError,
)
from reloadcheck.testing import FakeClock, MemorySource
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, same, until


class Thing:
    """A resource that tells when it was built and closed."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name
        log.append(f"+{name}")

    def close(self) -> None:
        """Be closed."""
        self.log.append(f"-{self.name}")


def chain(
    live: "ReloadCheck[Any]", log: list[str]
) -> tuple[Resource[Thing], Resource[Thing], Resource[Thing]]:
    """Register three resources: `one`, `two` that needs it, `three` that needs two."""

    @live.resource("a")
    def one(a: int) -> Thing:
        return Thing(log, f"one{a}")

    @live.resource("b", needs=[one])
    def two(b: int, one: Thing) -> Iterator[Thing]:
        thing = Thing(log, f"two{b}/{one.name}")
        yield thing
        thing.close()

    @live.resource("c", needs=[two])
    def three(c: int, two: Thing) -> Thing:
        return Thing(log, f"three{c}/{two.name}")

    return one, two, three


def test_building_goes_up_and_closing_goes_down(make: Make, text: Text) -> None:
    """Resources are built after what they need and closed before it."""
    text.write("a: 1\nb: 1\nc: 1")
    live, log = make(), list[str]()
    chain(live, log)
    begin(live)
    built = ["+one1", "+two1/one1", "+three1/two1/one1"]
    assert built == log
    live.close()
    assert [*built, "-three1/two1/one1", "-two1/one1", "-one1"] == log


def test_what_did_not_change_is_carried_over(make: Make, text: Text) -> None:
    """Only what an edit touches, and what needs it, is built anew; the rest is the same object."""
    text.write("a: 1\nb: 1\nc: 1\nd: 1")
    live, log = make(), list[str]()
    one, two, three = chain(live, log)
    begin(live)
    first = live.snapshot
    things = first[one], first[two], first[three]
    del log[:]
    text.write("a: 1\nb: 1\nc: 1\nd: 2")
    reload(live)
    second = live.snapshot
    assert things == (second[one], second[two], second[three])
    assert log == []
    text.write("a: 1\nb: 2\nc: 1\nd: 2")
    reload(live)
    third = live.snapshot
    assert third[one] is things[0]
    assert third[two] is not things[1]
    until(lambda: len(log) == 4)
    assert log == ["+two2/one1", "+three1/two2/one1", "-three1/two1/one1", "-two1/one1"]
    text.write("a: 2\nb: 2\nc: 1\nd: 2")
    reload(live)
    assert live.snapshot[three].name == "three1/two2/one2"


def test_a_factory_gets_its_parts_and_nothing_else(make: Make, text: Text) -> None:
    """A factory is called with the values at its paths, then its needs; with no path, with all."""
    text.write("d: {x: {y: 5}}\nn: null")
    live, seen = make(), list[tuple[Any, ...]]()

    @live.resource("d.x.y", ("d", "x"), "n")
    def parts(*args: Any) -> str:
        seen.append(args)
        return "built"

    @live.resource(needs=[parts])
    def whole(config: Any, parts: str) -> object:
        seen.append((config, parts))
        return object()

    begin(live)
    assert seen[0] == (5, {"y": 5}, None)
    assert (live.snapshot.config, "built") == seen[1]
    assert live.snapshot.resources["parts"] == "built"
    assert dict(live.snapshot.resources)["parts"] == live.snapshot[parts]


def test_an_edit_that_drops_a_part_is_rejected_naming_the_key(make: Make, text: Text) -> None:
    """A path that is absent rejects the edit before anything is built."""
    text.write("a: 1\nb: 1\nc: 1")
    live, log = make(), list[str]()
    chain(live, log)
    begin(live)
    del log[:]
    text.write("a: 2\nb: 2")
    assert live.check() is Outcome.REJECTED
    assert log == []
    assert "c: is missing" in str(live.status().error)
    assert live.status().code == SchemaError.code
    assert live.snapshot.version == 1


@pytest.mark.parametrize("part", ["build", "probe"])
def test_a_failed_build_rolls_back_in_reverse(make: Make, text: Text, part: str) -> None:
    """When the last of three cannot be built, the first two are closed, the newest first."""
    text.write("a: 1\nb: 1\nc: 1")
    live, log = make(), list[str]()
    broken: set[str] = set()
    one, two, _ = chain(live, log)

    def probe(thing: Thing) -> bool:
        return "probe" not in broken

    @live.resource("c", needs=[two], probe=probe)
    def four(c: int, two: Thing) -> Thing:
        if "build" in broken:
            raise OSError("no")
        return Thing(log, f"four{c}")

    begin(live)
    before = live.snapshot
    del log[:]
    broken.add(part)
    text.write("a: 2\nb: 2\nc: 2")
    assert live.check() is Outcome.REJECTED
    up = ["+one2", "+two2/one2", "+three2/two2/one2"] + ["+four2"] * (part == "probe")
    until(lambda: len(log) == 2 * len(up))
    assert up + [f"-{name[1:]}" for name in reversed(up)] == log
    assert live.snapshot is before
    assert live.snapshot[one].name == "one1"
    kind = FactoryError if part == "build" else ProbeError
    assert live.status().code == kind.code
    until(lambda: {one.instances for one in live.status().resources} == {1})
    broken.clear()
    text.write("a: 3\nb: 3\nc: 3")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot[four].name == "four3"


def test_the_first_start_names_resource_and_place(make: Make, text: Text) -> None:
    """A first build that fails raises from `start()`: the resource, the key and the file."""
    live = make()

    @live.resource("a")
    def pool(a: int) -> None:
        raise OSError("host is down")

    with pytest.raises(FactoryError) as caught:
        live.start()
    assert caught.value.resource == "pool"
    assert caught.value.key_path == ("a",)
    assert caught.value.path == "app.yaml"
    assert "OSError" in str(caught.value)
    assert live.status().version is None


def test_a_failure_quotes_nothing_hidden(
    make: Make, text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """What a factory's exception quotes of what is hidden is masked, in status and log."""
    live = make(secrets=["a"])

    @live.resource("a")
    def pool(a: object) -> object:
        if a != 1:
            raise OSError(f"cannot log in with {a}")
        return object()

    begin(live)
    text.write("a: canary-password")
    assert live.check() is Outcome.REJECTED
    assert "canary" not in str(live.status())
    assert "canary" not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


def test_a_failure_quotes_what_is_shown_and_says_what_changed(make: Make) -> None:
    """Host and user stand in the sentence as on the page, and beside it what the edit touched."""
    source = MemorySource("db: {host: a, user: app, password: hunter2-hunter2}\nother: 1")
    live: ReloadCheck[Any] = ReloadCheck(source, environ={})

    @live.resource("db")
    def pool(db: Any) -> object:
        if db.host != "a":
            raise OSError(f"{db.user}@{db.host} refuses {db.password}, base64 aHVudGVyMi1odW50ZXIy")
        return object()

    live.start()
    source.edit("db: {host: wrong, user: app, password: hunter2-hunter2}\nother: 2")
    live.check()
    error = str(live.status().error)
    assert "app@wrong refuses ***, base64 ***" in error
    assert error.endswith("changed since version 1: db.host (memory.yaml:1:12)")
    live.close()


def test_a_failure_stands_where_the_edit_was(make: Make) -> None:
    """Of a part that several sources make up, the one that was edited is named, and no other."""
    source = MemorySource("db: {host: a}", "config.yaml")
    live: ReloadCheck[Any] = ReloadCheck(
        source, MemorySource("db: {password: x}", "secrets.yaml"), environ={}
    )

    @live.resource("db")
    def pool(db: Any) -> object:
        if db.host != "a":
            raise OSError("it refuses")
        return object()

    live.start()
    source.edit("db: {host: wrong}")
    live.check()
    assert str(live.status().error).startswith("config.yaml:1:12: db: resource 'pool' cannot be")
    live.close()


@pytest.mark.parametrize(
    ("raised", "place"),
    [
        ("no host db.example", "config.yaml:1:12"),
        ("port 54321 is closed", "local.yaml:1:12"),
        ("hunter2-hunter2 is wrong", "secrets.yaml:1:16"),
        ("it refuses", "config.yaml:1:12"),
    ],
)
@pytest.mark.parametrize("paths", [["db"], ["db.host", "db.port", "db.password"]])
def test_a_first_failure_stands_where_the_value_is_that_it_quotes(
    raised: str, place: str, paths: list[str]
) -> None:
    """Of a part that several sources make up, not the last; each of them is named beside it."""
    live: ReloadCheck[Any] = ReloadCheck(
        MemorySource("db: {host: db.example}", "config.yaml"),
        MemorySource("db: {port: 54321}", "local.yaml"),
        MemorySource("db: {password: hunter2-hunter2}", "secrets.yaml"),
        environ={},
    )

    @live.resource(*paths)
    def pool(*_: Any) -> object:
        raise OSError(raised)

    with pytest.raises(FactoryError) as caught:
        live.start()
    sentence = str(caught.value)
    assert sentence.startswith(f"{place}: {paths[0]}: resource 'pool' cannot be built")
    assert sentence.endswith(
        "; made of db.host (config.yaml:1:12), db.port (local.yaml:1:12), "
        "db.password (secrets.yaml:1:16)"
    )
    assert "hunter2" not in sentence


def test_a_factory_that_breaks_the_protocol_is_named(make: Make, text: Text) -> None:
    """A generator without a yield rejects; one with two is closed and warned of."""
    live = make()

    @live.resource("a")
    def never(a: int) -> Iterator[int]:
        if a:
            return
        yield a

    with pytest.raises(FactoryError, match="raised FactoryMisuseError: it ended without a yield"):
        live.start()


def test_a_second_yield_is_warned_of(
    make: Make, text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """What follows a second yield is run by closing the generator, and the misuse is logged."""
    live, log = make(), list[str]()

    @live.resource("a")
    def twice(a: int) -> Iterator[int]:
        try:
            yield a
            yield a
        finally:
            log.append("closed")

    begin(live)
    live.close()
    assert log == ["closed"]
    assert "closing resource twice raised FactoryMisuseError: it yielded a second" in caplog.text


@pytest.mark.parametrize("names", [("aclose", "close"), ("close", "dispose"), ("dispose",)])
def test_a_plain_result_is_closed_by_its_own_method(
    make: Make, text: Text, names: tuple[str, ...]
) -> None:
    """A plain factory's result is closed by the first it has of `aclose`, `close`, `dispose`."""
    live, log = make(), list[str]()

    def noting(name: str) -> Any:
        def close(*_: object) -> None:
            log.append(name)

        return close

    cls = type("Thing", (), {name: noting(name) for name in names})

    @live.resource("a")
    def thing(a: int) -> object:
        return cls()

    begin(live)
    live.close()
    assert [names[0]] == log


def test_two_stuck_calls_of_one_resource_are_never_made(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """While an abandoned call of a resource has not returned, it is not called again."""
    live, gate, calls = make(), threading.Event(), list[int]()

    @live.resource("a", timeout=1.0)
    def pool(a: int) -> object:
        calls.append(a)
        if a > 1:
            gate.wait(30)
        return object()

    begin(live)
    text.write("a: 2")
    checking = Call(live.check)
    until(lambda: 2 in calls)
    clock.advance(1.5)
    assert checking.result() is Outcome.REJECTED
    assert live.status().code == ResourceTimeoutError.code
    for number in (3, 4, 5):
        text.write(f"a: {number}")
        assert live.check() is Outcome.REJECTED
        assert "has not returned yet" in str(live.status().error)
    assert calls == [1, 2]
    gate.set()
    until(lambda: live.snapshot.version == 2, clock)
    assert calls == [1, 2, 5]


def test_a_resource_cannot_be_registered_once_the_engine_runs(make: Make) -> None:
    """A late registration says where the line belongs."""
    live = make()
    begin(live)
    with pytest.raises(RegistrationError, match="before the engine starts"):
        live.resource("a")(same)

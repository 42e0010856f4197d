"""Registering resources: what could never work is refused there, naming what to change."""

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from reloadcheck import RegistrationError, ReloadCheck, Resource
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, same


class Database(msgspec.Struct, frozen=True):
    """A part of the settings."""

    url: str = "x"


class Settings(msgspec.Struct, frozen=True):
    """Settings with a known shape."""

    database: Database = Database()
    extra: dict[str, int] = {}


@pytest.fixture
def live() -> "ReloadCheck[Any]":
    """An engine that is never started."""
    return ReloadCheck(Text("a: 1"), environ={})


def test_a_handle_is_typed_and_quiet(live: "ReloadCheck[Any]") -> None:
    """Registering gives a handle with the factory's name, or the name given; it shows no value."""

    @live.resource("a")
    def pool(a: int) -> list[int]:
        return [a]

    other = live.resource("a", name="other")(pool.factory)
    assert isinstance(pool, Resource)
    assert (pool.name, other.name) == ("pool", "other")
    assert repr(pool) == "<resource pool>"


def test_a_duplicate_name_is_refused(live: "ReloadCheck[Any]") -> None:
    """Two resources of one name would hide each other."""
    live.resource("a", name="x")(same)
    with pytest.raises(RegistrationError, match="'x' is registered already: add name="):
        live.resource("a", name="x")(same)


def test_a_factory_without_a_name_asks_for_one(live: "ReloadCheck[Any]") -> None:
    """A partial has no name of its own."""
    with pytest.raises(RegistrationError, match="add name="):
        live.resource("a")(functools.partial(same))


def test_needs_are_handles_of_this_engine(live: "ReloadCheck[Any]") -> None:
    """A handle of another engine, a string or a function is no need; a cycle cannot be written."""
    other: ReloadCheck[Any] = ReloadCheck(Text("a: 1"), environ={})

    def two(a: int, b: int) -> int:
        return a

    foreign = other.resource("a", name="foreign")(same)
    wrong: Any
    for wrong in (foreign, "foreign", same, None):
        with pytest.raises(RegistrationError, match="not a handle that this engine's"):
            live.resource("a", needs=[wrong], name="x")(two)
    assert live.resource("a", name="x")(same).needs == ()


def test_a_refused_registration_leaves_nothing(make: Make) -> None:
    """After a refusal the name is free and the engine works."""
    live = make()
    with pytest.raises(RegistrationError):
        live.resource("a", name="x", timeout=0)(same)
    handle = live.resource("a", name="x")(same)
    begin(live)
    assert live.snapshot[handle] == 1


@pytest.mark.parametrize("path", ["", "a..b", ".a", "a.", ()])
def test_a_malformed_path_is_refused(live: "ReloadCheck[Any]", path: Any) -> None:
    """A path is dotted or a tuple of keys, none of them empty."""
    with pytest.raises(RegistrationError, match="a path is dotted"):
        live.resource(path, name="x")(same)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_positive(live: "ReloadCheck[Any]", value: float) -> None:
    """A time-out of zero or none at all could never build anything, or hang for ever."""
    with pytest.raises(RegistrationError, match="timeout must be"):
        live.resource("a", timeout=value, name="x")(same)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_a_drain_is_not_negative(live: "ReloadCheck[Any]", value: float) -> None:
    """A drain of zero closes at once; less makes no sense."""
    with pytest.raises(RegistrationError, match="drain must be"):
        live.resource("a", drain=value, name="x")(same)
    live.resource("a", drain=0, name="zero")(same)


def test_a_schema_that_lacks_the_field_is_asked_at_once() -> None:
    """Where the schema shows that a path cannot be there, registration says so."""
    live = ReloadCheck(Text("a: 1"), schema=Settings, environ={})
    live.resource("database.url", name="ok")(same)
    live.resource("extra.anything", name="free")(same)
    with pytest.raises(RegistrationError, match=r"has no field database\.uri"):
        live.resource("database.uri", name="typo")(same)
    with pytest.raises(RegistrationError, match=r"did you mean database\.url\?"):
        live.resource("database.ur", name="typo")(same)
    with pytest.raises(RegistrationError, match=r"no field databse\.url; did you mean database\?"):
        live.resource("databse.url", name="typo")(same)


def takes_none() -> None:
    """Take nothing."""


def takes_three(a: int, b: int, c: int) -> None:
    """Take one too many."""


def takes_keywords(*, a: int, b: int) -> None:
    """Take nothing by position."""


@pytest.mark.parametrize("factory", [takes_none, takes_three, takes_keywords])
def test_a_factory_that_takes_other_arguments_is_refused(
    live: "ReloadCheck[Any]", factory: Any
) -> None:
    """The number of arguments is checked when the function is registered, not under load."""
    with pytest.raises(RegistrationError, match=r"called as `x\(a, b\)`, with"):
        live.resource("a", "b", name="x")(factory)


def test_what_is_no_function_is_refused(live: "ReloadCheck[Any]") -> None:
    """A value in place of a factory is a mistake that says so."""
    wrong: Any = 5
    with pytest.raises(RegistrationError, match="decorates a function"):
        live.resource("a", name="x")(wrong)


def test_every_kind_of_factory_is_known(make: Make) -> None:
    """Functions, classes, generators, callable objects and partials build; all give their value."""
    live = make()

    class Thing:
        def __init__(self, a: int) -> None:
            self.a = a

    class Maker:
        def __call__(self, a: int) -> int:
            return a

    def generator(a: int) -> Iterator[int]:
        yield a

    factories: list[Any] = [
        Thing, Maker(), generator, same, functools.partial(generator), print,
    ]  # fmt: skip
    handles = [
        live.resource("a", name=f"r{number}")(factory) for number, factory in enumerate(factories)
    ]
    begin(live)
    values = [live.snapshot[handle] for handle in handles]
    assert isinstance(values[0], Thing)
    assert values[1:] == [1, 1, 1, 1, None]


def test_async_callables_are_known_as_async(live: "ReloadCheck[Any]") -> None:
    """Coroutine functions, async generators, async callables and async probes need a loop."""

    async def coroutine(a: int) -> int:
        return a

    async def stream(a: int) -> AsyncIterator[int]:
        yield a

    class Maker:
        async def __call__(self, a: int) -> int:
            return a

    async def probe(a: int) -> bool:
        return True

    factories: list[Any] = [coroutine, stream, Maker(), functools.partial(coroutine)]
    for number, factory in enumerate(factories):
        handle = live.resource("a", name=f"r{number}")(factory)
        assert handle.is_async
        assert handle.needs_loop
    probed = live.resource("a", name="probed", probe=probe)(same)
    assert not probed.is_async
    assert probed.needs_loop


def test_registration_after_the_end_of_an_engine(make: Make) -> None:
    """A running engine takes no new resource: its snapshots would lack it."""
    live = make()
    begin(live)
    with pytest.raises(RegistrationError, match="before the engine starts"):
        live.resource("a", name="late")(same)


def test_another_engines_handle_finds_nothing(make: Make) -> None:
    """A snapshot does not answer to a handle of another engine, even of the same name."""
    one, two = make(Text("a: 1")), make(Text("a: 1"))
    one.resource("a", name="x")(same)
    foreign = two.resource("a", name="x")(same)
    begin(one)
    with pytest.raises(KeyError, match="takes the handle that this engine's"):
        one.snapshot[foreign]
    with pytest.raises(KeyError):
        one.snapshot.resources["y"]

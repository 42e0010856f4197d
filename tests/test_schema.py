"""Schemas: what is accepted, what is refused, and problems that name keys and quote nothing."""

import traceback
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    TypeVar,
)

import msgspec
import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

import reloadcheck._schema
from reloadcheck._frozen import FrozenDict, FrozenList
from reloadcheck._schema import lookup, schema_of
from reloadcheck.exceptions import SchemaClassError, SchemaError
from reloadcheck.types import KeyPath

CANARY = "c4n4ry-Tr0ub4dor"
T = TypeVar("T")
FROZEN = ConfigDict(frozen=True)
Kind = Enum("Kind", {"FAST": "fast", "SAFE": "safe"})


class Database(BaseModel):
    """A part of the configuration, as pydantic models it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: SecretStr
    pool_size: int = Field(5, ge=1, le=100, alias="pool-size")
    hosts: list[str] = []
    timeout: float = 1.0
    kind: Literal["fast", "safe"] = "fast"
    port: int | dict[str, int] | None = None
    since: date | None = None
    at: datetime | None = None
    link: AnyUrl | None = None
    other: Annotated[int, Field(validation_alias=AliasChoices("other", "another"))] = 1
    deep: Annotated[int, Field(validation_alias=AliasPath("nest", "deep"))] = 1
    name: Annotated[str, Field(min_length=2, max_length=5, pattern="^[a-z]+$")] = "db"

    @field_validator("hosts")
    @classmethod
    def known_hosts(cls, hosts: list[str]) -> list[str]:
        """Refuse some hosts, quoting them as validators do."""
        for host in hosts:
            if host.startswith("c4n4ry"):
                raise ValueError(f"host {host!r} is not known")
        return hosts


class Settings(BaseModel):
    """A configuration, as pydantic models it."""

    model_config = FROZEN
    database: Database
    services: dict[str, Database] = {}


class StructDatabase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A part of the configuration, as msgspec models it."""

    url: str
    pool_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    hosts: list[str] = msgspec.field(default_factory=list)
    timeout: float = 1.0
    kind: Literal["fast", "safe"] = "fast"
    port: int | dict[str, int] | None = None
    since: date | None = None
    name: Annotated[str, msgspec.Meta(min_length=2)] = "db"

    def __post_init__(self) -> None:
        if self.url.startswith("c4n4ry"):
            raise ValueError(f"the url {self.url!r} is not known")


class StructSettings(msgspec.Struct, frozen=True):
    """A configuration, as msgspec models it."""

    database: StructDatabase
    services: dict[str, StructDatabase] = {}


@dataclass(frozen=True, slots=True)
class DataDatabase:
    """A part of the configuration, as a dataclass models it."""

    url: str
    pool_size: int = 5
    hosts: list[str] = field(default_factory=list)
    home: Path = Path("/")


@dataclass(frozen=True)
class DataSettings:
    """A configuration, as a dataclass models it."""

    database: DataDatabase
    services: dict[str, DataDatabase] = field(default_factory=dict)


def problems_of(schema: Any, tree: dict[str, Any]) -> dict[KeyPath, str]:
    """Give the problems of a tree by key path; the caller knows there are some."""
    with pytest.raises(SchemaError) as caught:
        schema_of(schema).convert(tree)
    error = caught.value
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error)
    assert CANARY not in told
    assert CANARY[:6] not in told
    assert error.__cause__ is error.__context__ is None
    assert {(p.path, p.line, p.column) for p in error.problems} == {(None, None, None)}
    return {problem.key_path: problem.reason for problem in error.problems}


PYDANTIC_CASES: list[tuple[dict[str, Any], dict[KeyPath, str]]] = [
    ({}, {("url",): "is missing"}),
    ({"url": 5}, {("url",): "should be a string, not an integer"}),
    ({"url": None}, {("url",): "should be a string, not null"}),
    ({"url": "u", "pool-size": 0}, {("pool-size",): "should be at least 1"}),
    ({"url": "u", "pool-size": 101}, {("pool-size",): "should be at most 100"}),
    ({"url": "u", "pool-size": CANARY}, {("pool-size",): "should be an integer, not a string"}),
    ({"url": "u", "pool-size": 1.5}, {("pool-size",): "should be an integer, not a number"}),
    ({"url": "u", "pool-size": [1]}, {("pool-size",): "should be an integer, not a list"}),
    ({"url": "u", "pool_size": 5}, {("pool_size",): "is not a known key"}),
    ({"url": "u", "hosts": ["a", 5]}, {("hosts", 1): "should be a string, not an integer"}),
    ({"url": "u", "hosts": CANARY}, {("hosts",): "should be a list, not a string"}),
    ({"url": "u", "hosts": [CANARY]}, {("hosts",): "ValueError: host '***' is not known"}),
    ({"url": "u", "kind": CANARY}, {("kind",): "should be 'fast' or 'safe'"}),
    ({"url": "u", "port": CANARY}, {("port",): "should be an integer or a mapping, not a string"}),
    ({"url": "u", "port": {"a": CANARY}}, {
        ("port",): "should be an integer, not a mapping",
        ("port", "a"): "should be an integer, not a string",
    }),
    ({"url": "u", "since": CANARY}, {("since",): "should be a date"}),
    ({"url": "u", "at": CANARY}, {("at",): "should be a date and time"}),
    ({"url": "u", "link": CANARY}, {("link",): "should be a URL"}),
    ({"url": "u", "another": CANARY}, {("another",): "should be an integer, not a string"}),
    ({"url": "u", "nest": {"deep": CANARY}}, {
        ("nest", "deep"): "should be an integer, not a string",
    }),
    ({"url": "u", "name": "a"}, {("name",): "should have at least 2 characters"}),
    ({"url": "u", "name": "abcdef"}, {("name",): "should have at most 5 characters"}),
    ({"url": "u", "name": "A-B"}, {("name",): "should match the pattern ^[a-z]+$"}),
]  # fmt: skip


@pytest.mark.parametrize(("part", "expected"), PYDANTIC_CASES)
def test_pydantic_problems(part: dict[str, Any], expected: dict[KeyPath, str]) -> None:
    """Each problem is one sentence at the file's own key, wherever the part stands."""
    at_top = {("database", *path): reason for path, reason in expected.items()}
    assert problems_of(Settings, {"database": part}) == at_top
    in_map = {("services", "a.b", *path): reason for path, reason in expected.items()}
    tree = {"database": {"url": "u"}, "services": {"x": {"url": "u"}, "a.b": part}}
    assert problems_of(Settings, tree) == in_map


def test_pydantic_reports_all_problems_together() -> None:
    """An edit with several mistakes is told about all of them at once."""
    part = {"pool-size": 0, "hosts": [1], "what": CANARY}
    assert problems_of(Settings, {"database": part, "services": {"s": {}}}) == {
        ("database", "url"): "is missing",
        ("database", "pool-size"): "should be at least 1",
        ("database", "hosts", 0): "should be a string, not an integer",
        ("database", "what"): "is not a known key",
        ("services", "s", "url"): "is missing",
    }
    assert problems_of(Settings, {}) == {("database",): "is missing"}
    assert problems_of(Settings, {"database": [1]}) == {
        ("database",): "should be a mapping, not a list"
    }


class Cat(BaseModel):
    """One member of a union with tags."""

    model_config = FROZEN
    kind: Literal["cat"]


class Dog(BaseModel):
    """Another member."""

    model_config = FROZEN
    kind: Literal["dog"]
    age: int


class Pets(BaseModel):
    """A model whose errors quote tags and checks."""

    model_config = FROZEN
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    even: Annotated[int, Field(multiple_of=2)] = 2
    few: Annotated[list[int], Field(max_length=1)] = []
    mode: Kind = Kind.FAST

    @model_validator(mode="after")
    def fitting(self) -> "Pets":
        """Check several fields at once."""
        if self.even >= 100:
            raise AssertionError(f"{self.even} is too much")
        return self


def test_pydantic_words_that_would_quote() -> None:
    """Tags, enums and assertions are told without the value that failed."""
    assert problems_of(Pets, {"pet": {"kind": CANARY}}) == {
        ("pet",): "should have one of 'cat', 'dog' as 'kind'"
    }
    assert problems_of(Pets, {"pet": {}}) == {("pet",): "should have the key 'kind'"}
    assert problems_of(Pets, {"pet": {"kind": "dog"}}) == {("pet", "age"): "is missing"}
    cat = {"kind": "cat"}
    assert problems_of(Pets, {"pet": cat, "even": 3}) == {("even",): "should be a multiple of 2"}
    assert problems_of(Pets, {"pet": cat, "few": [1, 2]}) == {
        ("few",): "should have at most 1 items"
    }
    assert problems_of(Pets, {"pet": cat, "mode": CANARY}) == {
        ("mode",): "should be 'fast' or 'safe'"
    }
    assert problems_of(Pets, {"pet": cat, "even": 4930}) == {(): "AssertionError: *** is too much"}


NUMBER = "should be an integer"
MSGSPEC_CASES: list[tuple[dict[str, Any], KeyPath, str]] = [
    ({}, ("url",), "is missing"),
    ({"url": 5}, ("url",), "should be a string, not an integer"),
    ({"url": None}, ("url",), "should be a string, not null"),
    ({"url": "u", "pool-size": 0}, ("pool-size",), "should be at least 1"),
    ({"url": "u", "pool-size": 101}, ("pool-size",), "should be at most 100"),
    ({"url": "u", "pool-size": CANARY}, ("pool-size",), "should be an integer, not a string"),
    ({"url": "u", "pool-size": True}, ("pool-size",), "should be an integer, not a boolean"),
    ({"url": "u", "pool_size": 5}, ("pool_size",), "is not a known key"),
    ({"url": "u", "hosts": ["a", 5]}, ("hosts", 1), "should be a string, not an integer"),
    ({"url": "u", "kind": CANARY}, ("kind",), "is not one of the values allowed here"),
    (
        {"url": "u", "port": CANARY},
        ("port",),
        "should be an integer or a mapping or null, not a string",
    ),
    (
        {"url": "u", "port": {"b": 1, "a": CANARY}},
        ("port", "a"),
        "should be an integer, not a string",
    ),
    ({"url": "u", "since": CANARY}, ("since",), "Invalid RFC3339 encoded date"),
    ({"url": "u", "name": "a"}, ("name",), "should have length at least 2"),
    ({"url": CANARY}, (), "ValueError: the url '***' is not known"),
]


@pytest.mark.parametrize(("part", "path", "reason"), MSGSPEC_CASES)
def test_msgspec_problems(part: dict[str, Any], path: KeyPath, reason: str) -> None:
    """The first problem is one sentence at the file's own key, also where msgspec tells no key."""
    assert problems_of(StructSettings, {"database": part}) == {("database", *path): reason}
    for key in ("z", "a.b", "a[0]", "[...]", ""):
        tree: dict[str, Any]
        tree = {"database": {"url": "u"}, "services": {str(n): {"url": "u"} for n in range(9)}}
        tree["services"][key] = part
        assert problems_of(StructSettings, tree) == {("services", key, *path): reason}
    assert problems_of(StructSettings, {}) == {("database",): "is missing"}


def test_msgspec_keys_of_the_wrong_type() -> None:
    """A key that is no string is named too."""
    tree = {"database": {"url": "u"}, "services": {"a": {"url": "u"}, 5: {"url": "u"}}}
    assert problems_of(StructSettings, tree) == {
        ("services", 5): "as a key should be a string, not an integer"
    }


class Few(msgspec.Struct, frozen=True):
    """A struct whose mapping cannot be made smaller."""

    limits: Annotated[dict[str, int], msgspec.Meta(min_length=2)]


class Dotless(msgspec.Struct, frozen=True, rename={"x": "a", "y": "a.b"}):
    """A struct whose keys could be mistaken for paths."""

    x: int = 1
    y: int = 1


class Tagged(msgspec.Struct, frozen=True, tag="one"):
    """One member of a union with tags."""


class TaggedToo(msgspec.Struct, frozen=True, tag="two"):
    """Another member."""


class Union(msgspec.Struct, frozen=True):
    """A struct whose errors quote tags."""

    member: Tagged | TaggedToo


class Nested(msgspec.Struct, frozen=True):
    """A struct whose key continues another one's."""

    bcd: int


class Continued(msgspec.Struct, frozen=True, rename={"y": "a.bc"}):
    """A struct with a key that begins like a path."""

    a: Nested
    y: int = 1


def test_msgspec_paths_that_mislead() -> None:
    """A key is named only when it is certain, and keys with dots are read as they stand."""
    assert problems_of(Few, {"limits": {"b": "x", "a": 1, "c": 1}}) == {
        ("limits", "b"): "should be an integer, not a string"
    }
    assert problems_of(Continued, {"a": {"bcd": "x"}, "a.bc": 1}) == {
        ("a", "bcd"): "should be an integer, not a string"
    }
    assert problems_of(Dotless, {"a": 1, "a.b": "x"}) == {
        ("a.b",): "should be an integer, not a string"
    }
    assert problems_of(Union, {"member": {"type": CANARY}}) == {
        ("member", "type"): "Invalid value '***'"
    }


def test_dataclass_problems() -> None:
    """A dataclass is told about like a struct, and a path may be a `Path`."""
    assert problems_of(DataSettings, {"database": {"url": 5}}) == {
        ("database", "url"): "should be a string, not an integer"
    }
    assert problems_of(DataSettings, {"database": {}}) == {("database", "url"): "is missing"}
    assert problems_of(DataSettings, {"database": {"url": "u", "home": 5}}) == {
        ("database", "home"): "TypeError: a path should be a string"
    }
    config = schema_of(DataSettings).convert({"database": {"url": "u", "home": "/x"}})
    assert config.database.home == Path("/x")


def test_dataclasses_without_msgspec_are_converted_by_pydantic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whichever library is installed converts; with neither the error names what to install."""
    missing = {"msgspec"}

    def import_module(name: str) -> object:
        if name in missing:
            raise ImportError(name)
        return __import__(name)

    monkeypatch.setattr(reloadcheck._schema, "import_module", import_module)
    assert problems_of(DataSettings, {"database": {"url": 5}}) == {
        ("database", "url"): "should be a string, not an integer"
    }
    config = schema_of(DataSettings).convert({"database": {"url": "u", "hosts": ["a"]}})
    assert config == DataSettings(DataDatabase("u", hosts=["a"]))
    assert type(config.database.hosts) is FrozenList
    missing.add("pydantic")
    with pytest.raises(SchemaClassError, match=r"pip install reloadcheck\[msgspec\]"):
        schema_of(DataSettings)


@pydantic_dataclass(frozen=True)
class Checked:
    """A dataclass of pydantic's own."""

    size: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True)
class Holder:
    """A plain dataclass that holds pydantic's."""

    checked: Checked
    database: Database | None = None


def test_pydantic_parts_of_a_dataclass_are_validated_by_pydantic() -> None:
    """What only pydantic can check is not left to msgspec."""
    assert problems_of(Holder, {"checked": {"size": 0}}) == {
        ("checked", "size"): "should be at least 1"
    }
    assert problems_of(Checked, {"size": 0}) == {("size",): "should be at least 1"}


def test_without_a_schema_the_tree_itself_is_frozen() -> None:
    """No schema: a FrozenDict of what the file says, shared with the previous one."""
    schema = schema_of(None)
    config = schema.convert({"a": {"b": [1]}})
    assert type(config) is FrozenDict
    assert config.a.b == [1]
    assert schema.convert({"a": {"b": [1]}}, config) is config
    assert schema.is_plain
    assert not schema_of(Settings).is_plain
    assert schema.field(("a", "b")) is None


def test_a_callable_gets_a_copy_and_may_return_anything() -> None:
    """A function may take its tree apart, and what it returns is the configuration."""
    tree = {"a": {"b": [1]}}
    mine = object()

    def take(given: dict[str, Any]) -> object:
        given["a"]["b"].append(2)
        given.clear()
        return mine

    assert schema_of(take).convert(tree) is mine
    assert tree == {"a": {"b": [1]}}
    assert schema_of(take).field(("a",)) is None
    frozen = schema_of(lambda given: given["a"]).convert(tree)
    assert type(frozen) is FrozenDict


def test_a_pydantic_validator_may_change_its_input() -> None:
    """A `before` validator that pops from its input leaves the tree as it is."""

    class Popping(BaseModel):
        model_config = FROZEN
        a: int

        @model_validator(mode="before")
        @classmethod
        def pop(cls, data: dict[str, Any]) -> dict[str, Any]:
            return {"a": data.pop("b")}

    tree = {"b": 1}
    assert schema_of(Popping).convert(tree).a == 1
    assert tree == {"b": 1}


class Silent(Exception):
    """An exception that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError(CANARY)


def _raise(error: Exception) -> Callable[[dict[str, Any]], object]:
    def schema(_: dict[str, Any]) -> object:
        raise error

    return schema


def _endless(_: dict[str, Any]) -> object:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (_raise(ValueError(f"no such host: {CANARY}")), "ValueError: no such host: ***"),
        (_raise(KeyError(CANARY)), "KeyError: '***'"),
        (_raise(RuntimeError()), "RuntimeError"),
        (_raise(Silent()), "Silent"),
        (_raise(MemoryError()), "MemoryError"),
        (_endless, "what the schema made contains itself, or nests too deeply"),
    ],
)
def test_a_callables_failure_is_told_without_its_values(schema: Any, reason: str) -> None:
    """Whatever a function raises becomes one problem of the whole document."""
    assert problems_of(schema, {"host": CANARY}) == {(): reason}


def test_any_exception_in_a_validator_is_a_problem() -> None:
    """A validator that fails in a way pydantic does not catch is told the same way."""

    class Failing(BaseModel):
        model_config = FROZEN
        a: str

        @field_validator("a")
        @classmethod
        def fail(cls, value: str) -> str:
            raise LookupError(value)

    assert problems_of(Failing, {"a": CANARY}) == {(): "LookupError: ***"}


def test_a_custom_error_of_pydantics_is_scrubbed() -> None:
    """A validator's own kind of error is told without the value it was given."""

    class Custom(BaseModel):
        model_config = FROZEN
        a: str

        @field_validator("a")
        @classmethod
        def fail(cls, value: str) -> str:
            raise PydanticCustomError("odd", "Input is odd: {value}", {"value": value})

    assert problems_of(Custom, {"a": CANARY}) == {("a",): "is odd: ***"}


class Early(BaseModel):
    """A model that names a class defined after it."""

    model_config = FROZEN
    x: "list[Late]"


class Late(BaseModel):
    """A class that can be changed."""

    a: int = 1


class MutableModel(BaseModel):
    """A model that can be changed."""

    a: int = 1


class MutableStruct(msgspec.Struct):
    """A struct that can be changed."""

    a: int = 1


@dataclass
class MutableData:
    """A dataclass that can be changed."""

    a: int = 1


@pydantic_dataclass
class MutableChecked:
    """A dataclass of pydantic's that can be changed."""

    a: int = 1


class Box(BaseModel, Generic[T]):
    """A generic model."""

    model_config = FROZEN
    content: T


@dataclass(frozen=True)
class DataBox(Generic[T]):
    """A generic dataclass."""

    content: T


class Typed(TypedDict):
    """A mapping that holds a mutable model."""

    inner: MutableData


class Named(NamedTuple):
    """A tuple that holds a mutable model."""

    inner: MutableData


MUTABLE: list[tuple[type, str]] = [
    (MutableModel, r"MutableModel .*`model_config = ConfigDict\(frozen=True\)`"),
    (MutableStruct, r"MutableStruct .*`class MutableStruct\(msgspec.Struct, frozen=True\)`"),
    (MutableData, r"MutableData .*`@dataclass\(frozen=True\)`"),
    (MutableChecked, r"MutableChecked .*`@dataclass\(frozen=True\)`"),
]


@pytest.mark.parametrize(("cls", "message"), MUTABLE)
def test_a_mutable_class_is_refused(cls: type, message: str) -> None:
    """A class whose instances can be changed is refused, naming it and the line to add."""
    with pytest.raises(SchemaClassError, match=message):
        schema_of(cls)


WRAPPINGS: list[Callable[[Any], Any]] = [
    lambda t: t,
    lambda t: list[t],  # type: ignore[valid-type]
    lambda t: dict[str, t],  # type: ignore[valid-type]
    lambda t: Mapping[str, Sequence[t]],  # type: ignore[valid-type]
    lambda t: Optional[t],  # noqa: UP045
    lambda t: int | dict[str, list[t]] | None,  # type: ignore[valid-type]
    lambda t: tuple[t, ...],  # type: ignore[valid-type]
    lambda t: tuple[int, t],  # type: ignore[valid-type]
    lambda t: Annotated[t, "note"],
    lambda t: Annotated[list[t], ["unhashable"]],  # type: ignore[valid-type]
    lambda t: Box[t],  # type: ignore[valid-type]
    lambda t: dict[str, DataBox[list[t]]],  # type: ignore[valid-type]
    lambda t: NewType("New", t),  # pyright: ignore[reportGeneralTypeIssues]
    lambda _: Typed,
    lambda _: list[Named],
]


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_a_mutable_class_is_found_at_any_depth(wrap: Callable[[Any], Any]) -> None:
    """No annotation hides a mutable class."""
    annotation = wrap(MutableData)
    outer = type("Outer", (BaseModel,), {
        "model_config": FROZEN, "__annotations__": {"x": annotation}, "__module__": __name__,
    })  # fmt: skip
    inner: Any = dataclass(frozen=True)(type("Inner", (), {"__annotations__": {"x": annotation}}))
    for cls in (outer, inner):
        with pytest.raises(SchemaClassError, match="MutableData can be changed"):
            schema_of(cls)


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        (deque[int], "list"),
        (bytearray, "bytes"),
        (OrderedDict[str, int], "dict"),
        (Counter[str], "dict"),
        (defaultdict[str, int], "dict"),
    ],
)
def test_containers_that_cannot_be_frozen_are_refused(kind: Any, instead: str) -> None:
    """A field whose value could be changed in place names what to use."""
    cls: Any = dataclass(frozen=True)(type("Inner", (), {"__annotations__": {"x": list[kind]}}))
    with pytest.raises(SchemaClassError, match=f"use {instead}"):
        schema_of(cls)


@dataclass(frozen=True)
class Lost:
    """A dataclass with an annotation that nobody defines."""

    x: "list[Nowhere]"  # type: ignore[name-defined]  # noqa: F821


@dataclass(frozen=True)
class Counting:
    """A dataclass with something that belongs to the class, not to the configuration."""

    counts: ClassVar[MutableData] = MutableData()
    x: int = 1


@dataclass(frozen=True)
class Node:
    """A dataclass that contains itself."""

    name: str
    children: "list[Node]" = field(default_factory=list)


def test_annotations_are_resolved_or_refused() -> None:
    """A class that contains itself is fine; a name that cannot be resolved is said."""
    with pytest.raises(SchemaClassError, match="Late can be changed"):
        schema_of(Early)
    config = schema_of(Node).convert({"name": "a", "children": [{"name": "b"}]})
    assert config.children[0].name == "b"
    with pytest.raises(SchemaClassError, match="`Nowhere` is not defined"):
        schema_of(Lost)


@dataclass(frozen=True)
class Unfit:
    """A dataclass that msgspec cannot tell apart."""

    x: "DataDatabase | Node"


@pytest.mark.parametrize("schema", [5, "Settings", Settings.model_construct()])
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    """An instance or a name where a class belongs is an error at construction."""
    with pytest.raises(SchemaClassError, match="a schema is a frozen pydantic model"):
        schema_of(schema)


def test_what_the_library_cannot_convert_is_refused_at_construction() -> None:
    """A class that no file could ever satisfy is found before there is a file."""
    with pytest.raises(SchemaClassError, match="msgspec cannot convert"):
        schema_of(Unfit)
    strange: Any = dataclass(frozen=True)(
        type("Strange", (), {"__annotations__": {"x": Database, "y": Lock}})
    )
    with pytest.raises(SchemaClassError, match="pydantic cannot convert"):
        schema_of(strange)


class Lock:
    """A class that pydantic knows nothing about."""


def test_dates_of_yaml_and_toml_pass() -> None:
    """Values that parsers make are accepted as they are."""
    part = {"url": "u", "since": date(2026, 1, 2)}
    assert schema_of(Settings).convert({"database": part}).database.since == date(2026, 1, 2)
    assert schema_of(StructSettings).convert({"database": part}).database.since == date(2026, 1, 2)


class Open(BaseModel):
    """A model that tolerates other keys."""

    model_config = ConfigDict(frozen=True, extra="allow")
    known: Database | None = None
    either: Database | Cat | None = None
    raw: Any = None
    listed: list[Annotated[Cat, Field(title="t")]] = []


@pytest.mark.parametrize(
    ("schema", "path", "expected"),
    [
        (Settings, (), True),
        (Settings, ("database",), True),
        (Settings, ("database", "url"), True),
        (Settings, ("database", "pool_size"), True),
        (Settings, ("database", "pool-size"), False),
        (Settings, ("database", "nope"), False),
        (Settings, ("nope", "url"), False),
        (Settings, ("database", "timeout", "x"), False),
        (Settings, ("services", "any"), None),
        (Settings, ("services", "any", "url"), None),
        (Settings, ("services", "any", "nope"), False),
        (Settings, ("database", "hosts", 0), None),
        (Settings, ("database", "hosts", 0, "x"), False),
        (Settings, ("database", "port", "x"), None),
        (StructSettings, ("database", "pool_size"), True),
        (StructSettings, ("database", "pool-size"), False),
        (DataSettings, ("database", "home"), True),
        (DataSettings, ("database", "nope"), False),
        (Open, ("other",), None),
        (Open, ("known", "url"), True),
        (Open, ("known", "nope"), False),
        (Open, ("either", "url"), True),
        (Open, ("either", "nope"), False),
        (Open, ("raw", "x"), None),
        (Open, ("listed", 0, "kind"), None),
        (Open, ("listed", 0, "nope"), False),
        (Box[Database], ("content", "url"), True),
        (Box[Database], ("content", "nope"), False),
        (Node, ("children", 0, "children", 0, "name"), None),
        (Node, ("children", 0, "nope"), False),
        (None, ("x",), None),
        (Counting, ("counts",), False),
        (Counting, ("x",), True),
    ],
)
def test_field_tells_what_the_class_shows(
    schema: Any, path: KeyPath, expected: bool | None
) -> None:
    """A misspelt path is known at registration wherever the class decides it."""
    assert schema_of(schema).field(path) is expected


@pytest.mark.parametrize("schema", [None, Settings, StructSettings, DataSettings])
def test_lookup_reads_any_configuration(schema: Any) -> None:
    """Fields, items and indexes are read alike; what is missing names the first part that is."""
    config: object = schema_of(schema).convert(
        {"database": {"url": "u", "hosts": ["a", "b"]}, "services": {"x.y": {"url": "v"}}}
    )
    assert lookup(config, ()) is config
    assert lookup(config, ("database", "hosts", 1)) == "b"
    assert lookup(config, ("database", "hosts", "1")) == "b"
    assert lookup(config, ("services", "x.y")) is lookup(lookup(config, ("services",)), ("x.y",))
    for path, missing in [
        (("database", "nope", "x"), ("database", "nope")),
        (("services", "x", "y"), ("services", "x")),
        (("database", "hosts", 2), ("database", "hosts", 2)),
        (("database", "hosts", "x"), ("database", "hosts", "x")),
        (("database", "url", "x"), ("database", "url", "x")),
        (("model_dump",), ("model_dump",)),
    ]:
        with pytest.raises(KeyError) as caught:
            lookup(config, path)  # type: ignore[arg-type]
        assert caught.value.args == (missing,)
        assert caught.value.__cause__ is None


def test_lookup_reads_null_extras_and_plain_objects() -> None:
    """A key that is present as null is found, extra keys too, and attributes of any object."""
    config = schema_of(Open).convert({"other": {"x": None}})
    assert lookup(config, ("other", "x")) is None
    assert lookup(config, ("known",)) is None

    class Bare:
        url = "u"

    assert lookup({"bare": Bare()}, ("bare", "url")) == "u"


class Changeable(BaseModel):
    """A model that a function might return."""

    a: int


@pytest.mark.parametrize(
    "made", [Changeable(a=1), SimpleNamespace(a=1), deque([1]), bytearray(b"a")], ids=type
)
def test_a_function_may_not_return_what_can_be_changed(made: object) -> None:
    """What a callable schema returns is refused where it could be changed afterwards."""
    with pytest.raises(SchemaError, match=r"can be changed; (use|make it frozen)"):
        schema_of(lambda tree: made).convert({"a": 1})

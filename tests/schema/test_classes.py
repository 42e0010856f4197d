"""Classes that are refused at construction: what can be changed, or that nobody can convert.

Long because each library has its own classes that can be changed, and its own sentences.
"""

import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional

import attrs
import msgspec
import pytest
from pydantic import BaseModel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.config import Config
from typing_extensions import TypedDict

import reloadcheck
from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import SchemaClassError

from .models import (
    FROZEN,
    Box,
    Database,
    DataDatabase,
    MutableData,
    Node,
    Settings,
    T,
    problems_of,
)


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


@pydantic_dataclass
class MutableChecked:
    """A dataclass of pydantic's that can be changed."""

    a: int = 1


@attrs.define
class MutableAttrs:
    """A class of attrs that can be changed."""

    a: int = 1


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
    (MutableAttrs, r"MutableAttrs .*`@attrs.frozen`"),
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
    """A dataclass of which a file could mean either."""

    x: "DataDatabase | Node"


@pytest.mark.parametrize("schema", [5, "Settings", Settings.model_construct()])
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    """An instance or a name where a class belongs is an error at construction."""
    with pytest.raises(SchemaClassError, match="a schema is a frozen pydantic model"):
        schema_of(schema)


class Lock:
    """A class that no file can hold."""


@dataclass(frozen=True)
class Locked:
    """A dataclass with a field that no file can hold, which need not be there."""

    lock: Lock | None = None


def _holding(kind: Any) -> Any:
    return dataclass(frozen=True)(
        type("Strange", (), {"__annotations__": {"x": Database, "y": kind}})
    )


def test_what_nothing_can_be_converted_to_is_refused_at_construction() -> None:
    """A class that no file could ever satisfy is found before there is a file."""
    with pytest.raises(SchemaClassError, match="field x of Unfit: DataDatabase and Node look al"):
        schema_of(Unfit)
    with pytest.raises(SchemaClassError, match=r"field y of Strange: nothing in a file .* Lock"):
        schema_of(_holding(Lock))
    assert schema_of(Locked).convert({}) == Locked()
    assert problems_of(Locked, {"lock": {}}) == {("lock",): "nothing in a file can become Lock"}


class Plain:
    """A class with a constructor that would take anything."""

    def __init__(self, tree: object = None) -> None:
        self.tree = tree


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (Plain, r"Plain is none of them: write `@dataclass\(frozen=True\)` above it, or `schema=l"),
        (Named, "Named is none of them"),
        (Typed, "Typed is none of them"),
        (dict, "not the class dict"),
        (dict[str, Database], "not the class dict"),
        (int, "not the class int"),
        (Optional[Database], f"not {re.escape(repr(Optional[Database]))}"),  # noqa: UP045
        (Database | None, r"not .*Database \| None"),
        (Literal["a"], "not typing.Literal"),
    ],
)
def test_a_class_is_not_a_function(schema: Any, message: str) -> None:
    """A class that maps no keys to fields is not called with the whole configuration."""
    with pytest.raises(SchemaClassError, match=message):
        schema_of(schema)


class ReadsItself(BaseSettings):
    """A settings class of pydantic-settings, frozen as ours must be."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="SHOP_", env_file=".env", secrets_dir="/run/secrets"
    )
    x: int = 1


class HoldsOne(BaseModel):
    """A model that holds one."""

    model_config = FROZEN
    inner: ReadsItself


@pytest.mark.parametrize("schema", [ReadsItself, HoldsOne])
def test_a_class_that_fetches_its_own_input_is_refused(schema: Any) -> None:
    """Files and variables behind the sources' backs: the sentence is the line to write instead."""
    with pytest.raises(SchemaClassError) as caught:
        schema_of(schema)
    assert "Derive it from pydantic.BaseModel" in str(caught.value)
    sources = (
        '"config.yaml", DirectorySource("/run/secrets"), '
        'DotenvSource(".env", prefix="SHOP", optional=True), EnvironSource("SHOP")'
    )
    assert f"`ReloadCheck({sources}, schema=ReadsItself)`" in str(caught.value)


Dynaconf: Any = import_module("dynaconf").Dynaconf  # which tells no types


class Bare(BaseSettings):
    """A settings class whose variables have no prefix, as most have."""

    model_config = SettingsConfigDict(frozen=True)
    database_url: str = ""


def test_variables_without_a_prefix_have_a_way(tmp_path: Path) -> None:
    """What a platform calls DATABASE_URL is named in the file; the sentence says how."""
    with pytest.raises(SchemaClassError, match=r"`url: \$\{env:DATABASE_URL\}`, with `references="):
        schema_of(Bare)
    with pytest.raises(SchemaClassError) as caught:
        schema_of(ReadsItself)
    assert "EnvReferences" not in str(caught.value)


@pytest.mark.parametrize(
    "schema", [Dynaconf, Dynaconf(), Config, Config(environ={}), Bare(), type("Own", (Config,), {})]
)
def test_an_object_that_fetches_its_own_input_is_refused(schema: Any) -> None:
    """A settings object of another library is no function, though it can be called."""
    with pytest.raises(SchemaClassError, match="reads the environment and files by itself"):
        schema_of(schema)


class Reader(BaseSettings):
    """A settings class as projects have them."""

    model_config = SettingsConfigDict(
        env_prefix="SHOP_", env_file=".env", env_nested_delimiter="__"
    )
    greeting: str = "hi"
    count: int = 1


def test_what_is_to_be_written_reads_what_the_class_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who follows the sentence to the letter has the same values, with each file or without it."""

    class Settings(BaseModel):
        model_config = FROZEN
        greeting: str = "hi"
        count: int = 1

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_COUNT", "2")
    with pytest.raises(SchemaClassError) as caught:
        schema_of(Reader)
    (line,) = re.findall(r"`(ReloadCheck\(.*\))`", str(caught.value))
    Path("config.yaml").write_text("{}\n")
    needed = ("ReloadCheck", "DotenvSource", "EnvironSource")
    names: dict[str, Any] = {name: getattr(reloadcheck, name) for name in needed}
    names["Reader"] = Settings
    for text in (None, "SHOP_GREETING=hello\nSHOP_COUNT=3\n"):
        if text is not None:
            Path(".env").write_text(text)
        live = eval(line, names)
        live.start()
        assert live.snapshot.config.model_dump() == Reader().model_dump()
        live.close()

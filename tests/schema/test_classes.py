"""Classes that are refused at construction: what can be changed, or that nobody can convert."""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple, NewType, Optional

import msgspec
import pytest
from pydantic import BaseModel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import SchemaClassError

from .models import FROZEN, Box, Database, DataDatabase, MutableData, Node, Settings, T


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


class Lock:
    """A class that pydantic knows nothing about."""


def test_what_the_library_cannot_convert_is_refused_at_construction() -> None:
    """A class that no file could ever satisfy is found before there is a file."""
    with pytest.raises(SchemaClassError, match="msgspec cannot convert"):
        schema_of(Unfit)
    strange: Any = dataclass(frozen=True)(
        type("Strange", (), {"__annotations__": {"x": Database, "y": Lock}})
    )
    with pytest.raises(SchemaClassError, match="pydantic cannot convert"):
        schema_of(strange)

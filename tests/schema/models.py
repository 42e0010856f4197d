"""The classes that the tests of schemas share, and the way to have a tree's problems told."""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import attrs
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
)

from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import SchemaError
from reloadcheck.types import KeyPath

CANARY = "c4n4ry-Tr0ub4dor"

FROZEN = ConfigDict(frozen=True)

T = TypeVar("T")


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


def _letters(text: Iterable[str]) -> tuple[str, ...]:
    return tuple(text)


def _known(_: object, attribute: object, value: str) -> None:
    """Refuse some URLs, quoting them as validators do."""
    if value.startswith("c4n4ry"):
        raise ValueError(f"the url {value!r} is not known")


@attrs.frozen
class AttrsDatabase:
    """A part of the configuration, as attrs models it."""

    url: str = attrs.field(validator=_known)
    pool_size: int = 5
    hosts: list[str] = attrs.field(factory=list)
    _home: Path = Path("/")
    names: tuple[str, ...] = attrs.field(default=(), converter=_letters)
    computed: int = attrs.field(default=1, init=False)


@attrs.frozen
class AttrsSettings:
    """A configuration, as attrs models it."""

    database: AttrsDatabase
    services: dict[str, AttrsDatabase] = attrs.field(factory=dict)


class Cat(BaseModel):
    """One member of a union with tags."""

    model_config = FROZEN
    kind: Literal["cat"]


@dataclass
class MutableData:
    """A dataclass that can be changed."""

    a: int = 1


class Box(BaseModel, Generic[T]):
    """A generic model."""

    model_config = FROZEN
    content: T


@dataclass(frozen=True)
class Node:
    """A dataclass that contains itself."""

    name: str
    children: "list[Node]" = field(default_factory=list)


def problems_of(schema: Any, tree: dict[str, Any]) -> dict[KeyPath, str]:
    """Return the problems of a tree by key path; the caller knows there are some."""
    with pytest.raises(SchemaError) as caught:
        schema_of(schema).convert(tree)
    error = caught.value
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error)
    assert CANARY not in told
    assert CANARY[:6] not in told
    assert error.__cause__ is error.__context__ is None
    assert {(p.path, p.line, p.column) for p in error.problems} == {(None, None, None)}
    return {problem.key_path: problem.reason for problem in error.problems}

"""One configuration as a class of each library: pydantic, msgspec, dataclass, checked dataclass."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr, computed_field
from pydantic.dataclasses import dataclass as pydantic_dataclass

from reloadcheck._schema.schema import schema_of


class Pool(BaseModel):
    """A nested pydantic model."""

    model_config = ConfigDict(frozen=True)
    size: int = 5
    hosts: list[str] = ["a"]


class Settings(BaseModel):
    """A pydantic model with one of each kind of container."""

    model_config = ConfigDict(frozen=True, extra="allow")
    pool: Pool = Pool()
    hosts: list[list[int]] = [[1]]
    limits: dict[str, list[int]] = {"a": [1]}
    tags: set[str] = {"x"}
    fixed: frozenset[str] = frozenset({"x"})
    pair: tuple[list[int], str] = ([1], "a")
    pools: dict[str, Pool] = {"p": Pool()}
    chain: list[Pool] = [Pool()]
    anything: Any = None
    password: SecretStr = SecretStr("hunter2")
    _notes: list[str] = PrivateAttr(default_factory=lambda: ["n"])

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        """Return a value that is computed."""
        return self.pool.size * 2


class StructPool(msgspec.Struct, frozen=True):
    """A nested struct."""

    size: int = 5
    hosts: list[str] = msgspec.field(default_factory=lambda: ["a"])


class StructSettings(msgspec.Struct, frozen=True):
    """A struct with one of each kind of container."""

    pool: StructPool = StructPool()
    hosts: list[list[int]] = msgspec.field(default_factory=lambda: [[1]])
    limits: dict[str, list[int]] = msgspec.field(default_factory=lambda: {"a": [1]})
    tags: set[str] = msgspec.field(default_factory=lambda: {"x"})
    pair: tuple[list[int], str] = msgspec.field(default_factory=lambda: ([1], "a"))
    pools: dict[str, StructPool] = msgspec.field(default_factory=lambda: {"p": StructPool()})


@dataclass(frozen=True, slots=True)
class DataPool:
    """A nested dataclass."""

    size: int = 5
    hosts: list[str] = field(default_factory=lambda: ["a"])


@dataclass(frozen=True)
class DataSettings:
    """A dataclass with one of each kind of container."""

    pool: DataPool = field(default_factory=DataPool)
    hosts: list[list[int]] = field(default_factory=lambda: [[1]])
    limits: dict[str, list[int]] = field(default_factory=lambda: {"a": [1]})
    tags: set[str] = field(default_factory=lambda: {"x"})
    pair: tuple[list[int], str] = ([1], "a")
    pools: dict[str, DataPool] = field(default_factory=lambda: {"p": DataPool()})
    total: int = field(init=False, default=0)


@pydantic_dataclass(frozen=True)
class CheckedSettings:
    """A pydantic dataclass with one of each kind of container."""

    pool: Pool = field(default_factory=Pool)
    hosts: list[list[int]] = field(default_factory=lambda: [[1]])
    limits: dict[str, list[int]] = field(default_factory=lambda: {"a": [1]})
    tags: set[str] = field(default_factory=lambda: {"x"})
    pair: tuple[list[int], str] = field(default_factory=lambda: ([1], "a"))
    pools: dict[str, Pool] = field(default_factory=lambda: {"p": Pool()})


TREE: dict[str, Any] = {
    "pool": {"size": 7, "hosts": ["a", "b"]},
    "hosts": [[1, 2], [3]],
    "limits": {"a": [1], "b": [2]},
    "tags": ["x", "y"],
    "pair": [[1, 2], "z"],
    "pools": {"p": {"size": 1}, "q": {"hosts": []}},
}
CLASSES: list[type[Any]] = [Settings, StructSettings, DataSettings, CheckedSettings]


def pydantic_config(**more: Any) -> Settings:
    """Return a frozen configuration."""
    return schema_of(Settings).convert(TREE | more)

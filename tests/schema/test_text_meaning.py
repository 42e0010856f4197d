"""Untyped text, of variables and secrets' files: what it means where a schema says its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
import msgspec
import pytest
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    SecretStr,
    field_validator,
)

from reloadcheck._config.containers import plain
from reloadcheck._load.load import validate
from reloadcheck._load.merge import parse
from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import ConfigError
from reloadcheck.sources import DirectorySource, EnvironSource
from reloadcheck.testing import MemorySource
from reloadcheck.types import Source, no_pause

LIMIT = 1 << 20


class Color(Enum):
    """Values that are text."""

    RED = "red"
    BLUE = "1"


class Level(Enum):
    """Values that are none."""

    LOW = 1
    HIGH = 2


def _pydantic(annotation: Any) -> Any:
    return type("Schema", (BaseModel,), {
        "model_config": ConfigDict(frozen=True), "__annotations__": {"x": annotation},
        "__module__": __name__,
    })  # fmt: skip


def _msgspec(annotation: Any) -> Any:
    return msgspec.defstruct("Schema", [("x", annotation)], frozen=True)


def _dataclass(annotation: Any) -> Any:
    return dataclass(frozen=True)(type("Schema", (), {"__annotations__": {"x": annotation}}))


def _attrs(annotation: Any) -> Any:
    return attrs.frozen(type("Schema", (), {"__annotations__": {"x": annotation}}))


READERS: list[Callable[[Any], Any]] = [_pydantic, _msgspec, _dataclass, _attrs]


def config_of(schema: Any, *sources: Source) -> Any:
    """Load sources under a schema, as an engine does."""
    converter = schema_of(schema)
    documents = [source.read(source.stamp(), LIMIT) for source in sources]
    parsed = parse(sources, documents, no_pause, converter.annotation)
    return validate(converter, parsed, None, no_pause)


def variables(values: Mapping[str, str]) -> EnvironSource:
    """Return the variables under APP."""
    return EnvironSource("APP", {f"APP_{name}": value for name, value in values.items()})


def problem_of(schema: Any, *sources: Source) -> str:
    """Return the sentence with which a schema refuses what sources hold."""
    with pytest.raises(ConfigError) as caught:
        config_of(schema, *sources)
    return str(caught.value)


PASSWORDS = [
    "84629104", "0042", "1e5", "1.50", "yes", "null", "2031-01-31", "2031-02-31", "9" * 25, ".inf",
    "", " x ", "'q'", '"q"', "0x1F", "1_000", "12:34:56", "~", "=", "<<", "abc #1", "a: b", "[1]",
    "{}", "*a", "&a", "\ta\t",
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("annotation", [str, str | None, str | int])
def test_where_a_field_is_text_a_text_stays_as_it_is(
    reader: Callable[[Any], Any], annotation: Any, tmp_path: Path
) -> None:
    """A password of digits, of spaces, in quotes, or that YAML would read is that password."""
    schema = reader(annotation)
    for password in PASSWORDS:
        assert config_of(schema, variables({"X": password})).x == password
        (tmp_path / "x").write_text(password)
        assert config_of(schema, DirectorySource(tmp_path)).x == password


VALUES: list[tuple[Any, str, object]] = [
    (int, " 6543 ", 6543),
    (int, "0042", 42),
    (int, "0x1F", 31),
    (int, "-5", -5),
    (int | None, "", None),
    (int | None, "null", None),
    (int | None, "5", 5),
    (float, "1e5", 1e5),
    (float, "1", 1.0),
    (bool, "YES", True),
    (bool, "off", False),
    (bool, "1", True),
    (bool | int, "1", 1),
    (Decimal, "1.50", Decimal("1.50")),
    (date, "2031-01-31", date(2031, 1, 31)),
    (datetime, "2031-01-31T00:00:00Z", datetime(2031, 1, 31, tzinfo=UTC)),
    (timedelta, "30", timedelta(seconds=30)),
    (timedelta, "PT1M", timedelta(seconds=60)),
    (bytes, " aGk= ", b" aGk= "),
    (Path, "/x", Path("/x")),
    (Color, "red", Color.RED),
    (Color, "1", Color.BLUE),
    (Level, " 2 ", Level.HIGH),
    (Literal["a", "1"], "1", "1"),
    (Annotated[int, "note"], "5", 5),
    (list[str], "a, b,", ["a", "b"]),
    (list[str], "", []),
    (list[str], '["a,b", " c "]', ["a,b", " c "]),
    (list[str] | None, "a", ["a"]),
    (list[int], "1, 0x10", [1, 16]),
    (tuple[int, ...], "[1, 2]", (1, 2)),
    (tuple[str, int], "a,2", ("a", 2)),
    (frozenset[str], "a,a", frozenset({"a"})),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (dict[int, str], '{"1": "a"}', {1: "a"}),
    (dict[str, list[int]], '{"a": [1]}', {"a": [1]}),
    (Any, "0042", "0042"),
    (Any, " 5 ", " 5 "),
    (Any, "9" * 25, "9" * 25),
    (int | Any, "5", "5"),
    (dict, '{"a": "no", "b": 5}', {"a": "no", "b": 5}),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("annotation", "text", "expected"), VALUES)
def test_elsewhere_a_text_is_what_its_type_says(
    reader: Callable[[Any], Any], annotation: Any, text: str, expected: object, tmp_path: Path
) -> None:
    """The same answer whoever reads the schema, from a variable or from a secret's file."""
    actual = plain(config_of(reader(annotation), variables({"X": text})).x)
    assert (actual, type(actual)) == (expected, type(expected))
    (tmp_path / "x").write_text(text)
    assert config_of(reader(annotation), DirectorySource(tmp_path)).x == expected


REFUSALS: list[tuple[Any, str, str]] = [
    (int, "five", "should be an integer"),
    (int, "1.0", "should be an integer"),
    (int, "", "should be an integer"),
    (int, "9" * 25, "should be an integer that fits into 64 bits"),
    (int, "9" * 5000, "should be an integer of at most 400 digits"),
    (float, "nan", "should be a finite number"),
    (float, "9" * 5000, "should be a finite number"),
    (bool, "2", "should be a boolean"),
    (date, "2031-02-31", "should be a date"),
    (int | None, "five", "should be an integer or null"),
    (Color, "green", "should be 'red' or '1'"),
    (Level, "3", "should be 1 or 2"),
    (list[int], "1,x", "[1]: should be an integer"),
    (list[int], "[1", 'is no list: write a,b or a JSON list, as in ["a", "b"]'),
    (dict[str, int], "a=1", 'is no mapping: write a JSON object, as in {"a": 1}'),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("annotation", "text", "reason"), REFUSALS)
def test_a_text_that_means_nothing_is_refused_alike(
    reader: Callable[[Any], Any], annotation: Any, text: str, reason: str
) -> None:
    """Once, with its variable and key, in the same words whoever reads the schema."""
    sentence = problem_of(reader(annotation), variables({"X": text}))
    dot = "" if reason.startswith("[") else ": "
    assert sentence.startswith(f"environment variable APP_X: x{dot}{reason}")
    assert text not in sentence.removeprefix("environment variable APP_X: x") or len(text) < 3


class Own(BaseModel):
    """A model whose own code converts."""

    model_config = ConfigDict(frozen=True)
    split: Annotated[list[str], BeforeValidator(lambda text: text.split(";"))] = []
    checked: list[str] = []
    parsed: Json[list[int]] = []
    secret: SecretStr = SecretStr("")
    url: HttpUrl | None = None
    port: Annotated[int, Field(alias="listen")] = 1

    @field_validator("checked", mode="before")
    @classmethod
    def letters(cls, text: Any) -> list[str]:
        """Take letters for items."""
        return list(text)


def test_code_of_the_class_sees_the_text_itself() -> None:
    """What a class converts by itself is not converted before."""
    values = {"SPLIT": "a;b,c", "CHECKED": "ab", "PARSED": "[1]", "SECRET": " 1 ", "LISTEN": "80"}
    config = config_of(Own, variables({**values, "URL": "https://h/"}))
    assert (config.split, config.checked, config.parsed) == (["a", "b,c"], ["a", "b"], [1])
    assert (config.secret.get_secret_value(), config.port) == (" 1 ", 80)
    assert str(config.url) == "https://h/"


@dataclass(frozen=True)
class Pool:
    """A part."""

    size: int = 1
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layered:
    """A configuration of two layers."""

    pool: Pool = field(default_factory=Pool)
    pools: dict[str, Pool] = field(default_factory=dict)
    port: int = 1


def test_a_mapping_by_variable_is_laid_over_the_file() -> None:
    """JSON over a mapping replaces the keys that it has, at any depth, and no others."""
    below = MemorySource({"pool": {"size": 2, "hosts": ["a"]}, "pools": {"x": {"size": 3}}})
    over = variables({"POOL": '{"size": 5}', "POOLS__X__HOSTS": "b,c", "POOLS__Y": "{}"})
    assert config_of(Layered, below, over) == Layered(
        Pool(5, ("a",)), {"x": Pool(3, ("b", "c")), "y": Pool()}
    )


def test_all_problems_are_told_together_and_an_overridden_text_is_none() -> None:
    """A text that fits nothing beside what the schema refuses; a later layer heals it."""
    bad = variables({"PORT": "x"})
    file = MemorySource({"pool": {"size": "5"}})
    sentence = problem_of(Layered, file, bad)
    assert "environment variable APP_PORT: port: should be an integer" in sentence
    assert "pool.size: should be an integer, not a string" in sentence
    assert config_of(Layered, bad, MemorySource({"port": 5})) == Layered(port=5)

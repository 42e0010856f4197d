"""Every problem of an edit is told at once, each at the place where its value was written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

from reloadcheck import (
    ConfigError,
    ConfigSyntaxError,
    DirectorySource,
    EnvironSource,
    FileSource,
    MergeError,
    ReloadCheck,
    SchemaError,
    SourceError,
)
from reloadcheck._load.load import validate
from reloadcheck._load.merge import Parsed
from reloadcheck._schema.schema import schema_of
from reloadcheck.types import Document, Problem
from tests.hazards.rig import options


class PydanticDatabase(pydantic.BaseModel):
    """A part, by pydantic."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    pool_size: Annotated[int, pydantic.Field(ge=1)]
    hosts: tuple[str, ...]


class PydanticSettings(pydantic.BaseModel):
    """The whole, by pydantic."""

    model_config = pydantic.ConfigDict(frozen=True)
    database: PydanticDatabase
    timeout: float
    owner: str


class MsgspecDatabase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part, by msgspec."""

    pool_size: Annotated[int, msgspec.Meta(ge=1)]
    hosts: tuple[str, ...]


class MsgspecSettings(msgspec.Struct, frozen=True):
    """The whole, by msgspec."""

    database: MsgspecDatabase
    timeout: float
    owner: str


@dataclass(frozen=True)
class Database:
    """A part, as a dataclass."""

    pool_size: Annotated[int, msgspec.Meta(ge=1)]
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """The whole, as a dataclass."""

    database: Database
    timeout: float
    owner: str


SCHEMAS = [PydanticSettings, MsgspecSettings, Settings]


@pytest.fixture
def layers(tmp_path: Path) -> list[Path]:
    """Return three files, of which each later one overrides."""
    base, prod, local = (tmp_path / n for n in ("base.yaml", "prod.yaml", "local.toml"))
    base.write_text("database:\n  pool_size: 5\n  hosts: [a]\ntimeout: 1\nowner: ops\n")
    prod.write_text("# production\n\ndatabase:\n  hosts:\n    - a\n    - 7\n  pool_size:   0\n")
    local.write_text("other = 1\n")
    return [base, prod, local]


def problems(*sources: Any, schema: Any = None) -> list[str]:
    """Return the problems with which an engine refuses to start."""
    with pytest.raises(ConfigError) as caught:
        ReloadCheck(*sources, schema=schema, **options(patience=60.0)).start()
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_value_of_the_second_of_three_files_is_told_there(
    schema: type, layers: list[Path]
) -> None:
    """All of them, with file, line and column, in the same words whatever the library."""
    prod = layers[1]
    assert sorted(problems(*layers, schema=schema)) == [
        f"{prod}:6:7: database.hosts[1]: should be a string, not an integer",
        f"{prod}:7:16: database.pool_size: should be at least 1",
    ]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_variables_and_key_files_are_told_by_name(
    schema: type, layers: list[Path], tmp_path: Path
) -> None:
    """A value out of the environment or a mounted secret has no line, but a name."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "timeout").write_text("soon\n")
    environ = EnvironSource("APP", {"APP_DATABASE__POOL_SIZE": "-3", "APP_OWNER": "5"})
    layers[1].unlink()
    assert sorted(problems(layers[0], DirectorySource(keys), environ, schema=schema)) == [
        f"{keys}/timeout: timeout: should be a number",
        "environment variable APP_DATABASE__POOL_SIZE: database.pool_size: should be at least 1",
    ]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("suffix", ["yaml", "json", "toml"])
def test_what_is_missing_is_told_at_its_nearest_parent(
    schema: type, suffix: str, tmp_path: Path
) -> None:
    """In each format, together with what is wrong beside it."""
    path = tmp_path / f"app.{suffix}"
    path.write_text({
        "yaml": "timeout: 1\ndatabase:\n    pool_size: x\n",
        "json": '{"timeout": 1,\n "database":\n {"pool_size": "x"}}',
        "toml": 'timeout = 1\n[database]\npool_size =   "x"\n',
    }[suffix])  # fmt: skip
    at = {
        "yaml": ("3:5", "3:16", "1:1"),
        "json": ("3:2", "3:16", "1:1"),
        "toml": ("2:1", "3:15", "1:1"),
    }
    inner, value, root = at[suffix]
    assert sorted(problems(path, schema=schema)) == sorted([
        f"{path}:{inner}: database.hosts: is missing",
        f"{path}:{value}: database.pool_size: should be an integer, not a string",
        f"{path}:{root}: owner: is missing",
    ])  # fmt: skip


def test_syntax_errors_of_several_files_are_told_together(layers: list[Path]) -> None:
    """An operator repairs all of them in one go."""
    base, prod, local = layers
    prod.write_text("a: 1\na: 2\n")
    local.write_text("a = \n")
    assert problems(*layers) == [
        f"{prod}:2:1: a: duplicate key; first on line 1",
        f"{local}:1:5: a: a value is expected here, in quotes if it is text",
    ]
    with pytest.raises(ConfigSyntaxError):
        ReloadCheck(*layers, **options()).start()
    base.write_text("# nothing yet\n")
    with pytest.raises(SourceError):  # which is waited for, as the writer may be at work
        ReloadCheck(*layers, **options()).start()


def test_clashes_of_layers_are_told_together(layers: list[Path]) -> None:
    """Each with both places."""
    base, prod, _ = layers
    prod.write_text("database: none\ntimeout:\n  read: 1\n")
    with pytest.raises(MergeError) as caught:
        ReloadCheck(*layers, **options()).start()
    assert [str(problem) for problem in caught.value.problems] == [
        f"{prod}:1:11: database: is something else here and a mapping in {base}:2:3",
        f"{prod}:3:3: timeout: is a mapping here and something else in {base}:4:10",
    ]


@pytest.mark.parametrize("schema", [PydanticSettings, MsgspecSettings])
def test_a_file_that_is_wrong_throughout_is_told_in_bounds(schema: Any, tmp_path: Path) -> None:
    """Fifty problems and the number of the rest, without reading the file for each of them."""
    path = tmp_path / "app.yaml"
    lines = "".join(f"    - {n}\n" for n in range(5_000))
    path.write_text(f"timeout: 1\nowner: me\ndatabase:\n  pool_size: 1\n  hosts:\n{lines}")
    told = problems(path, schema=schema)
    assert told[0] == f"{path}:6:7: database.hosts[0]: should be a string, not an integer"
    assert told[49].startswith(f"{path}:55:7: database.hosts[49]")
    assert told[50:] == ["and 4950 more problems"]


def test_a_value_that_is_refused_in_a_large_file_holds_nobody_up() -> None:
    """To find its place the file is read again, with the same pauses as the first time."""
    text = "".join(f"k{number}: 1\n" for number in range(5000))
    layer = FileSource("a.yaml").layer([Document("a.yaml", text.encode(), "yaml")], {}, nothing)
    pauses: list[None] = []

    def refuse(tree: dict[str, Any]) -> None:
        raise SchemaError(Problem("is refused", key_path=("k4999",)))

    with pytest.raises(SchemaError) as caught:
        validate(schema_of(refuse), Parsed(layer.tree, (layer,)), None, lambda: pauses.append(None))
    assert caught.value.line == 5000
    assert len(pauses) >= 50


def nothing() -> None:
    """Need no pause."""

"""Integer keys and times of day, from the file to what a schema, a resource and an error see."""

from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest

from reloadcheck import EnvironSource, ReloadCheck
from reloadcheck.testing import MemorySource

TEXT = "ports: {80: http, 8080: alt}\nnested: {1: {a: 2}}\n"


@dataclass(frozen=True)
class AsDataclass:
    """Read by rules of this package."""

    ports: dict[int, str]
    nested: dict[int, dict[str, int]]
    at: time


class AsModel(pydantic.BaseModel, frozen=True):
    """Read by pydantic."""

    ports: dict[int, str]
    nested: dict[int, dict[str, int]]
    at: time


class AsStruct(msgspec.Struct, frozen=True):
    """Read by msgspec."""

    ports: dict[int, str]
    nested: dict[int, dict[str, int]]
    at: time


@pytest.mark.parametrize("schema", [None, AsDataclass, AsModel, AsStruct])
def test_numbers_are_keys_where_the_schema_takes_them(schema: Any, tmp_path: Path) -> None:
    """Variables find them, resources get what they hold, and an error is told at its place."""
    (tmp_path / "times.toml").write_text("at = 07:30:00\n")
    source = MemorySource(TEXT, "c.yaml")
    environ = EnvironSource("APP", {"APP_PORTS__80": "web"})
    live: ReloadCheck[Any] = ReloadCheck(
        source, tmp_path / "times.toml", environ, schema=schema, settle=0.0, environ={}
    )

    @live.resource("nested.1", name="inner")
    def inner(part: object) -> list[object]:
        return [part]

    live.start()
    try:
        config = live.snapshot.config
        assert config.ports == {80: "web", 8080: "alt"}
        assert config.at == time(7, 30)
        assert live.snapshot[inner] == [{"a": 2}]
        source.edit(TEXT.replace("{a: 2}", "{a: [1]}"))
        live.check()
        if schema is None:
            assert live.snapshot.config.nested == {1: {"a": [1]}}
        else:
            assert str(live.status().error).startswith("c.yaml:2:17: nested[1].a: should be an int")
    finally:
        live.close()


def test_a_key_that_is_read_as_a_boolean_stays_refused() -> None:
    """`on:` is a word to whoever writes it."""
    live: ReloadCheck[Any] = ReloadCheck(MemorySource("on: push\n"), environ={})
    with pytest.raises(Exception, match="this key is read as true or false; put it in quotes"):
        live.start()
    live.close()

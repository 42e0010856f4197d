"""Keys that a schema does not know: told at themselves, with what was meant."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import pytest

from reloadcheck._schema.unknown_keys import unknown_keys
from tests.cli.conftest import Run

PYDANTIC = """
from pydantic import BaseModel, ConfigDict, Field

class Open(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

class Host(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str = "x"
    port: int = Field(default=1, alias="tcpPort")

class Settings(BaseModel):
    model_config = ConfigDict(frozen=True)
    greeting: str = ""
    hosts: tuple[Host, ...] = ()
    by_name: dict[str, Host | None] = {}
    anything: Open = Open()
"""
MSGSPEC = """
import msgspec

class Host(msgspec.Struct, frozen=True, rename="camel"):
    name: str = "x"
    tcp_port: int = 1

class Settings(msgspec.Struct, frozen=True):
    greeting: str = ""
    hosts: tuple[Host, ...] = ()
    by_name: dict[str, Host | None] = {}
    anything: dict = {}
"""
DATACLASS = """
from dataclasses import dataclass, field
from typing import Annotated, Any

@dataclass(frozen=True)
class Host:
    name: str = "x"
    tcpPort: int = 1

@dataclass(frozen=True)
class Settings:
    greeting: str = ""
    hosts: Annotated[tuple[Host, ...], "some"] = ()
    by_name: dict[str, Host | None] = field(default_factory=dict)
    anything: Any = None
"""


@pytest.mark.parametrize(
    "module", [PYDANTIC, MSGSPEC, DATACLASS], ids=["pydantic", "msgspec", "dataclass"]
)
def test_keys_that_the_schema_does_not_know_are_warned_of(
    run: Run, here: Path, module: str
) -> None:
    """At any depth, by the names that the file uses, with what was probably meant."""
    (here / "service.py").write_text(module)
    (here / "a.yaml").write_text(
        "greetin: hello\nhosts:\n  - {name: a, tcpPrt: 2}\n  - {tcpPort: 3}\n"
        "by_name:\n  x: {nam: a}\n  y: null\nanything: {goes: {here: 1}}\nzzz: 1\n"
    )
    done = run("validate", "a.yaml", "--schema", "service:Settings", "--json")
    told = {one["key_path"]: one["reason"] for one in done.document["problems"]}
    assert told == {
        "greetin": "is not a known key; did you mean greeting?",
        "hosts[0].tcpPrt": "is not a known key; did you mean tcpPort?",
        "by_name.x.nam": "is not a known key; did you mean name?",
        "zzz": "is not a known key",
    }
    assert done.status == 0


def test_a_schema_that_forbids_unknown_keys_says_what_was_meant(run: Run, here: Path) -> None:
    """The error gets the suggestion, and no warning says the same again."""
    (here / "service.py").write_text(
        "import msgspec\n"
        "class S(msgspec.Struct, frozen=True, forbid_unknown_fields=True):\n"
        "    greeting: str = ''\n"
    )
    (here / "a.yaml").write_text("greetin: hello\n")
    done = run("validate", "a.yaml", "--schema", "service:S")
    assert done.status == 1
    assert done.lines[0] == "a.yaml:1:1: error: greetin: is not a known key; did you mean greeting?"
    assert done.out.count("greetin:" + " is") == 1


def test_a_misspelt_key_is_told_before_what_is_missing_for_it(run: Run, here: Path) -> None:
    """Though the mapping begins above: who reads the first line has the cause."""
    (here / "service.py").write_text(
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass DB:\n    host: str\n    port: int\n"
        "@dataclass(frozen=True)\nclass S:\n    db: DB\n    name: str\n"
    )
    (here / "a.yaml").write_text("db:\n  port: x\n  hots: h\n")
    done = run("validate", "a.yaml", "--schema", "service:S", "--json")
    assert [(one["key_path"], one["line"]) for one in done.document["problems"]] == [
        ("name", 1),
        ("db.port", 2),
        ("db.hots", 3),
        ("db.host", 2),
    ]


def test_an_unknown_key_is_pointed_at_itself(run: Run, here: Path, app: str) -> None:
    """Not at its value, which may be a mapping further down; in each format."""
    texts = {
        "a.yaml": "greeting: x\n'databse':\n  # the main one\n  url: x\n",
        "a.json": '{"greeting": "x",\n"databse": {\n"url": "x"}}',
        "a.toml": "greeting = 'x'\ndatabse = {url = 'x'}\n",
    }
    for name, text in texts.items():
        (here / name).write_text(text)
        done = run("validate", name, "--app", app, "--json")
        told = [one for one in done.document["problems"] if "not a known key" in one["reason"]]
        assert [(t["key_path"], t["line"], t["column"]) for t in told] == [("databse", 2, 1)]


def test_where_anything_may_stand_nothing_is_unknown() -> None:
    """In a union with what does not tell its keys, in a plain mapping, in what is no mapping."""

    @dataclass(frozen=True)
    class Known:
        name: str = ""

    tree = {"nam": 1}
    (unknown,) = unknown_keys(Known | None, tree)
    assert (unknown.path, unknown.meant) == (("nam",), "name")
    for annotation in (Union[Known, Any], Known | dict[str, int], dict, Any, int, None):  # noqa: UP007
        assert list(unknown_keys(annotation, tree)) == []
    assert [one.path for one in unknown_keys(list[Known] | None, [tree])] == [(0, "nam")]


def test_the_tag_of_a_union_is_a_known_key(run: Run, here: Path) -> None:
    """It tells which of two structs is meant, and is no field of either."""
    (here / "service.py").write_text(
        "import msgspec\n"
        "class A(msgspec.Struct, frozen=True, tag='a', tag_field='kind'):\n    x: int = 1\n"
        "class B(msgspec.Struct, frozen=True, tag='b', tag_field='kind'):\n    yes: int = 1\n"
        "class S(msgspec.Struct, frozen=True):\n    part: A | B\n"
    )
    (here / "a.yaml").write_text("part: {kind: b, yes: 2, yess: 3}\n".replace("yes", '"yes"', 1))
    done = run("validate", "a.yaml", "--schema", "service:S", "--json")
    assert [one["key_path"] for one in done.document["problems"]] == ["part.yess"]

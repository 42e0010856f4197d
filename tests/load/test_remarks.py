"""What is odd about a configuration that is used all the same is told, once, with its place."""

import logging
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from reloadcheck import EnvReferences, ReloadCheck
from reloadcheck._page.metrics import exposition
from reloadcheck.exceptions import SchemaError
from reloadcheck.sources import EnvironSource
from reloadcheck.testing import MemorySource


@dataclass(frozen=True)
class Database:
    """A part."""

    host: str
    pool_size: int = 5


@dataclass(frozen=True)
class Settings:
    """A schema."""

    database: Database
    greeting: str = "hello"
    services: dict[str, Database] = field(default_factory=dict)


GOOD = "database:\n  host: h\ngreeting: hi\n"
MISSPELT = "database:\n  host: h\ngreting: hi\n"
REMARK = "memory.yaml:3:1: greting: is not a known key; did you mean greeting?"


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings so far, and forget them."""
    found = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    caplog.clear()
    return found


def test_a_misspelt_key_is_told_at_run_time(caplog: pytest.LogCaptureFixture) -> None:
    """One warning with place and suggestion; status, its standing and the metric show it."""
    source = MemorySource(GOOD)
    live = ReloadCheck(source, schema=Settings)
    live.start()
    assert (live.status().remarks, live.status().unknown_keys) == ((), 0)
    assert "reloadcheck_unknown_keys 0\n" in exposition(live.status())
    source.edit(MISSPELT)
    live.check()
    assert live.snapshot.version == 2
    assert warnings_in(caplog) == [f"configuration is used, with a warning: {REMARK}"]
    assert live.status().remarks == (REMARK,)
    assert live.status().standing == "warn"
    assert "reloadcheck_unknown_keys 1\n" in exposition(live.status())
    source.edit(MISSPELT + "# a comment\n")
    live.check()
    assert live.snapshot.version == 2
    assert (live.status().remarks, warnings_in(caplog)) == ((REMARK,), [])
    source.edit(GOOD)
    live.check()
    assert (live.status().remarks, live.status().unknown_keys) == ((), 0)
    live.close()


def test_only_ten_of_a_kind_are_told_and_how_many_more(caplog: pytest.LogCaptureFixture) -> None:
    """A file that is for another program fills no log; keys that start with x- are the user's."""
    keys = {f"key{number}": 1 for number in range(1000)}
    live = ReloadCheck(MemorySource({"database": {"host": "h"}, "x-a": 1, **keys}), schema=Settings)
    live.start()
    assert len(warnings_in(caplog)) == 11
    assert live.status().remarks[-1] == "and 990 more of this kind"
    assert live.status().unknown_keys == 1000
    live.close()


@pytest.mark.parametrize("unknown", ["ignore", "reject"])
def test_unknown_keys_may_be_ignored_or_rejected(
    unknown: Literal["ignore", "reject"], caplog: pytest.LogCaptureFixture
) -> None:
    """The option decides; what is rejected changes nothing."""
    source = MemorySource(GOOD)
    live = ReloadCheck(source, schema=Settings, unknown=unknown)
    live.start()
    source.edit(MISSPELT)
    if unknown == "ignore":
        live.check()
        assert live.snapshot.config.greeting == "hello"
        assert (live.status().remarks, warnings_in(caplog)) == ((), [])
    else:
        live.check()
        assert (live.status().error, live.status().code) == (REMARK, "schema")
        assert live.snapshot.config.greeting == "hi"
    live.close()


def test_a_missing_key_beside_a_misspelt_one_names_that_first() -> None:
    """At its line, and nobody looks for what is missing in another layer's file."""
    base = MemorySource("greeting: hi\ndatabase:\n  hots: h\n", "base.yaml")
    over = MemorySource("database:\n  pool_size: 1\n", "over.yaml")
    live: ReloadCheck[Any] = ReloadCheck(base, over, schema=Settings)
    with pytest.raises(SchemaError) as caught:
        live.start()
    assert [str(problem) for problem in caught.value.problems] == [
        "base.yaml:3:3: database.hots: is not a known key; did you mean host?",
        "base.yaml:3:3: database.host: is missing",
    ]


@pytest.mark.parametrize("key", ["HOST", "Host", "h-ost", "host_"])
def test_a_key_in_other_letters_is_named_beside_what_is_missing(key: str) -> None:
    """Capitals and dashes are a spelling, and the likeliest of all."""
    live: ReloadCheck[Any] = ReloadCheck(
        MemorySource(f"database: {{{key}: h}}"), schema=Settings, environ={}
    )
    with pytest.raises(SchemaError) as caught:
        live.start()
    assert [str(problem) for problem in caught.value.problems] == [
        f"memory.yaml:1:12: database.{key}: is not a known key; did you mean host?",
        "memory.yaml:1:11: database.host: is missing",
    ]


def test_what_was_meant_is_told_though_another_layer_sets_it() -> None:
    """The misspelt key is the override that somebody waits for."""
    base = MemorySource("database: {host: h}\ngreeting: hi", "base.yaml")
    over = MemorySource("greting: ho", "over.yaml")
    live: ReloadCheck[Any] = ReloadCheck(base, over, schema=Settings, environ={})
    live.start()
    assert live.status().remarks == (
        "over.yaml:1:1: greting: is not a known key; did you mean greeting?",
    )
    live.close()


def test_an_edit_that_a_later_layer_overrides_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody edits the file, and a variable wins: it is said that nothing comes of it."""
    source = MemorySource(GOOD)
    over = EnvironSource("APP", {"APP_DATABASE__HOST": "other"})
    live = ReloadCheck(source, over, schema=Settings)
    live.start()
    assert live.status().remarks == ()
    source.edit(GOOD.replace("host: h", "host: i"))
    live.check()
    assert live.snapshot.version == 1
    remark = (
        "memory.yaml:2:9: database.host: this edit has no effect: "
        "environment variable APP_DATABASE__HOST overrides it"
    )
    assert (live.status().remarks, warnings_in(caplog)) == (
        (remark,),
        [f"configuration is used, with a warning: {remark}"],
    )
    source.edit(GOOD.replace("host: h", "host: i").replace("hi", "ho"))
    live.check()
    assert live.snapshot.version == 2
    assert live.status().remarks == ()
    live.close()


def test_a_key_that_is_a_methods_name_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """`config.items` is the method, silently; where a schema gives the fields there is no such."""
    tree = {"shop": {"items": 1, "get": 2, "other": [{"keys": 3}]}}
    live = ReloadCheck(MemorySource(tree, "a.json"))
    live.start()
    told = [remark.partition(": ")[2] for remark in live.status().remarks]
    assert told == [
        'shop.items: is a method of every mapping: read it as ["items"], not as .items',
        'shop.get: is a method of every mapping: read it as ["get"], not as .get',
        'shop.other[0].keys: is a method of every mapping: read it as ["keys"], not as .keys',
    ]
    assert len(warnings_in(caplog)) == 3
    assert live.status().unknown_keys == 0
    live.close()


READS = [EnvReferences(environ={"A": "1"})]
STANDS = "stands here as a text: nothing here reads it without references="
LIKE = "a text like a reference: write ${env:…}, in small letters, unspaced"


@pytest.mark.parametrize(
    ("text", "references", "remark"),
    [
        ("a: ${env:A}", (), f"1:4: a: ${{env:…}} {STANDS}[EnvReferences()]"),
        ("b: [0, 'x-${file:A}']", (), f"1:8: b[1]: ${{file:…}} {STANDS}[FileReferences("),
        ("a: ${ENV:A}", READS, f"1:4: a: {LIKE}"),
        ("a: ${ env:A }", READS, f"1:4: a: {LIKE}"),
        ("a: ${file :A}", READS, "1:4: a: a text like a reference: write ${file:…}, in small"),
        ("a: ${env:A}", READS, None),
        ("a: $${env:A}", READS, None),
        ("a: $${env:A}", (), None),
        ("a: ${A} ${other:A} {env:A} ${A:-b}", (), None),
    ],
)
def test_what_was_meant_as_a_reference_and_is_none_is_told(
    text: str, references: list[EnvReferences], remark: str | None
) -> None:
    """Else a database is asked with a password of dollars and braces."""
    live: ReloadCheck[Any] = ReloadCheck(MemorySource(text), references=references or ())
    live.start()
    told = live.status().remarks
    live.close()
    assert [one.startswith(f"memory.yaml:{remark}") for one in told] == [True] * bool(remark)

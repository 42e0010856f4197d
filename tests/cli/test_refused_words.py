"""Words that no command can do anything with: each is refused in a sentence, at status 2."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import json
import subprocess
from importlib.metadata import PackageNotFoundError
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from reloadcheck._config.digest import tree_digest
from reloadcheck.cli import _arguments, _git
from reloadcheck.cli._editions import EditionSource
from reloadcheck.cli._git import GitSource
from reloadcheck.cli._stdin import StandardInput
from reloadcheck.exceptions import SourceError
from reloadcheck.stores import SQLiteStore
from reloadcheck.types import Document, no_pause

from .conftest import Run

STORE = ("--store", "store.db", "--name", "shop")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["approve", "--why", "x"], "name one FILE, whose edit is to be let through"),
        (["override", "a.yaml", "b.yaml"], "name one FILE"),
        (["show", *STORE], "name one edition, by its number"),
        (["show", "1", "2", *STORE], "name one edition, by its number"),
        (["show", "first", *STORE], "first: is no edition, which is a number"),
        (["rollback", "1", "2", "--why", "x", *STORE], "name one edition, by its number"),
        (["history", "--reviewed", "maybe", *STORE], "write no, yes, or an edition's number"),
        (["history", "--limit", "0", *STORE], "must be a whole number from 1 to 1000"),
        (["store", "drop", *STORE], "say what to do: reloadcheck store init"),
        (["demo", "--fleet", "--keep"], "--fleet goes with neither --keep nor --sqlite"),
        (["status", "http://127.0.0.1:1/", "http://127.0.0.1:2/"], "name one URL"),
        (["watch", "base.yaml", "--timeout", "1"], "--timeout is for --until live"),
        (["diff", "--git", "HEAD", "base.ini"], "--git"),
    ],
)
def test_what_cannot_be_meant_is_said(
    run: Run, here: Path, words: list[str], sentence: str
) -> None:
    """Nothing is done, and status 2 says so."""
    SQLiteStore(here / "store.db").put({"shop/default/state": "{}"})
    done = run(*words)
    assert done.status == 2
    assert sentence in " ".join(done.err.split())


@pytest.mark.parametrize("share", ["much", "nan", "1.5", "-0.1"])
def test_a_share_is_a_number_from_0_to_1(run: Run, here: Path, share: str) -> None:
    """Neither a word nor 150 %."""
    done = run("fleet", f"--max-drift={share}", *STORE)
    assert done.status == 2
    assert "--max-drift" in done.err


def test_a_store_with_no_application_or_several_wants_a_name(run: Run, here: Path) -> None:
    """The several are listed; with one alone nobody needs to name it."""
    store = SQLiteStore(here / "store.db")
    store.look("")
    assert "the store holds nothing" in run("history", "--store", "store.db").err
    store.put({"shop/default/state": "{}", "blog/default/state": "{}"})
    done = run("history", "--store", "store.db")
    assert done.status == 2
    assert "name the application by --name, of blog, shop" in done.err


def test_store_init_makes_a_file_where_one_can_be(run: Run, here: Path) -> None:
    """A store that needs no table is asked; one that cannot be opened is unreachable."""
    done = run("store", "init", "--store", "store.db", "--json")
    assert (done.status, done.document) == (0, {"ok": True, "store": str(here / "store.db")})
    assert (here / "store.db").stat().st_size > 0
    assert run("store", "init", "--sql", *STORE).lines == ["-- this store needs no statement"]
    (here / "odd.db").mkdir()
    done = run("store", "init", "--store", "odd.db")
    assert done.status == 3
    assert done.out.startswith(("UNREACHABLE:", "REFUSED:"))


def test_a_fleet_whose_store_is_no_store_is_refused(run: Run, here: Path) -> None:
    """In a line, at the status of what cannot be asked."""
    (here / "store.db").write_bytes(b"x" * 5000)
    (here / "store.db").chmod(0o600)
    done = run("show", "1", "--store", str(here))
    assert done.status == 3
    assert len(done.lines) < 4


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run from a checkout, `--version` says so and no traceback."""

    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(_arguments, "version", version)
    assert _arguments._version() == "(not installed)"


def _git_fails(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def run(*words: Any, **more: Any) -> None:
        raise error

    monkeypatch.setattr("reloadcheck.cli._git.subprocess.run", run)


def test_a_git_that_is_not_there_or_hangs_is_told(
    run: Run, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As wrong usage, in a line."""
    _git_fails(monkeypatch, FileNotFoundError("git"))
    done = run("diff", "--git", "HEAD", "base.yaml")
    assert (done.status, "there is no git on this machine" in done.err) == (2, True)
    _git_fails(monkeypatch, subprocess.TimeoutExpired("git", 20))
    done = run("diff", "--git", "HEAD", "base.yaml")
    assert (done.status, "git has not answered within 20 s" in done.err) == (2, True)


def test_what_git_has_is_read_up_to_the_limit_and_knows_its_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a file is: what is too large is refused, and a problem is told at its line."""
    monkeypatch.setattr(_git, "_asked", lambda *_: b"a: 1\nb: 2\n")
    source = GitSource("HEAD:shop.yaml")
    with pytest.raises(SourceError, match="is larger than 9 bytes"):
        source.read(source.stamp(), 9)
    layer = source.layer(source.read(source.stamp(), 10), {}, no_pause)
    assert layer.tree == {"a": 1, "b": 2}
    assert str(layer.origin(("b",))) == "HEAD:shop.yaml:2:4"


def test_standard_input_is_read_once_and_up_to_the_limit() -> None:
    """Read again, it is what it was; it knows its lines."""
    source = StandardInput("yaml", BytesIO(b"a: 1\nb: 2\n"))
    documents = source.read(source.stamp(), 100)
    assert [*source.read(source.stamp(), 100)] == [*documents]
    with pytest.raises(SourceError, match="is larger than 9 bytes"):
        source.read(source.stamp(), 9)
    layer = source.layer(documents, {}, no_pause)
    assert str(layer.origin(("b",))) == "<stdin>:2:4"


def test_an_edition_says_where_its_keys_are() -> None:
    """In the last of its documents that has the key; the edition itself is of none."""
    documents = (
        Document("base.yaml", b"a: 1\nb:\n  c: 2\n", "yaml"),
        Document("local.yaml", b"b:\n  d: 3\n", "yaml"),
    )
    source = EditionSource(41, documents)
    assert source.name == "edition:41"
    layer = source.layer(source.read(source.stamp(), 1), {}, no_pause)
    assert tree_digest(layer.tree) == tree_digest({"a": 1, "b": {"c": 2, "d": 3}})
    assert str(layer.origin(("b", "d"))) == "local.yaml:2:6"
    assert str(layer.origin(("a",))) == "base.yaml:1:4"
    empty = EditionSource(42, ())
    assert str(empty.layer((), {}, no_pause).origin(("a",))) == "edition:42"
    assert json.loads(json.dumps(layer.tree)) == layer.tree

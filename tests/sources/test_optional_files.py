"""An optional overlay: absent, of comments alone, emptied for a moment, and taken away again."""

from pathlib import Path
from typing import Any

import pytest

from reloadcheck import FileSource, Outcome, ReloadCheck
from reloadcheck.exceptions import SourceError
from reloadcheck.types import Layer

LIMIT = 1 << 20
COMMENTS = [
    ("local.toml", "# debug = true\n"),
    ("local.yaml", "# debug: true\n"),
    ("local.yaml", "---\n# debug: true\n"),
    ("local.yml", "\n\n  # debug: true"),
]


def layer_of(source: FileSource) -> Layer:
    """Read and parse a source."""
    return source.layer(source.read(source.stamp(), LIMIT), {}, lambda: None)


@pytest.mark.parametrize(("name", "text"), COMMENTS)
def test_an_optional_file_of_comments_is_empty(tmp_path: Path, name: str, text: str) -> None:
    """A template whose lines are all commented out overrides nothing, and stops no start."""
    (tmp_path / name).write_text(text)
    assert layer_of(FileSource(tmp_path / name, optional=True)).tree == {}


@pytest.mark.parametrize(("name", "text"), COMMENTS)
def test_a_file_of_comments_that_is_needed_waits(tmp_path: Path, name: str, text: str) -> None:
    """Its sentence names the ways out: it may be the beginning of a write."""
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as caught:
        layer_of(FileSource(tmp_path / name))
    assert "is empty" in str(caught.value)
    assert "FileSource(…, optional=True) takes comments alone for nothing" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n ", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
@pytest.mark.parametrize("name", ["local.toml", "local.yaml", "local.json"])
def test_zero_bytes_and_blanks_wait(tmp_path: Path, data: bytes, name: str) -> None:
    """A rewrite leaves them for a moment, of an optional file too; the sentence says what to do."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as caught:
        layer_of(FileSource(tmp_path / name, optional=True))
    comment = "" if name.endswith("json") else ", or leave a comment in it,"
    assert str(caught.value) == (
        f"{tmp_path / name}: is empty; delete it{comment} if nothing is meant"
    )


def test_an_override_that_is_commented_out_goes_away(tmp_path: Path) -> None:
    """Live, as it does when the file goes; an emptied one changes nothing."""
    base, local = tmp_path / "base.toml", tmp_path / "local.toml"
    base.write_text("debug = false\n")
    local.write_text("debug = true\n")
    live: ReloadCheck[Any] = ReloadCheck(
        base, FileSource(local, optional=True), settle=0.01, environ={}
    )
    live.start()
    try:
        assert live.snapshot.config == {"debug": True}
        local.write_text("")
        assert live.check() is Outcome.DEFERRED
        assert live.snapshot.config == {"debug": True}
        local.write_text("# debug = true\n")
        assert live.check() is Outcome.RELOADED
        assert live.snapshot.config == {"debug": False}
        local.unlink()
        assert live.check() is Outcome.UNCHANGED
        assert live.snapshot.config == {"debug": False}
    finally:
        live.close()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"s3cret\n", "s3cret"),
        (b" a: 1 ", " a: 1 "),
        (b"0042", "0042"),
        (b"\n", ""),
        (b"a\n\n", "a\n"),
    ],
)
@pytest.mark.parametrize("name", ["db_password", "key.json", "odd.txt"])
def test_a_file_with_a_key_is_the_text_of_one_value(
    tmp_path: Path, name: str, data: bytes, value: str
) -> None:
    """Whatever its suffix, verbatim less one final newline, and never shown."""
    (tmp_path / name).write_bytes(data)
    source = FileSource(tmp_path / name, key="database.password")
    layer = layer_of(source)
    assert layer.tree == {"database": {"password": value}}
    assert layer.untyped
    assert str(layer.origin(("database", "password"))) == str(tmp_path / name)
    assert source.place().confidential


def test_a_secret_s_file_that_is_emptied_waits(tmp_path: Path) -> None:
    """An empty password is no rotation but the middle of one."""
    (tmp_path / "db_password").write_text("")
    with pytest.raises(SourceError, match="is empty, as one that is being written is"):
        layer_of(FileSource(tmp_path / "db_password", key="database.password"))


def test_an_absent_secret_may_be_optional(tmp_path: Path) -> None:
    """It sets nothing, and comes as an edit."""
    source = FileSource(tmp_path / "db_password", True, key="database.password")
    assert layer_of(source).tree == {}


def test_a_key_that_is_no_key_path_is_refused_at_once(tmp_path: Path) -> None:
    """At construction, in the words of every key path."""
    with pytest.raises(Exception, match="is no key path"):
        FileSource(tmp_path / "x", key="a..b")

"""A `.env` file as a source: its lines, its refusals, and that it is watched as a file is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import DotenvSource, Outcome, ReloadCheck
from reloadcheck.exceptions import ConfigSyntaxError, SourceError
from reloadcheck.sources import FileSource, source_of
from reloadcheck.types import Layer, Source, Untyped

LIMIT = 1 << 20


def layer_of(
    path: Path, text: str, below: Mapping[str, Any] | None = None, prefix: str = ""
) -> Layer:
    """Read and parse a text as a `.env` file."""
    path.write_text(text, newline="")
    source = DotenvSource(path, prefix)
    return source.layer(source.read(source.stamp(), LIMIT), below or {}, lambda: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a file of variables may be written."""
    return tmp_path / ".env"


LINES: dict[str, dict[str, object]] = {
    "A=1": {"a": "1"},
    "  export A = x y  # c\n": {"a": "x y"},
    "A=": {"a": ""},
    "A= # c": {"a": ""},
    "A=#fff": {"a": "#fff"},
    "A=x#y": {"a": "x#y"},
    "A=a=b": {"a": "a=b"},
    "A=p$5ss": {"a": "p$5ss"},
    "A='x # ${Y} \"q\" \\n'  # c": {"a": 'x # ${Y} "q" \\n'},
    'A="x\\ty\\n\\"q\\" \\\\ \\${Y} \\d"': {"a": 'x\ty\n"q" \\ ${Y} \\d'},
    "A='one\ntwo'\nB=3": {"a": "one\ntwo", "b": "3"},
    'A="one\ntwo"\r\n\r\n# c\r\nB=3\r\n': {"a": "one\ntwo", "b": "3"},
    "A=5\rB": {},
    "DB__URL=u\nDB__POOL=2": {"db": {"url": "u", "pool": "2"}},
    "# only\n#comments": {},
    "\ufeffA=1": {"a": "1"},
}


@pytest.mark.parametrize(("text", "tree"), LINES.items())
def test_a_line_means_what_its_common_readers_say(
    path: Path, text: str, tree: dict[str, object]
) -> None:
    """Quotes, comments, `export`, several lines; a bare carriage return is refused, as ever."""
    if not tree and "\r" in text:
        with pytest.raises(ConfigSyntaxError, match="carriage return"):
            layer_of(path, text)
        return
    assert layer_of(path, text).tree == tree


REFUSED = {
    "A=1\nB": "2:2: = is expected after the variable's name",
    "A=1\n=2": "2:1: a variable's name is expected here",
    "A=1\n2A=2": "2:1: a variable's name is expected here",
    "A='canary": "1:3: the text that begins here in quotes does not end",
    "A='canary' canary": "1:11: the line should end after the quotes",
    "A=1\nA=2": "2:1: the variable is there twice",
    "A=${CANARY}": "1:3: nothing is expanded here; single quotes take ${…} as it is",
    'A="x ${CANARY}"': "1:3: nothing is expanded here; single quotes take ${…} as it is",
    "A=1\n  A__B=2": "2:3: a.b: contradicts {}:1:1",
    "A____B=2": "1:1: names an empty key",
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.items())
def test_what_is_no_line_is_refused_at_its_place(path: Path, text: str, sentence: str) -> None:
    """And what readers of such files disagree about; without a word of it."""
    with pytest.raises(ConfigSyntaxError) as caught:
        layer_of(path, text)
    assert str(caught.value) == f"{path}:{sentence.replace('{}', str(path))}"
    assert "canary" not in str(caught.value).lower()
    assert caught.value.__context__ is None


def test_names_find_existing_keys_and_texts_are_untyped(path: Path) -> None:
    """As of the environment's variables; a prefix belongs to no key."""
    below = {"dataBase": {"URL": "x"}, "hosts": ["h"]}
    text = "OTHER=1\nSHOP_DATABASE__URL=u\nSHOP_HOSTS=a,b\nSHOP_PORT=5\nSHOP_=x\n"
    layer = layer_of(path, text, below, prefix="SHOP")
    assert layer.tree == {"dataBase": {"URL": "u"}, "hosts": ["a", "b"], "port": "5"}
    assert isinstance(layer.tree["port"], Untyped)
    assert str(layer.origin(("dataBase", "URL"))) == f"{path}:2:1"
    assert str(layer.origin(("dataBase",))) == f"{path}:2:1"


def test_an_emptied_file_waits(path: Path) -> None:
    """A rewrite leaves one for a moment."""
    with pytest.raises(SourceError, match="is empty; leave a comment in it"):
        layer_of(path, "")


@pytest.mark.parametrize("name", [".env", "shop.env", ".env.local", ".ENV"])
def test_a_path_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    """Where a path is given for a source."""
    assert isinstance(source_of(tmp_path / name), DotenvSource)
    assert isinstance(source_of(tmp_path / ".env.yaml"), FileSource)
    assert not isinstance(source_of(tmp_path / ".env.yaml"), DotenvSource)


@dataclass(frozen=True)
class Settings:
    """What the variables become."""

    debug: bool
    token: str


def test_an_edit_goes_live(path: Path) -> None:
    """Unlike the environment's variables, which are read once."""
    path.write_text("DEBUG=true\nTOKEN=0042\n")
    live = ReloadCheck(path, schema=Settings, settle=0.01, environ={})
    live.start()
    try:
        assert live.snapshot.config == Settings(debug=True, token=live.snapshot.config.token)
        path.write_text("DEBUG=false\nTOKEN=0042\n")
        assert live.check() is Outcome.RELOADED
        assert live.snapshot.config.debug is False
        path.write_text("DEBUG=false\nTOKEN\n")
        assert live.check() is Outcome.REJECTED
        assert f"{path}:2:6" in str(live.status().error)
    finally:
        live.close()


def test_it_is_a_source_like_a_file(path: Path) -> None:
    """With its name, its place and its promises."""
    source = DotenvSource(path, optional=True)
    assert isinstance(source, Source)
    assert repr(source) == f"DotenvSource({str(path)!r})"
    assert source.layer(source.read(source.stamp(), LIMIT), {}, lambda: None).tree == {}

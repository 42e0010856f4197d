"""The configuration as the page shows it: every value with its origin, no secret among them."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from reloadcheck import DirectorySource, EnvironSource, FileSource, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck._page.values import MOST_LEAVES, Leaf, Leaves, leaves_of

CANARY = "canary-9d1c"


def shown(*sources: Any, schema: Any = None) -> tuple[Leaves, dict[str, Leaf]]:
    """Load, and give what may be shown, also by key path."""
    live: ReloadCheck[Any] = ReloadCheck(*sources, schema=schema, settle=0.0)
    live.start()
    try:
        thread = engine_of(live).thread
        assert thread is not None
        checker = thread.reload.checker
        assert checker.running is not None
        leaves = leaves_of(checker.running, checker.places)
    finally:
        live.close()
    return leaves, {leaf.path: leaf for leaf in leaves.shown}


def test_each_value_names_its_origin(tmp_path: Path) -> None:
    """A value is shown with the file, line and column that it came from, the last one to say it."""
    base, over = tmp_path / "base.yaml", tmp_path / "over.json"
    base.write_text("name: shop\nlimits:\n  low: 1\n  high: 2\nempty: []\n")
    over.write_text('{"limits": {"high": 3}}')
    _, by_path = shown(base, over, EnvironSource("APP", environ={"APP_LIMITS__LOW": "7"}))
    assert Leaf("name", '"shop"', False, f"{base}:1:7") == by_path["name"]
    assert Leaf("limits.high", "3", False, f"{over}:1:21") == by_path["limits.high"]
    variable = "environment variable APP_LIMITS__LOW"
    assert Leaf("limits.low", "7", False, variable) == by_path["limits.low"]
    assert Leaf("empty", "[]", False, f"{base}:5:8") == by_path["empty"]


SECRETS = {
    "by its key": f"api_key: {CANARY}",
    "below such a key": f"credentials: {{user: {CANARY}, list: [{CANARY}]}}",
    "as a key below such a key": f"tokens: {{{CANARY}: alice}}",
    "in a URL": f"url: postgresql://user:{CANARY}@host/db",
    "in a URL's query": f"hook: https://host/x?k={CANARY}",
    "as a PEM key": f"tls: |\n  -----BEGIN PRIVATE KEY-----\n  {CANARY}\n",
    "a second time, elsewhere": f"password: {CANARY}\ncopies: [{CANARY}]\n",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_not_shown(tmp_path: Path, text: str) -> None:
    """What is secret by its key or its look is hidden, wherever else it stands too."""
    path = tmp_path / "app.yaml"
    path.write_text(text)
    leaves, _ = shown(path)
    assert leaves.shown
    assert CANARY not in repr(leaves)


class Settings(BaseModel):
    """A model that calls a secret by an innocent name."""

    model_config = ConfigDict(frozen=True)

    word: SecretStr
    same: str
    plain: int = 5


def test_a_schemas_secret_type_is_not_shown(tmp_path: Path) -> None:
    """What the schema declares secret is hidden, and a default says that it is one."""
    path = tmp_path / "app.yaml"
    path.write_text(f"word: {CANARY}\nsame: {CANARY}\n")
    leaves, by_path = shown(path, schema=Settings)
    assert by_path["word"].hidden
    assert CANARY not in repr(leaves)
    assert Leaf("plain", "5", False, None) == by_path["plain"]


def test_a_directory_of_secrets_is_not_shown(tmp_path: Path) -> None:
    """No value of a directory source, or of a private file, is shown, nor its copies elsewhere."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pin").write_text(CANARY)
    (tmp_path / "secrets" / "digits").write_text("42")
    private, path = tmp_path / "private.yaml", tmp_path / "app.yaml"
    private.write_text("inner: hush-hush\n")
    path.write_text(f"a: {CANARY}\nb: hush-hush\nc: seen\nd: '42'\n")
    sources = path, DirectorySource(tmp_path / "secrets"), FileSource(private, private=True)
    leaves, by_path = shown(*sources)
    assert {leaf.path for leaf in leaves.shown if leaf.hidden} == {
        "a",
        "b",
        "pin",
        "digits",
        "inner",
    }
    assert (by_path["c"].value, by_path["d"].value) == ('"seen"', '"42"')
    assert CANARY not in repr(leaves)
    assert "hush" not in repr(leaves)


def test_a_large_configuration_is_cut(tmp_path: Path) -> None:
    """A page shows so many values and says how many more there are; a long one is cut."""
    path = tmp_path / "app.yaml"
    path.write_text(f"long: {'x' * 5_000}\n" + "".join(f"k{n}: {n}\n" for n in range(1_500)))
    leaves, by_path = shown(path)
    assert (len(leaves.shown), leaves.more) == (MOST_LEAVES, 501)
    assert len(by_path["long"].value) < 250


def test_what_could_steer_a_terminal_is_escaped(tmp_path: Path) -> None:
    """Control and bidi characters of keys and values are shown as escapes."""
    path = tmp_path / "app.yaml"
    path.write_text('"a\\u202Eb": "c\\u202Ed\\u001B[31m"\n')
    leaves, _ = shown(path)
    (leaf,) = leaves.shown
    assert leaf.path.isprintable()
    assert leaf.value.isprintable()
    assert r"\u202e" in leaf.value

"""`explain`: the origin of a value and all that it overrides, with secrets hidden."""

from pathlib import Path

import pytest

from reloadcheck._config.key_path import key_path_of
from reloadcheck.types import KeyPath, key_path_text
from tests.cli.conftest import Run

CANARY = "c4n4ry"


def test_a_value_is_traced_through_its_layers(run: Run, app: str) -> None:
    """The one that wins first, then each that it overrides, at file:line:column."""
    done = run("explain", "base.yaml", "local.yaml", "database.pool_size")
    assert done.status == 0
    assert done.lines == [
        "database.pool_size = 20",
        "  local.yaml:2:14  sets it     20",
        "  base.yaml:4:14   overridden  10",
    ]


def test_a_mapping_is_shown_with_the_origin_of_each_value(run: Run, app: str) -> None:
    """Its parts may come from different files."""
    done = run("explain", "--app", app, "database")
    assert done.lines == [
        "database",
        '  database.url        "sqlite://"  base.yaml:3:8',
        "  database.pool_size  20           local.yaml:2:14",
        "",
        "  local.yaml:2:3  sets it     (1 key)",
        "  base.yaml:3:3   adds to it  (2 keys)",
    ]


def test_three_layers_are_told_apart(run: Run, here: Path) -> None:
    """What replaces a parent as a whole hides what is below it; what comes above counts."""
    (here / "1.yaml").write_text("a: {b: 1}\n")
    (here / "2.yaml").write_text("a: null\n")
    (here / "3.yaml").write_text("a: {b: 3}\n")
    told = run("explain", "1.yaml", "2.yaml", "3.yaml", "a.b", "--json").document
    assert [one["effect"] for one in told["layers"]] == ["sets", "hidden", "overridden"]
    done = run("explain", "1.yaml", "2.yaml", "a.b")
    assert done.status == 1
    assert done.lines == [
        "a.b: not set in the end: a parent of it is replaced as a whole",
        "  2.yaml:1:4  replaces a as a whole  null",
        "  1.yaml:1:8  hidden by that         1",
    ]


def test_a_list_replaces_a_list(run: Run, here: Path) -> None:
    """An item is looked up in the list that wins; the other is replaced as a whole."""
    (here / "1.yaml").write_text("a: [x, y]\n")
    (here / "2.yaml").write_text("a: [z]\n")
    assert '"z"' in run("explain", "1.yaml", "2.yaml", "a[0]").lines[0]
    assert run("explain", "1.yaml", "2.yaml", "a[1]").status == 1
    assert '"y"' in run("explain", "1.yaml", "a.1").lines[0]


def test_secrets_are_hidden_by_name_and_by_form(run: Run, here: Path) -> None:
    """A password, a URL with user info and what is inside a list of secrets; all, if asked for."""
    (here / "a.yaml").write_text(
        f"db: {{password: {CANARY}, url: 'postgres://u:{CANARY}@h/d', host: visible}}\n"
        f"tokens: [{CANARY}]\nnested: [{{api_key: {CANARY}}}]\n"
    )
    for path in ("db", "db.password", "db.url", "tokens", "tokens[0]", "nested", "nested[0]"):
        for more in ([], ["--json"]):
            done = run("explain", "a.yaml", path, *more)
            assert (done.status, CANARY in done.out) == (0, False)
            assert "***" in done.out or "(1 key)" in done.out
    assert "visible" in run("explain", "a.yaml", "db.host").out
    assert "visible" not in run("explain", "a.yaml", "db", "--hide-values").out
    assert "visible" not in run("explain", "a.yaml", "db", "--hide-values", "--json").out


def test_what_only_the_schema_sets_is_said_to_be_its_default(run: Run, app: str) -> None:
    """No file has the key; the application has a value all the same."""
    done = run("explain", "--app", app, "debug")
    assert done.status == 0
    assert done.lines == ["debug = false", "  service:live  the schema's default  false"]


def test_a_variable_is_an_origin_too(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment source of the application is named by its variable."""
    monkeypatch.setenv("APP_DATABASE__POOL_SIZE", "30")
    (here / "base.yaml").write_text("database: {pool_size: 10}\n")
    (here / "service.py").write_text(
        "from reloadcheck import EnvironSource, ReloadCheck\n"
        "live = ReloadCheck('base.yaml', EnvironSource('APP'))\n"
    )
    done = run("explain", "--app", "service:live", "database.pool_size")
    assert done.lines[0] == "database.pool_size = 30"
    assert "environment variable APP_DATABASE__POOL_SIZE" in done.out


def test_unreadable_layers_are_told_as_validate_tells_them(run: Run, here: Path) -> None:
    """Status 1, with the place; nothing is explained from half a configuration."""
    (here / "a.yaml").write_text("a: 1\na: 2\n")
    done = run("explain", "a.yaml", "a")
    assert (done.status, done.out.startswith("a.yaml:2:1: error:")) == (1, True)
    assert not run("explain", "a.yaml", "a", "--json").document["ok"]


@pytest.mark.parametrize(
    "words",
    [["explain"], ["explain", "a"], ["explain", "a.yaml", "a..b"], ["explain", "a.yaml", ""]],
)
def test_what_is_no_question_is_status_2(run: Run, words: list[str]) -> None:
    """No key path, no file, or a key path that is none."""
    assert run(*words).status == 2


@pytest.mark.parametrize(
    "path",
    [("a",), ("a", "b-c", "d_e"), ("a", 0, "b", 12), ("a.b", "c"), ('qu"ote', "x y", "ü")],
)
def test_key_paths_are_read_as_they_are_shown(path: KeyPath) -> None:
    """What a message shows can be pasted."""
    assert path == key_path_of(key_path_text(path))


def test_a_key_beside_the_one_that_was_meant_is_named(run: Run, app: str) -> None:
    """A misspelled key is answered with the one it is like, as far as the path leads."""
    done = run("explain", "base.yaml", "database.pool_siez")
    assert done.status == 1
    assert done.lines == [
        "database.pool_siez: not set in any of: base.yaml",
        "did you mean database.pool_size?",
    ]
    done = run("explain", "base.yaml", "nope", "--app", app)
    assert done.lines[0] == "nope: not set in any of: base.yaml, the schema's defaults"


@pytest.mark.parametrize("words", [["base.yaml"], ["base.yaml", "local.yaml"], ["database.url"]])
def test_a_forgotten_key_path_is_asked_for(words: list[str], run: Run, app: str) -> None:
    """Files alone, or a key path alone, are no question; nor is a file taken for a key path."""
    done = run("explain", *words)
    assert done.status == 2
    assert "then a key path, as in config.yaml database.url" in done.err


def test_a_key_may_be_called_as_a_directory_is(run: Run, here: Path, app: str) -> None:
    """What the files set is explained, whatever else has its name."""
    (here / "database").mkdir()
    assert run("explain", "base.yaml", "database").status == 0


def test_a_default_that_cannot_be_asked_for_is_not_denied(run: Run, here: Path, app: str) -> None:
    """While the files are rejected nobody knows what the schema would have made of them."""
    (here / "local.yaml").write_text("database:\n  pool_size: many\n")
    done = run("explain", "--app", app, "debug")
    assert done.status == 1
    assert done.lines[0] == "debug: not set in any of: base.yaml, local.yaml"
    assert " ".join(" ".join(done.lines[1:]).split()) == (
        "the schema's default is not known while the configuration is rejected: "
        "`reloadcheck validate` says why"
    )


def test_a_key_path_before_its_file_is_told_the_order(run: Run, app: str) -> None:
    """As it is often written: what stands last is a file, and the other is none."""
    done = run("explain", "database.pool_size", "base.yaml")
    assert done.status == 2
    assert "database.pool_size does not exist; name the files, then a key path" in done.err

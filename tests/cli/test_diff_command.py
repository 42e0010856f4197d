"""`diff`: what changes, what would be rebuilt and what is left alone; nothing is built."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

CANARY = "c4n4ry"


def test_changed_added_and_removed_keys_are_told(run: Run, here: Path) -> None:
    """By key path, in three kinds; comments and order are none."""
    (here / "old.yaml").write_text("a: 1\nb: {c: x, d: 2}\ngone: true\n")
    (here / "new.yaml").write_text("# new\nb: {d: 2, c: y}\na: 1\nmore: {x: 1}\n")
    done = run("diff", "old.yaml", "new.yaml")
    assert done.status == 0
    assert done.lines == ['~ b.c: "x" -> "y"', "+ more: (1 key)", "- gone: true"]
    hidden = run("diff", "old.yaml", "new.yaml", "--hide-values")
    assert hidden.lines == ["~ b.c", "+ more", "- gone"]


def test_equal_configurations_cause_no_reload(run: Run, here: Path) -> None:
    """Another format with the same content changes nothing."""
    (here / "old.yaml").write_text("a: 1\n")
    (here / "new.json").write_text('{"a": 1}')
    assert run("diff", "old.yaml", "new.json").lines == ["Nothing changes: no reload."]
    assert run("diff", "old.yaml", "new.json", "--json").document["changes"] == []


def test_secrets_are_hidden_on_both_sides(run: Run, here: Path) -> None:
    """That a password was rotated is told, and neither of the two."""
    (here / "old.yaml").write_text(f"password: {CANARY}1\nurls: ['a://u:{CANARY}@h']\n")
    (here / "new.yaml").write_text(f"password: {CANARY}2\nurls: []\nsecret: {{x: {CANARY}}}\n")
    for more in ([], ["--json"]):
        done = run("diff", "old.yaml", "new.yaml", *more)
        assert ("password" in done.out, CANARY in done.out) == (True, False)


@pytest.mark.parametrize(
    ("edit", "rebuilt", "kept"),
    [
        (
            ("pool_size: 10", "pool_size: 11"),
            {"db": "database changes", "tracer": "needs db"},
            ["banner"],
        ),
        (("hello", "hi"), {"banner": "greeting changes"}, ["db", "tracer"]),
        (("hello", "hello # more"), {}, ["db", "banner", "tracer"]),
        (("greeting", "debug: true\ngreeting"), {"tracer": "debug changes"}, ["db", "banner"]),
    ],
)
def test_what_an_edit_would_rebuild_is_told_and_nothing_is_built(
    run: Run, here: Path, app: str, edit: tuple[str, str], rebuilt: dict[str, str], kept: list[str]
) -> None:
    """Resources whose part changes and those that need them; the factories here would raise."""
    (here / "old.yaml").write_text((here / "base.yaml").read_text())
    (here / "new.yaml").write_text((here / "base.yaml").read_text().replace(*edit))
    document = run("diff", "old.yaml", "new.yaml", "--app", app, "--json").document
    assert rebuilt == {one["resource"]: one["reason"] for one in document["rebuilds"]}
    assert kept == document["keeps"]
    text = run("diff", "old.yaml", "new.yaml", "--app", app)
    assert [f"rebuilds  {n} ({r})" for n, r in rebuilt.items()] + [
        f"keeps     {n}" for n in kept
    ] == (text.lines[-3:])


def test_a_file_of_the_application_is_compared_with_its_other_layers(
    run: Run, here: Path, app: str
) -> None:
    """What the layer above overrides anyway does not change."""
    (here / "new.yaml").write_text((here / "base.yaml").read_text().replace("10", "11"))
    assert run("diff", "base.yaml", "new.yaml", "--app", app).lines[:1] == [
        "Nothing changes: no reload."
    ]
    assert run("diff", "base.yaml", "new.yaml").lines[0] == "~ database.pool_size: 10 -> 11"


def test_an_edit_that_is_not_valid_is_status_1(run: Run, here: Path, app: str) -> None:
    """Its problems are told as `validate` tells them; there is nothing to compare."""
    (here / "bad.yaml").write_text("greeting: hello\n")
    done = run("diff", "base.yaml", "bad.yaml", "--schema", "service:Settings")
    assert done.status == 1
    assert done.lines[0].startswith("bad.yaml:1:1: error: database: is missing")
    assert done.lines[-1] == "FAILED: nothing can be compared"
    assert not run("diff", "base.yaml", "none.yaml", "--json").document["ok"]


def test_a_part_that_a_resource_needs_and_the_edit_lacks_is_an_error(run: Run, here: Path) -> None:
    """Without a schema it shows only here, as it would show in the reload."""
    (here / "service.py").write_text(
        "from reloadcheck import ReloadCheck\nlive = ReloadCheck('old.yaml')\n"
        "@live.resource('database')\ndef db(database): raise AssertionError\n"
    )
    (here / "old.yaml").write_text("database: {url: x}\n")
    (here / "new.yaml").write_text("databse: {url: x}\n")
    done = run("diff", "old.yaml", "new.yaml", "--app", "service:live")
    assert done.status == 1
    assert "database: is missing, and resource 'db' is built from it" in " ".join(done.out.split())


@pytest.mark.parametrize(
    "words", [["diff"], ["diff", "a.yaml"], ["diff", "a.yaml", "b.yaml", "c.yaml"]]
)
def test_it_takes_exactly_two(run: Run, words: list[str]) -> None:
    """Anything else is wrong usage."""
    done = run(*words)
    assert (done.status, "name two files: OLD NEW" in done.err) == (2, True)

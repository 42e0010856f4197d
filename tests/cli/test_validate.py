"""`validate`: every problem at its place, warnings that are right, and no value shown."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

CANARY = "c4n4ry"


def test_a_good_configuration_is_status_0_and_one_line(run: Run, app: str) -> None:
    """What can be used is said in one line; nothing is warned of in a single file."""
    done = run("validate", "base.yaml", "--schema", "service:Settings")
    assert (done.status, done.lines) == (0, ["OK: base.yaml can be used and fits service:Settings"])


def test_the_documentation_shows_what_is_printed(run: Run, here: Path, app: str) -> None:
    """Its example, word for word."""
    (here / "config.yaml").write_text(
        "greeting: hello\ndebgu: true\ndatabase:\n  url: sqlite://\n  pool_size: many\n"
    )
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    command, shown = page.split("```text\n$ reloadcheck ")[1].split("```")[0].split("\n", 1)
    assert shown == run(*command.split()).out


def test_every_problem_is_shown_at_its_place_with_a_caret(run: Run, here: Path, app: str) -> None:
    """Two wrong values and a missing one: three errors, each under its line, values hidden."""
    (here / "bad.yaml").write_text(
        f"greeting: [{CANARY}]\n# the main one\ndatabase:\n  pool_size: {CANARY}  # {CANARY}\n"
    )
    done = run("validate", "bad.yaml", "--app", app)
    assert done.status == 1
    assert done.lines == [
        "bad.yaml:1:11: error: greeting: should be a string, not a list",
        "     1 | greeting: [***",
        "       |           ^",
        "bad.yaml:4:3: error: database.url: is missing",
        "     3 | database:",
        "     4 |   pool_size: ***",
        "       |   ^",
        "bad.yaml:4:14: error: database.pool_size: should be an integer, not a string",
        "     4 |   pool_size: ***",
        "       |              ^",
        "FAILED: bad.yaml cannot be used (3 errors)",
    ]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.yaml", "a: 1\nb: [1, 2\nc: 3\n", "a.yaml:2:4: error:"),
        ("a.json", '{\n  "a": 1,\n  "b": nope\n}\n', "a.json:3:8: error: b:"),
        ("a.toml", "a = 1\n[b]\nc = nope\n", "a.toml:3:5: error: b.c:"),
    ],
)
def test_what_does_not_parse_is_shown_in_each_format(
    run: Run, here: Path, name: str, text: str, place: str
) -> None:
    """A syntax error has its place, the key of its line and a caret."""
    (here / name).write_text(text)
    done = run("validate", name)
    assert done.status == 1
    assert done.lines[0].startswith(place)
    key, caret = done.lines[-3:-1]
    column = int(place.split(":")[2])
    assert key[9 + column - 1 :].strip(" [") == "***"
    assert caret[9:].strip() == "^"


def test_all_files_are_looked_at_whatever_is_wrong_with_one(run: Run, here: Path) -> None:
    """A missing file does not hide what does not parse in another."""
    (here / "a.yaml").write_text("a: [\n")
    done = run("validate", "missing.yaml", "a.yaml")
    assert done.status == 1
    assert " ".join(done.out.split()).startswith(f"missing.yaml: error: does not exist in {here}")
    assert "(2 errors)" in done.lines[-1]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("no", "true or false here (YAML 1.1) and text in YAML 1.2"),
        ("On", "true or false here (YAML 1.1) and text in YAML 1.2"),
        ("010", "an integer to the base of 8 here (YAML 1.1) and another integer in YAML 1.2"),
        ("0o10", "text here (YAML 1.1) and an integer in YAML 1.2"),
        ("08", "text here (YAML 1.1) and an integer in YAML 1.2"),
        ("22:22", "an integer to the base of 60 here (YAML 1.1) and text in YAML 1.2"),
        ("1:30.5", "a number here (YAML 1.1) and text in YAML 1.2"),
        ("1_000", "an integer here (YAML 1.1) and text in YAML 1.2"),
        ("0b11", "an integer here (YAML 1.1) and text in YAML 1.2"),
        ("1e3", "text here (YAML 1.1) and a number in YAML 1.2"),
        ("-.5", "text here (YAML 1.1) and a number in YAML 1.2"),
        ("2026-11-20", "a date here (YAML 1.1) and text in YAML 1.2"),
        ("2026-11-20 10:00:00", "a date and time here (YAML 1.1) and text in YAML 1.2"),
    ],
)
def test_scalars_that_two_yamls_read_differently_are_warned_of(
    run: Run, here: Path, written: str, words: str
) -> None:
    """Each is named with both readings and a remedy; it is a warning, so the status stays 0."""
    (here / "a.yaml").write_text(f"list:\n  - fine\n  - {written}\n")
    done = run("validate", "a.yaml", "--json")
    (problem,) = done.document["problems"]
    assert (done.status, problem["code"], problem["key_path"]) == (0, "yaml-version", "list[1]")
    assert (problem["path"], problem["line"], problem["column"]) == ("a.yaml", 3, 5)
    assert words in problem["reason"]


@pytest.mark.parametrize(
    "written",
    [
        *(
            "true",
            "False",
            "~",
            "null",
            "12",
            "-12",
            "0",
            "+7",
            "0x1F",
            "1.5",
            "1.5e+3",
            ".5",
            "1.",
        ),
        *("text", '"no"', "'010'", "!!str no", "a: b", "1.2.3", "yes please", "12:60x", "y", "n"),
    ],
)
def test_scalars_that_both_read_alike_are_not(run: Run, here: Path, written: str) -> None:
    """No warning is invented for quoted, tagged and ordinary scalars."""
    (here / "a.yaml").write_text(f"key:\n  {written}\n")
    assert run("validate", "a.yaml", "--json").document["problems"] == []


def test_a_key_that_two_yamls_read_differently_is_warned_of(run: Run, here: Path) -> None:
    """A key is no less a scalar; merge keys, which readers of both versions know, are none."""
    (here / "a.yaml").write_text("base: &base {x: 1}\nother:\n  <<: *base\n  1e3: fine\n")
    (problem,) = run("validate", "a.yaml", "--json").document["problems"]
    assert (problem["key_path"], problem["line"], problem["column"]) == ("other.1e3", 4, 3)
    assert problem["reason"].startswith("this key is text here")


def test_what_a_later_file_overrides_is_warned_of_at_both_places(run: Run, app: str) -> None:
    """The earlier value's place, and where the later one is."""
    done = run("validate", "base.yaml", "local.yaml")
    assert done.status == 0
    expected = "base.yaml:4:14: warning: database.pool_size: is overridden by local.yaml:2:14"
    assert expected == " ".join(done.out.split("\n     4")[0].split())
    assert done.out.count("warning:") == 1


def test_a_null_or_a_list_overrides_as_a_whole(run: Run, here: Path) -> None:
    """Each value below a key that is set to null is overridden; equal keys beside it are not."""
    (here / "a.yaml").write_text("part: {x: 1, y: 2}\nlist: [1, 2]\nkept: 3\n")
    (here / "b.yaml").write_text("part: null\nlist: [3]\nmore: 4\n")
    problems = run("validate", "a.yaml", "b.yaml", "--json").document["problems"]
    assert [one["key_path"] for one in problems] == ["part.x", "part.y", "list"]


def test_what_the_application_prints_is_not_in_the_output(run: Run, here: Path) -> None:
    """JSON and only that, however talkative a module and its schema are."""
    (here / "service.py").write_text(
        "print('importing')\ndef check(tree):\n    print('checking')\n    return tree\n"
    )
    (here / "a.yaml").write_text("a: 1\n")
    done = run("validate", "a.yaml", "--schema", "service:check", "--json")
    assert done.document["ok"]
    assert done.err == "importing\nchecking\n"


def test_a_variable_that_does_not_parse_is_named(
    run: Run, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application would not start; the sentence is the engine's own."""
    monkeypatch.setenv("RELOAD_CHECK_WINDOW", "soon")
    done = run("validate", "--app", app)
    assert done.status == 2
    assert "environment variable RELOAD_CHECK_WINDOW" in " ".join(done.err.split())


def test_mappings_that_merge_to_more_than_one_value_are_warned_of(run: Run, here: Path) -> None:
    """At the merge key, with the keys: readers of YAML differ there, and ours is said."""
    (here / "a.yaml").write_text(
        "a: &a {port: 1, host: x}\nb: &b {port: 2, host: x}\nsame: {<<: [*a, *a]}\n"
        "deep:\n  - c: 1\n    <<: [*a, *b]\n"
    )
    done = run("validate", "a.yaml", "--json")
    (problem,) = done.document["problems"]
    assert (
        done.status,
        problem["code"],
        problem["line"],
        problem["column"],
        problem["key_path"],
    ) == (0, "yaml-merge", 6, 5, "deep[0]")
    assert "sets port more than once" in problem["reason"]


def test_a_number_of_any_length_is_compared(run: Run, here: Path) -> None:
    """Text to YAML 1.1, an integer that no interpreter converts to 1.2."""
    (here / "a.yaml").write_text(f"a: 0{'8' * 5000}\n")
    (problem,) = run("validate", "a.yaml", "--json").document["problems"]
    assert problem["code"] == "yaml-version"


def test_a_function_as_schema_is_believed(run: Run, here: Path) -> None:
    """It does not tell its keys, so none is unknown; what it raises is told without values."""
    (here / "service.py").write_text(
        "def check(tree):\n"
        "    if tree['a'] != 'good':\n        raise ValueError(f\"no: {tree['a']}\")\n"
        "    return tree\n"
    )
    (here / "a.yaml").write_text(f"a: {CANARY}\nb: 1\n")
    done = run("validate", "a.yaml", "--schema", "service:check")
    assert (done.status, "ValueError" in done.out, CANARY in done.out) == (1, True, False)
    (here / "a.yaml").write_text("a: good\nb: 1\n")
    assert run("validate", "a.yaml", "--schema", "service:check").status == 0


def test_a_directory_is_a_layer_with_a_file_per_key(run: Run, here: Path, app: str) -> None:
    """Its values have no lines; they are checked and override like any other."""
    (here / "secrets" / "database").mkdir(parents=True)
    (here / "secrets" / "database" / "url").write_text(CANARY)
    done = run("validate", "base.yaml", "secrets", "--app", app)
    assert done.status == 0
    assert "database.url: is overridden by secrets/database/url" in " ".join(done.out.split())
    assert CANARY not in done.out


def test_the_engine_of_an_application_gives_files_and_schema(run: Run, app: str) -> None:
    """Without a file named, the application's own sources are checked."""
    document = run("validate", "--app", app, "--json").document
    assert (document["sources"], document["ok"]) == (["base.yaml", "local.yaml"], True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["validate"], "name at least one FILE"),
        (["validate", "a.ini"], "a.ini does not exist"),
        (["validate", "base.yaml", "--schema", "service"], "--schema takes MODULE:NAME"),
        (["validate", "base.yaml", "--schema", "nowhere:X"], "there is no module nowhere"),
        (["validate", "base.yaml", "--schema", "service:X"], "there is no X in it"),
        (["validate", "base.yaml", "--schema", "broken:X"], "importing it raised ValueError at"),
        (["validate", "--app", "wanting:live"], "wanting.py:1: there is no module nowhere"),
        (["validate", "--app", "service.py:live"], "a module is named without its .py"),
        (["validate", "base.yaml", "--app", "service:Settings"], "not a ReloadCheck"),
        (["validate", "--app", "service:live", "--schema", "service:Settings"], "together"),
        (["validate", "base.yaml", "--no-such"], "unrecognized arguments: --no-such"),
    ],
)
def test_wrong_usage_is_status_2_and_a_sentence(
    run: Run, here: Path, app: str, words: list[str], message: str
) -> None:
    """What cannot be is said on standard error, without a traceback."""
    (here / "broken.py").write_text(f"raise ValueError('{CANARY}')\n")
    (here / "wanting.py").write_text("import nowhere\n")
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert message in " ".join(done.err.split())
    assert CANARY not in done.err


def test_files_and_options_may_be_mixed(run: Run, app: str) -> None:
    """An option between two files ends neither."""
    document = run("validate", "base.yaml", "--json", "local.yaml").document
    assert document["sources"] == ["base.yaml", "local.yaml"]

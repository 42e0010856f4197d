"""What an excerpt shows of a document, and that it never shows a value."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck.cli._excerpt import excerpt
from reloadcheck.parsers import survey
from reloadcheck.types import Document
from tests.cli.conftest import Run

CANARY = "c4n4ry"


DOCUMENTS = {
    "yaml": f"""\
# {CANARY}
top: {CANARY}
"quo: ted": '{CANARY}'
flow: {{a: {CANARY}, "b": ["{CANARY}", {CANARY}], c: {{d: {CANARY} }}}}
list:
  - {CANARY}
  - key: {CANARY}
    more: >-
      key: {CANARY}
      {CANARY}
anchor: &name
  text: "{CANARY}
    {CANARY}: {CANARY}"
  plain: {CANARY}
    {CANARY}
again: *name   # {CANARY}
""",
    "json": json.dumps(
        {"top": CANARY, "list": [CANARY, {"key": CANARY}], "deep": {"a": {"b": CANARY}}}, indent=1
    )
    + json.dumps({"x": CANARY}),
    "toml": f"""\
# {CANARY}
top = "{CANARY}"
a."b.c" = '{CANARY}'
inline = {{ x = "{CANARY}", y = ["{CANARY}", "key = {CANARY}"] }}
[table]   # {CANARY}
text = \"\"\"
key = {CANARY}
{CANARY}\"\"\"
[[many]]
key = "{CANARY}"
""",
}


@pytest.mark.parametrize("format_", DOCUMENTS)
def test_no_excerpt_shows_a_value_wherever_the_document_breaks(format_: str) -> None:
    """At each line and column, of the document cut or spoilt anywhere, only keys are shown."""
    text = DOCUMENTS[format_]
    shown: set[str] = set()
    for cut in range(0, len(text) + 1, 7):
        for spoilt in (text[:cut], text[:cut] + "]" + text[cut:], text[:cut] + '"' + text[cut:]):
            known = survey(Document("a", spoilt.encode(), format_))
            for number, line in enumerate(spoilt.split("\n"), 1):
                for column in {1, 4, len(line) // 2 + 1, len(line) + 1}:
                    shown |= {text for _, text in excerpt(known, number, column).lines}
    assert not {line for line in shown if CANARY in line}
    assert any("***" in line for line in shown)


def test_what_a_missing_sign_made_a_key_is_not_shown() -> None:
    """Without a colon after it, text inside braces may have been a value."""
    document = Document("a", f"a: {{b: {{{CANARY}, c: 1}}\n".encode(), "yaml")
    assert excerpt(survey(document), 1, 1).lines == ((1, "a: {b: {***, c: ***"),)


def test_a_long_line_is_cut_around_its_caret(run: Run, here: Path) -> None:
    """A document on one line of thousands of characters still fits a terminal."""
    many = {f"key{number}": number for number in range(300)}
    (here / "a.json").write_text(json.dumps({**many, "key299": 2**70}))
    done = run("validate", "a.json")
    line, caret = done.lines[-3:-1]
    assert line.startswith("     1 | …")
    assert '"key299": ***' in line
    assert caret.index("^") == line.index('"key299"') + len('"key299": ')


def test_foreign_characters_in_keys_are_escaped(run: Run, here: Path) -> None:
    """An escape sequence, a bidi mark and a line end in a key reach no terminal."""
    (here / "a.yaml").write_text('"\\e[31m\\u202e\\n": 22:22\n')
    done = run("validate", "a.yaml")
    assert "\\x1b[31m\\u202e\\n" in done.out
    assert "\x1b" not in done.out


def test_warnings_of_one_kind_are_bounded(run: Run, here: Path) -> None:
    """A thousand such scalars are not told one by one."""
    (here / "a.yaml").write_text("a:\n" + "  - no\n" * 1000)
    problems = run("validate", "a.yaml", "--json").document["problems"]
    assert len(problems) == 51
    assert "and more of the same kind" in {one["reason"] for one in problems}


HOSTILE: dict[str, Callable[[int], str]] = {
    "brackets that end no list": lambda size: "password: " + "]" * 50 * size + "x\npassword: 1\n",
    "a warning for each value": lambda size: "".join(f"k{number}: no\n" for number in range(size)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_judged_in_linear_time(
    run: Run, here: Path, text: Callable[[int], str]
) -> None:
    """Nothing of what is shown is looked for with quadratic effort: four times costs four times."""

    def seconds(size: int) -> float:
        (here / "a.yaml").write_text(text(size))
        begun = time.process_time()
        assert "a.yaml" in run("validate", "a.yaml").out
        return time.process_time() - begun

    seconds(100)  # imports
    # The machine may be at something else in one of them, and not in three in turn.
    assert any(seconds(24_000) < 10 * seconds(6_000) for _ in range(3))

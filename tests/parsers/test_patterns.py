"""Patterns read the same on every Python: possessive groups where they work, greedy ones before."""

import ast
import re
import sys
from pathlib import Path

import pytest

from reloadcheck.parsers import _json, _toml_scan, _yaml_dialect
from reloadcheck.parsers._patterns import compiled

PATTERNS = {
    "json text": (
        r"""\"(?:\\.|[^\"\\]++)*+\"""",
        {'"a\\"b"': 6, '"': None, '"\\': None, '""': 2, '"x\\\\"': 5},
    ),
    "toml text": (
        r'''"""(?:[^"\\]++|\\.|"(?!""))*+""""{0,2}+''',
        {
            '"""x"""': 7,
            '"""a"b""c"""': 12,
            '"""x""': None,
            '"""x\\"""': None,
            '"""x"""""': 9,
            '""""""': 6,
        },
    ),
    "blank": (r"(?:[ \t\r\n]++|#[^\n]*+)*+$", {"": 0, "  # a\n#b\n ": 10, "a": None, " #": 2}),
}


@pytest.mark.parametrize(("pattern", "ends"), PATTERNS.values(), ids=PATTERNS)
def test_the_form_for_this_python_matches_what_it_says(
    pattern: str, ends: dict[str, int | None]
) -> None:
    """Both forms end where the pattern says; possessive groups only where `re` has them right."""
    for possessive in {False, sys.version_info >= (3, 11, 5)}:
        form = compiled(pattern, re.DOTALL, possessive=possessive)
        found = {text: form.match(text) for text in ends}
        assert ends == {text: match and match.end() for text, match in found.items()}
    assert ends == {
        text: match and match.end()
        for text, match in ((text, compiled(pattern, re.DOTALL).match(text)) for text in ends)
    }


def test_no_pattern_repeats_a_group_possessively_by_itself() -> None:
    """Every pattern with such a repeat is compiled where the interpreter's version is minded."""
    for module in (_json, _toml_scan, _yaml_dialect):
        tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "re.compile":
                assert not re.search(r"\)[*+?]\+", ast.unparse(call))

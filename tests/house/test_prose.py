"""What docstrings begin with: a word that says what comes of the call."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
RIDDLES = {"Give", "Gives", "Tell", "Tells", "Have", "Has"}
"""Words that want a second reading: *Return*, *Raise*, *Record*, *Run* want none."""


def test_no_docstring_begins_with_a_riddle() -> None:
    """In the package; a test's own docstring, which is a promise, is no matter of this."""
    begun = {
        f"{path.relative_to(ROOT)}: {text.splitlines()[0]}"
        for path in (ROOT / "reloadcheck").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if (text := ast.get_docstring(node)) and text.split()[0] in RIDDLES
    }
    assert sorted(begun) == []

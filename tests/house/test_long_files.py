"""A file that is long says why at its top: whoever opens it knows what to read it for."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MOST = 300
"""Lines of a file that needs no reason."""

LEAST_WORDS = 6
"""Words of a reason that says something."""


def long_files() -> list[Path]:
    """Return the files of the package, its tests and its examples that are longer than that."""
    rooms = ("reloadcheck", "tests", "examples")
    files = sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))
    assert len(files) > 500
    return [path for path in files if len(path.read_text().splitlines()) > MOST]


@pytest.mark.parametrize("path", long_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_long_file_says_why(path: Path) -> None:
    """The last paragraph of its docstring begins with “Long because”, and goes on with a reason."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    begins, _, reason = text.split("\n\n")[-1].partition("Long because ")
    assert begins == ""
    assert len(reason.split()) >= LEAST_WORDS
    assert reason.endswith(".")

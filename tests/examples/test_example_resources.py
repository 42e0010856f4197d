"""The examples of factories stay as short as they are shown to be; `tests/soak` runs them."""

import ast
from pathlib import Path

import pytest

from tests.soak.matrix import MATRIX

PLACE = Path(__file__).parents[2] / "examples" / "resources"
MOST_LINES = 8


def test_each_resource_has_its_example() -> None:
    """One file for each client that is tested, and one for what they share."""
    files = {path.stem for path in PLACE.glob("*.py")}
    assert {one.name for one in MATRIX} | {"settings"} == files


@pytest.mark.parametrize("name", [one.name for one in MATRIX])
def test_a_factory_is_short(name: str) -> None:
    """A file holds one factory, of eight lines at most, its docstring among them."""
    tree = ast.parse((PLACE / f"{name}.py").read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    (factory,) = found
    assert factory.end_lineno is not None
    assert factory.end_lineno - factory.lineno + 1 <= MOST_LINES

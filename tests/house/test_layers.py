"""Imports point downwards only, and each framework stays behind its own door."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "reloadcheck"


def modules() -> list[Path]:
    """Return every module of the package."""
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 40
    return found


def test_the_contracts_hold() -> None:
    """The import-linter contracts at the root are kept, and name every module."""
    lint = (
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def inside() -> list[Path]:
    """Return every module but the demo's application, which is a user's: it is copied, run."""
    return [path for path in modules() if path != PACKAGE / "demo" / "checkout.py"]


@pytest.mark.parametrize("path", inside(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_inside_imports_the_front_door(path: Path) -> None:
    """No module inside imports `reloadcheck` itself, by either spelling, anywhere in it."""
    room = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
            assert "reloadcheck" not in names, f"{path}:{node.lineno}"
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] != "reloadcheck" or node.level
            front = node.level == len(room) - 1 and node.module is None
            for alias in node.names if front else ():
                place = PACKAGE / alias.name
                there = place.with_suffix(".py").exists() or place.is_dir()
                assert there, f"{path}:{node.lineno} imports {alias.name} from the front door"


def test_a_rooms_init_holds_a_docstring_and_imports_nothing() -> None:
    """So that what is loaded follows from what is imported; a plain name is a door and may."""
    rooms = [path for path in modules() if path.name == "__init__.py"]
    private = [path for path in rooms if path.parent.name.startswith("_")]
    assert len(private) > 10
    wrong = {
        str(path.relative_to(PACKAGE))
        for path in private
        if len(ast.parse(path.read_text()).body) > 1
    }
    assert wrong == set()

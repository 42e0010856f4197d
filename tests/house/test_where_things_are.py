"""Who opens a file is told what is in it, and where the rest is; what is told is so."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "reloadcheck"

WHERE = re.compile(r"`(?!tests/)(_?[a-z]+/[a-z_]+)`")
"""A module as docstrings and the page on the design name it: `_engine/loading`."""

BESIDE = re.compile(r"`([a-z_]+)`'")
"""A module of the same room, as its neighbours name it: what to do is `loading`'s."""


def docstrings() -> dict[str, str]:
    """Return what each module says of itself, by its path below the package."""
    found = {
        str(path.relative_to(PACKAGE).with_suffix("")): ast.get_docstring(
            ast.parse(path.read_text())
        )
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    assert len(found) > 400
    assert [name for name, text in found.items() if not text] == []
    return {name: text for name, text in found.items() if text}


def test_no_two_modules_say_the_same() -> None:
    """Their first lines tell them apart."""
    firsts = [text.splitlines()[0] for text in docstrings().values()]
    assert sorted({one for one in firsts if firsts.count(one) > 1}) == []


def test_where_a_module_points_to_there_is_one() -> None:
    """A renamed module takes along what others say of it."""
    told = docstrings()
    pages = {"docs/design.md": (ROOT / "docs" / "design.md").read_text(), **told}
    wrong = [
        f"{page}: {where}"
        for page, text in pages.items()
        for where in WHERE.findall(text)
        if where not in told and not (PACKAGE / where).is_dir()
    ]
    wrong += [
        f"{page}: {beside}"
        for page, text in told.items()
        for beside in BESIDE.findall(text)
        if f"{page.rpartition('/')[0]}/{beside}" not in told
    ]
    assert sum(len(WHERE.findall(text)) for text in pages.values()) > 60
    assert sum(len(BESIDE.findall(text)) for text in told.values()) > 30
    assert wrong == []

"""The pages that users read, README and docs, and the Python blocks in them."""

import re
from typing import Final

from .servers import ROOT

__all__ = ["BLOCKS", "PAGES", "page"]


def _pages() -> dict[str, str]:
    docs = [path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts]
    files = [ROOT / "README.md", *sorted(docs)]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


PAGES: Final = _pages()
"""Each page's text, by its path in the checkout."""

BLOCKS: Final = {
    f"{name}:{text.count(chr(10), 0, found.start(1)) + 1}": found[1]
    for name, text in PAGES.items()
    for found in re.finditer(r"```python\n(.*?)```", text, re.S)
}
"""Each Python block, by its page and line."""


def page(name: str) -> str:
    """Return a page's text."""
    return PAGES[name]

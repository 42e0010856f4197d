"""`reloadcheck init`: the files that a project begins with, for one of three frameworks.

Writes what is not there yet and overwrites nothing; imports no framework.
"""

import argparse
import os
from collections.abc import Mapping
from difflib import get_close_matches

from ..exceptions import UsageError
from ..types import printable
from ._output import Page
from ._templates import TEMPLATES, Template

__all__ = ["run"]

_SECTION = "[tool.reloadcheck]"


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    kind, directory = _asked(arguments.words)
    template = TEMPLATES[kind]
    there = [name for name in template.files if os.path.lexists(os.path.join(directory, name))]
    if there:
        names = ", ".join(printable(os.path.join(directory, name)) for name in there)
        raise UsageError(f"{names}: is there already, and nothing is overwritten")
    page = Page()
    os.makedirs(directory, exist_ok=True)
    for name in _written(directory, template.files):
        page.sentence(f"wrote {name}", kind="good", mark="wrote")
    page.sentence(_named(directory, template), kind="good", mark="wrote")
    page.line()
    for line in template.then:
        page.line(line)
    return 0


def _asked(words: list[str]) -> tuple[str, str]:
    if not 1 <= len(words) <= 2 or words[0] not in TEMPLATES:
        kinds = ", ".join(TEMPLATES)
        close = get_close_matches(words[0], TEMPLATES, 1) if words else []
        meant = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(
            f"name what kind of application it is ({kinds}), then a directory, if any{meant}"
        )
    return words[0], words[1] if len(words) == 2 else os.curdir


def _written(directory: str, files: Mapping[str, str]) -> list[str]:
    names: list[str] = []
    for name, text in files.items():
        path = os.path.join(directory, name)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
        names.append(printable(os.path.normpath(path)))
    return names


def _named(directory: str, template: Template) -> str:
    """Name the engine in pyproject.toml, unless that has our section already."""
    path = os.path.join(directory, "pyproject.toml")
    shown = printable(os.path.normpath(path))
    section = f'{_SECTION}\napp = "{template.app}"\n'
    try:
        with open(path, encoding="utf-8") as file:
            before = file.read()
    except FileNotFoundError:
        before = ""
    if _SECTION in before:
        return f"left {shown} as it is: it has {_SECTION} already"
    with open(path, "a", encoding="utf-8") as file:
        file.write(("\n" if before.endswith("\n") else "\n\n") * bool(before) + section)
    return f"wrote {_SECTION} into {shown}"

"""The configuration that the rig's apps run on, and the ways to write it.

Each number stands for one whole configuration, so that a response tells which one it was made from.
"""

import os
from pathlib import Path

__all__ = ["CANARY", "NESTED", "replace", "text", "write"]

CANARY = "canary-7f3b9c"
"""A value that no log, status, error or repr may ever show."""

NESTED = """\
name: shop
hosts: [a, b]
labels: [x, y]
limits: {low: 1, high: 2}
deep:
  - rules: [{when: now, then: [1, 2]}]
"""
"""A configuration with containers of each kind, inside each other."""


def text(number: int, *, pool: int | None = None, note: str = "") -> str:
    """Return the YAML of a configuration; the resource is built from `pool` alone.

    `end` tells a file that was cut, though most prefixes of this one parse.
    """
    return (
        f"number: {number}\n"
        f"note: '{note}'\n"
        "pool:\n"
        f"  number: {number if pool is None else pool}\n"
        f"  password: {CANARY}\n"
        f"end: {number}\n"
    )


def write(path: Path, content: str) -> None:
    """Truncate and write in place, in one go, as a shell's `>` does."""
    path.write_text(content)


def replace(path: Path, content: str) -> None:
    """Write beside the file and rename over it, as careful writers do."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(content)
    os.replace(beside, path)

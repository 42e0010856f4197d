"""What a doctor's document says, by check; and a volume as Kubernetes projects one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).parents[2]
Said: TypeAlias = Mapping[str, tuple[str, str]]


def findings(document: Any, group: int = 0) -> Said:
    """Return level and sentence by check, of a source or, last, of the machine."""
    found = document["groups"][group]["findings"]
    assert len({one["check"] for one in found}) == len(found)
    assert all((one["remedy"] is None) == (one["level"] == "pass") for one in found)
    return {one["check"]: (one["level"], one["said"]) for one in found}


def doubts(said: Said) -> list[str]:
    """Return the checks that are not passed."""
    return [check for check, (level, _) in said.items() if level != "pass"]


PROJECTION = """
import os
def volume(directory, text, generation):
    os.makedirs(directory, exist_ok=True)
    os.mkdir(os.path.join(directory, generation))
    with open(os.path.join(directory, generation, "app.yaml"), "w") as file:
        file.write(text)
    os.symlink(generation, os.path.join(directory, "..data_tmp"))
    os.rename(os.path.join(directory, "..data_tmp"), os.path.join(directory, "..data"))
    if not os.path.lexists(os.path.join(directory, "app.yaml")):
        os.symlink("..data/app.yaml", os.path.join(directory, "app.yaml"))
"""

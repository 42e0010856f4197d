"""The doors beside the front door: what users import from `policy`, `trial` and `stores`."""

import subprocess
import sys
from importlib import import_module

import pytest

from tests.support.servers import ROOT

DOORS = {
    "reloadcheck.policy": {"Contract"},
    "reloadcheck.trial": {"Judge", "Trial"},
    "reloadcheck.stores": {"EtcdStore", "SQLiteStore"},
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_gives_all_that_it_names(door: str) -> None:
    """Each name of `__all__` is there; another one is an AttributeError that says so."""
    module = import_module(door)
    assert set(module.__all__) >= DOORS[door]
    assert [name for name in module.__all__ if getattr(module, name, None) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing


def test_the_doors_alone_load_nothing_behind_them() -> None:
    """Who imports them pays for what they name, and for nothing else."""
    program = f"""
import sys, {", ".join(DOORS)}
print(*(one for one in sys.modules if one.startswith({tuple(f"{door}." for door in DOORS)})))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "door", ["reloadcheck", "reloadcheck.orders", "reloadcheck.testing", *DOORS]
)
def test_the_reference_has_each_public_name(door: str) -> None:
    """What is not in the reference is private, so nothing public is left out of it."""
    reference = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    errors = "automodule:: reloadcheck.exceptions" in reference
    module, tree = import_module(door), import_module("reloadcheck.exceptions")
    told = {line.rpartition(":: ")[2] for line in reference.splitlines() if ":: " in line}
    missing = [one for one in module.__all__ if not {f"{door}.{one}", f"reloadcheck.{one}"} & told]
    assert [name for name in missing if not (errors and hasattr(tree, name))] == []

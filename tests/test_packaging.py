"""What is declared about the package is true: versions, extras, Pythons, parts of the CI run."""

import re
import subprocess
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.rig.servers import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared() -> dict[str, Requirement]:
    """Return each requirement of the package and of its extras, by how it is written."""
    extras: dict[str, list[str]] = PROJECT["optional-dependencies"]
    written = [*PROJECT["dependencies"], *(one for extra in extras.values() for one in extra)]
    return {one: Requirement(one) for one in written if not one.startswith("reloadcheck[")}


def tried() -> dict[str, Version]:
    """Return the version of each library that the constraints name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.partition(" ;")[0].split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pins}


@pytest.mark.parametrize("written", declared())
def test_what_is_declared_was_tried(written: str) -> None:
    """Each library of ours has a version in the constraints, and it is one that we allow."""
    requirement = declared()[written]
    assert requirement.specifier.contains(tried()[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("written", declared())
def test_what_is_declared_has_a_floor(written: str) -> None:
    """Each library of ours has a lowest version, which the CI run installs and tries."""
    operators = {one.operator for one in declared()[written].specifier}
    assert operators == {">="}


def test_the_readme_installs_what_was_tried() -> None:
    """Each command of the README that installs from a checkout does so under the constraints."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    installs = re.findall(r"pip install [^&\n]*-e [^&\n]*", readme)
    assert len(installs) >= 2
    assert [one for one in installs if "-c constraints.txt" not in one] == []


def test_the_parts_of_the_ci_run_are_named() -> None:
    """Every part can be run by its name, and one that does not exist is refused."""
    parts = subprocess.run(
        [ROOT / ".ci/run", "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    defined = re.findall(r"^part_([\w.]+)\(\)", (ROOT / ".ci/run").read_text(), re.M)
    assert sorted(parts) == sorted(defined)
    refused = subprocess.run(
        [ROOT / ".ci/run", "lnit"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no part is called lnit" in refused.stderr

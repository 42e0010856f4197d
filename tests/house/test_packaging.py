"""What is declared about the package is true: versions, extras, Pythons, parts of the CI run."""

import re
import subprocess
import sys
import tarfile
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.servers import ROOT

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


def test_each_python_that_we_name_is_tried() -> None:
    """The classifiers name the Pythons that the CI run knows, from the lowest on."""
    named = re.findall(r"Python :: (3\.\d+)\b", "\n".join(PROJECT["classifiers"]))
    assert named == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == f">={named[0]}"
    run = (ROOT / ".ci/run").read_text()
    assert [version for version in named[1:] if version not in run] == []


def test_the_metadata_say_where_to_go() -> None:
    """Who has the package alone finds its pages, its source, and where to tell what is wrong."""
    urls: dict[str, str] = PROJECT["urls"]
    assert set(urls) >= {"Documentation", "Changelog", "Source", "Issues", "Security"}
    assert [url for url in urls.values() if not url.startswith("https://")] == []


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build a source distribution and return the files in it."""
    place = tmp_path_factory.mktemp("sdist")
    build = "import sys, hatchling.build as it; it.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, place], cwd=ROOT, check=True, capture_output=True)
    (archive,) = place.iterdir()
    with tarfile.open(archive) as opened:
        return {name.partition("/")[2] for name in opened.getnames()}


def test_a_source_distribution_is_enough_to_carry_on(contents: set[str]) -> None:
    """Who has it has the licence, the tests, the documentation and how to run them."""
    for path in (
        *("LICENSE", "CONTRIBUTING.md", "SECURITY.md", "constraints.txt", ".ci/run"),
        ".pre-commit-hooks.yaml",
    ):
        assert path in contents
    written = [
        str(path.relative_to(ROOT))
        for directory in ("reloadcheck", "tests", "examples", "docs")
        for path in (ROOT / directory).rglob("*")
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".json"} and "_build" not in path.parts
    ]
    assert len(written) > 400
    assert [path for path in written if path not in contents] == []


def test_the_licence_is_said_once_and_the_same() -> None:
    """The metadata name by SPDX the licence whose text is beside it."""
    assert (PROJECT["license"], PROJECT["license-files"]) == ("BSD-3-Clause", ["LICENSE"])
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("BSD 3-Clause License\n")
    assert "the reloadcheck authors" in text

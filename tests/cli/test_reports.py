"""`validate --output-format`: what GitHub, code scanners and build servers read."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Run

CANARY = "c4n4ry-of-this-test"


@pytest.fixture
def broken(here: Path, app: str) -> str:
    """A configuration with an error and a warning, in a file with a hostile name."""
    (here / "a,b%c:d.yaml").write_text(f"greeting: {CANARY}\ndatabase: [{CANARY}]\ndebug: no\n")
    return "a,b%c:d.yaml"


def test_github_shows_it_beside_the_line(run: Run, broken: str) -> None:
    """A workflow command for each problem; what would end or forge one is escaped."""
    done = run("validate", broken, "--app", "service:live", "--output-format", "github")
    assert (done.status, done.err) == (1, "")
    name = "file=a%2Cb%25c%3Ad.yaml"
    assert any(line.startswith(f"::error {name},line=2,col=11,title=") for line in done.lines)
    assert any(line.startswith(f"::warning {name},line=3,col=8,title=") for line in done.lines)
    assert all(line.startswith(("::error ", "::warning ")) for line in done.lines)
    assert CANARY not in done.out


def test_sarif_is_what_scanners_read(run: Run, broken: str) -> None:
    """Version, rules with what to do, and each result at its place."""
    done = run("validate", broken, "--app", "service:live", "--output-format", "sarif")
    report = json.loads(done.out)
    assert (done.status, report["version"]) == (1, "2.1.0")
    (one,) = report["runs"]
    rules = [rule["id"] for rule in one["tool"]["driver"]["rules"]]
    assert "schema" in rules
    for result in one["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "a%2Cb%25c%3Ad.yaml"
        assert place["physicalLocation"]["region"]["startLine"] > 1
    assert {result["level"] for result in one["results"]} == {"error", "warning"}
    assert CANARY not in done.out


def test_junit_is_what_build_servers_show(run: Run, here: Path, broken: str) -> None:
    """A case for each file, the good ones too; a warning fails none."""
    words = ("--app", "service:live", "--output-format", "junit")
    done = run("validate", "base.yaml", broken, *words)
    suite = ElementTree.fromstring(done.out)[0]
    assert (suite.get("tests"), suite.get("failures"), done.status) == ("2", "1", 1)
    failed = {case.get("name"): case.find("failure") for case in suite}
    assert {"base.yaml": True, broken: False} == {
        str(name): found is None for name, found in failed.items()
    }
    assert CANARY not in done.out


@pytest.mark.parametrize("kind", ["github", "sarif", "junit", "json", "text"])
def test_what_is_good_is_good_in_every_format(run: Run, here: Path, kind: str) -> None:
    """Status 0, no problem in it, and still a whole document."""
    (here / "good.yaml").write_text("a: 1\n")
    done = run("validate", "good.yaml", "--output-format", kind)
    assert (done.status, done.err) == (0, "")
    assert "error" not in done.out
    assert (kind == "github") == (done.out == "")

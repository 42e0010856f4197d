"""`validate --overrides` and `--each`: layers drawn, and files that are none of one another."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run
from tests.support.servers import ROOT


@pytest.fixture
def layers(here: Path) -> list[str]:
    """Three layers that set some of the same keys."""
    (here / "base.yaml").write_text("a: 1\nb: {c: 1, d: 1}\ne: 1\n")
    (here / "region.yaml").write_text("b: {c: 2}\n")
    (here / "local.yaml").write_text("b: {c: 3}\ne: null\n")
    return ["base.yaml", "region.yaml", "local.yaml"]


def test_every_key_that_several_layers_set_is_drawn(run: Run, layers: list[str]) -> None:
    """What wins stands first, then all that it overrides; no value is shown; it is no warning."""
    done = run("validate", *layers, "--overrides", "--strict")
    assert done.status == 0
    assert done.lines == [
        "OK: base.yaml, region.yaml, local.yaml can be used",
        "",
        "b.c",
        "  sets it     local.yaml:1:8",
        "  overridden  region.yaml:1:8",
        "  overridden  base.yaml:2:8",
        "e",
        "  sets it     local.yaml:2:4",
        "  overridden  base.yaml:3:4",
    ]
    told = run("validate", *layers, "--overrides", "--json").document
    assert [(one["key_path"], len(one["layers"])) for one in told["overrides"]] == [
        ("b.c", 3),
        ("e", 2),
    ]
    assert told["overrides"][0]["layers"][0] == {"path": "local.yaml", "line": 1, "column": 8}


def test_without_overrides_it_says_so(run: Run, layers: list[str]) -> None:
    """One layer overrides nothing; without the option they are warnings, as before."""
    assert "no key is set by more than one layer" in run("validate", layers[0], "--overrides").out
    done = run("validate", *layers)
    assert done.out.count("is overridden by local.yaml") == 3
    assert "overrides" not in run("validate", *layers, "--json").document


def test_each_file_for_itself(run: Run, here: Path) -> None:
    """As a hook is given changed files: none is laid over another, one bad one fails."""
    (here / "a.yaml").write_text("a: 1\n")
    (here / "b.yaml").write_text("a: [1]\n")
    assert "overridden" not in run("validate", "--each", "a.yaml", "b.yaml").out
    assert run("validate", "--each", "a.yaml", "b.yaml", "--strict").status == 0
    (here / "b.yaml").write_text("a: [\n")
    done = run("validate", "--each", "a.yaml", "b.yaml")
    assert (
        done.status, "OK: a.yaml can be used" in done.out, "FAILED: b.yaml" in done.out,
    ) == (1, True, True)  # fmt: skip
    told = run("validate", "--each", "a.yaml", "b.yaml", "--json").document
    assert (told["ok"], [one["ok"] for one in told["configurations"]]) == (False, [True, False])


WHO = ("-c", "user.name=dora", "-c", "user.email=dora@example.test")


def test_the_hooks_run(run: Run, here: Path) -> None:
    """What pre-commit is told to run is a command line of ours."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (here / "a.yaml").write_text("a: 1\n")
    for words in (["init", "-q"], ["add", "."], [*WHO, "commit", "-qm", "a"]):
        subprocess.run(["git", *words], check=True)
    for hook in hooks:
        name, *words = hook["entry"].split()
        assert (name, run(*words, "a.yaml").status) == ("reloadcheck", 0)

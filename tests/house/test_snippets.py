"""What README, docs and examples show besides Python: it parses, and says what exists.

Commands are read by a shell and by our own parser, manifests by whoever takes such a file.
"""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from reloadcheck import cli
from reloadcheck.cli._arguments import parser_of
from reloadcheck.cli._project import project_of
from reloadcheck.policy.contract import terms_of
from tests.support.pages import PAGES
from tests.support.servers import ROOT

TEXTS: Final = {
    **PAGES,
    **{
        str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
        for file in [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "examples").rglob("*.md"))]
    },
}


def blocks(language: str) -> dict[str, str]:
    """Return what stands on the pages in one language, by page and line."""
    return {
        f"{name}:{text.count(chr(10), 0, found.start(1)) + 1}": found[1]
        for name, text in TEXTS.items()
        for found in re.finditer(rf"```{language}\n(.*?)```", text, re.S)
    }


SHELL: Final = blocks("sh")
YAML: Final = blocks("yaml")
HOOKS: Final = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
ENDS: Final = ("|", "&&", ";", ">", ">>")


def shown(title: str) -> str:
    """Return all that the pages show of one file, in their order."""
    found = [text for text in YAML.values() if text.startswith(f"# {title}")]
    assert found
    return "".join(found)


def commands(text: str) -> Iterator[list[str]]:
    """Return each call of ours in a piece of shell."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        for at, word in enumerate(words):
            before = words[at - 1] if at else ""
            if before == "manage.py" or word not in ("reloadcheck", ".venv/bin/reloadcheck"):
                continue
            if "install" in words[:at]:  # the package, and not the command
                continue
            rest = words[at + 1 :]
            yield rest[: min((rest.index(one) for one in ENDS if one in rest), default=len(rest))]


def parsed(words: list[str]) -> None:
    """Have the parser take a call; it leaves where it does not."""
    try:
        parser_of().parse_args(words)
    except SystemExit as left:
        pytest.fail(f"reloadcheck {shlex.join(words)}: status {left.code}")


@pytest.mark.parametrize("where", SHELL)
def test_a_shell_takes_the_commands(where: str) -> None:
    """They are pasted as they stand; each call of ours has the options that it names."""
    done = subprocess.run(
        ["bash", "-n"], input=SHELL[where], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for words in commands(SHELL[where]):
        parsed(words)


def test_calls_are_found_on_the_pages() -> None:
    """What stands behind a variable, a directory, a pipe or a manage.py is looked at as well."""
    found = {words[0] for text in SHELL.values() for words in commands(text)}
    assert {"validate", "diff", "doctor", "status", "history", "approve", "override"} <= found


@pytest.mark.parametrize("where", YAML)
def test_yaml_is_yaml(where: str) -> None:
    """Also what a template will make of it."""
    text = re.sub(r"^ *\{\{-.*\}\}\n", "", YAML[where], flags=re.M)
    text = re.sub(r"\{\{ *\.[\w.]+ *\}\}", "release", text)
    assert "{{" not in text
    assert yaml.safe_load(text) is not None or text.startswith("# yaml-language-server")


@pytest.mark.parametrize("where", blocks("toml"))
def test_toml_names_options_that_exist(where: str, tmp_path: Path) -> None:
    """A project that says so is understood by the command line."""
    text = blocks("toml")[where]
    (tmp_path / "pyproject.toml").write_text(text)
    said = tomllib.loads(text)["tool"]["reloadcheck"]
    (tmp_path / said["app-dir"]).mkdir()
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        project = project_of(None, None)
    finally:
        os.chdir(before)
    assert project.app == said["app"]
    assert str(tmp_path / said["app-dir"]) in project.directories


def test_the_hooks_of_pre_commit_exist() -> None:
    """What the page asks for is offered, as pre-commit wants it, with options that exist."""
    offered = {hook["id"]: hook for hook in HOOKS}
    assert all({"id", "name", "entry", "language"} <= {*hook} for hook in HOOKS)
    (repository,) = yaml.safe_load(shown(".pre-commit-config.yaml"))["repos"]
    assert {*repository} == {"repo", "rev", "hooks"}
    assert [one["id"] for one in repository["hooks"]] == [*offered]
    for one in repository["hooks"]:
        words = [*shlex.split(offered[one["id"]]["entry"]), *one.get("args", ()), "config.yaml"]
        parsed(words[1:])


def test_the_contract_on_the_page_is_one(tmp_path: Path) -> None:
    """Its two parts are one file, and nothing in it is unknown."""
    text = shown("contract.yaml")
    people = yaml.safe_load(text)["roles"].values()
    signers = "".join(f"{one} ssh-ed25519 AAAA\n" for role in people for one in role)
    (tmp_path / "allowed_signers").write_text(signers)
    terms = terms_of(text.encode(), str(tmp_path / "contract.yaml"))
    assert terms.service == "shop"


def test_the_compose_file_on_the_page_is_the_examples() -> None:
    """Nothing that the page shows is otherwise in the file."""
    (page,) = yaml.safe_load(shown("compose.yaml"))["services"].values()
    file = yaml.safe_load((ROOT / "examples/container/compose.yaml").read_text())
    (service,) = file["services"].values()
    assert {name: service[name] for name in page} == page


def test_a_pod_on_the_pages_is_the_examples() -> None:
    """What deploying, Kustomize and Helm show agrees with the manifests that are run in a test."""
    (deployment,) = [
        one
        for one in yaml.safe_load_all((ROOT / "examples/kubernetes/deployment.yaml").read_text())
        if one["kind"] == "Deployment"
    ]
    pod: dict[str, Any] = deployment["spec"]["template"]["spec"]
    (text,) = [text for text in YAML.values() if text.startswith("spec:\n  enableServiceLinks")]
    page: dict[str, Any] = yaml.safe_load(text)["spec"]
    (ours,), (theirs,) = page["containers"], pod["containers"]
    assert page["enableServiceLinks"] is pod["enableServiceLinks"] is False
    assert [one for one in ours["volumeMounts"] if one not in theirs["volumeMounts"]] == []
    for probe in ("readinessProbe", "livenessProbe"):
        assert ours[probe]["httpGet"]["path"] == theirs[probe]["httpGet"]["path"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl")
def test_kustomize_builds_the_example() -> None:
    """The real one makes the manifests, without a hash in a name."""
    command = ["kubectl", "kustomize", str(ROOT / "examples/kubernetes")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    made = {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}
    assert {"ConfigMap", "Secret", "Deployment"} <= {*made}
    assert made["ConfigMap"]["metadata"]["name"] == "orders"


@pytest.mark.parametrize("file", sorted((ROOT / "examples/ci").glob("*.yaml")))
def test_a_workflow_calls_what_exists(file: Path) -> None:
    """Each of its steps is one that a shell and the command line take."""
    workflow = yaml.safe_load(file.read_text())
    assert {"name", "permissions", "jobs"} <= {*workflow}
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps"} <= {*job}
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])
        for step in job["steps"]:
            for words in commands(step.get("run", "")):
                parsed(words)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_read_by_their_shell(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By bash where theirs is missing: both are written in what the three have in common."""
    assert cli.main(["completion", shell]) == 0
    text = capsys.readouterr().out
    program = shell if shutil.which(shell) else "bash"
    done = subprocess.run([program, "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if shell == "fish":
        assert {shlex.split(line)[:3][-1] for line in text.splitlines()} == {"reloadcheck"}

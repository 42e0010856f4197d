"""`reloadcheck diff --git REV FILE…`: what changed files would do, for hooks and CI."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.shop import CONFIG, edit, shop, signers

__all__ = ["shop", "signers"]

APP = ("--app", "service:live")


def git(*words: str) -> None:
    """Run git as somebody."""
    who = ("-c", "user.name=dora", "-c", "user.email=dora@example.test")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


@pytest.fixture
def repository(shop: Path) -> Path:
    """The shop's directory, committed."""
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "the shop")
    return shop


def test_each_changed_file_is_compared_with_its_revision(run: Run, repository: Path) -> None:
    """As the application's own file, with what would be rebuilt, asked and waited for."""
    edit(repository, "level: INFO", "level: WARNING")
    done = run("diff", "--git", "HEAD", "config.yaml", *APP)
    assert done.status == 4
    told = " ".join(done.out.split())
    assert told.startswith('config.yaml since HEAD: ~ log.level: "INFO" -> "WARNING"')
    assert "log.level: its window 'never' is closed" in told
    assert run("diff", "--git", "HEAD", "config.yaml", *APP, "--may-wait").status == 0


def test_what_is_refused_fails_whatever_may_wait(run: Run, repository: Path) -> None:
    """Status 1 of one file is the status of all."""
    (repository / "other.yaml").write_text("a: 1\n")
    git("add", ".")
    edit(repository, "pool_max: 20", "pool_max: [")
    done = run("diff", "--git", "HEAD", "other.yaml", "config.yaml", "--may-wait", *APP)
    assert done.status == 1
    assert "other.yaml is new since HEAD" in done.out
    assert "FAILED: nothing can be compared" in done.out


def test_as_json_each_file_has_an_entry(run: Run, repository: Path) -> None:
    """With what is said of any two files."""
    edit(repository)
    (repository / "other.yaml").write_text("a: 1\n")
    document = run("diff", "--git", "HEAD", "config.yaml", "other.yaml", *APP, "--json").document
    assert document["ok"]
    edited, new = document["edits"]
    assert new == {"file": "other.yaml", "ok": True, "new": True}
    assert edited["file"] == "config.yaml"
    assert [one["key_path"] for one in edited["changes"]] == ["database.pool_max"]
    assert edited["verdict"]["approvals"] == [
        {"key_path": "database.pool_max", "roles": ["dba", "architect"]}
    ]


def test_in_a_directory_of_the_repository(
    run: Run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are those of the working directory; without an application keys alone are compared."""
    inner = repository / "deploy"
    inner.mkdir()
    (inner / "base.yaml").write_text(CONFIG)
    git("add", ".")
    git("commit", "-qm", "more")
    (inner / "base.yaml").write_text(CONFIG.replace("20", "21"))
    monkeypatch.chdir(inner)
    done = run("diff", "--git", "HEAD", "base.yaml", "--no-app")
    assert (done.status, done.lines[-1]) == (0, "~ database.pool_max: 20 -> 21")


def test_mistakes(run: Run, repository: Path) -> None:
    """No file, no such revision, an option for one."""
    for words, said in (
        (("--git", "HEAD"), "name the changed files"),
        (("--git", "nowhere", "config.yaml"), "nowhere"),
        (("--git", "--help", "config.yaml"), "--git"),
    ):
        done = run("diff", *words)
        assert done.status == 2
        assert said in done.err

"""`doctor` on real file systems and limits: each finding right, none invented."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

from .doctoring import PROJECTION, doubts, findings


def kind_of(path: Path) -> str:
    """Ask another program for the type of the file system."""
    command = ["findmnt", "-n", "-o", "FSTYPE", "-T", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]


def test_a_clean_directory_gets_no_doubt(run: Run, config: Path) -> None:
    """Of a plain file in a temporary directory nothing is doubted but what is so."""
    done = run("doctor", "config.yaml", "--json")
    said = findings(done.document)
    kind = kind_of(config)
    assert ["file system"] * (kind == "overlay") == doubts(said)
    assert said["file system"][1].startswith(f"{kind}, mounted at /")
    assert said["file"] == ("pass", "a file of 5 bytes, readable")
    assert said["links"] == ("pass", "none on the way")
    assert "measured" in said["time stamps"][1]
    assert (done.status, done.document["ok"]) == (0, True)
    assert [config.name] == [path.name for path in config.parent.iterdir()]


def test_this_machine_gets_no_doubt_that_is_not_so(run: Run, config: Path) -> None:
    """Python, packages, limits: as the test run needs them. Watching is others' doing."""
    machine = findings(run("doctor", "config.yaml", "--json").document, -1)
    assert [check for check in doubts(machine) if not check.startswith("inotify")] == []
    assert "pyyaml" in machine["packages"][1]
    assert {"options", "open files", "tasks", "systemd", "python", "yaml"} < set(machine)


def test_tmpfs_is_fine(run: Run, here: Path) -> None:
    """A file in shared memory is as good as any."""
    path = Path("/dev/shm") / f"reloadcheck-{os.getpid()}.yaml"
    path.write_text("a: 1\n")
    try:
        said = findings(run("doctor", str(path), "--json").document)
    finally:
        path.unlink()
    assert said["file system"] == ("pass", "tmpfs, mounted at /dev/shm")
    assert doubts(said) == []


def test_what_everybody_may_write_is_named(run: Run, config: Path) -> None:
    """The file, its directory, a directory above it; a sticky directory lets nobody replace it."""
    inner = config.parent / "inner" / "deep"
    inner.mkdir(parents=True)
    path = inner / "config.yaml"
    path.write_text("a: 1\n")

    def said() -> tuple[str, str]:
        found = findings(run("doctor", "inner/deep/config.yaml", "--json").document)
        assert set(doubts(found)) <= {"writable", "file system"}
        return found["writable"]

    assert said()[0] == "pass"
    for culprit, mode in ((path, 0o666), (inner, 0o777), (inner.parent, 0o777)):
        before = culprit.stat().st_mode
        culprit.chmod(mode)
        assert said() == ("warn", f"by everybody: {culprit.relative_to(config.parent)}")
        culprit.chmod(before)
    inner.chmod(0o1777)
    assert said()[0] == "pass"


def test_a_directory_of_keys_is_looked_at_inside(run: Run, here: Path) -> None:
    """One file that everybody may write is enough; in a sticky directory anybody may add a key."""
    keys = here / "keys"
    (keys / "database").mkdir(parents=True)
    (keys / "database" / "password").write_text("x")
    said = findings(run("doctor", "keys", "--json").document)
    assert said["file"] == ("pass", "a file of 1 bytes, readable")
    assert said["writable"][0] == "pass"
    (keys / "database" / "password").chmod(0o666)
    said = findings(run("doctor", "keys", "--json").document)
    assert said["writable"] == ("warn", "by everybody: keys/database/password")
    (keys / "database" / "password").chmod(0o600)
    keys.chmod(0o1777)
    assert findings(run("doctor", "keys", "--json").document)["writable"][0] == "warn"


def test_links_are_followed_to_their_end(run: Run, config: Path) -> None:
    """Each link on the way and where it leads; a link that leads nowhere is broken."""
    here = config.parent
    (here / "real").mkdir()
    (here / "dir").symlink_to("real")
    (here / "real" / "c.yaml").symlink_to(config)
    said = findings(run("doctor", "dir/c.yaml", "--json").document)
    assert said["links"] == (
        "pass",
        f"{here}/dir -> real, {here}/real/c.yaml -> {config}; it leads to {config}",
    )
    config.unlink()
    done = run("doctor", "dir/c.yaml", "--json")
    assert doubts(findings(done.document)) == ["file", "links"]
    assert done.status == 1


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.unlink, "does not exist"),
        (partial(Path.write_text, data=""), "is empty"),
        (partial(Path.write_text, data="#" * 5_000_000), "is larger than max_bytes"),
        (_fifo, "is a FIFO, not a file"),
    ],
    ids=["missing", "empty", "too large", "a FIFO"],
)
def test_what_cannot_be_read_is_broken(
    run: Run, config: Path, make: Callable[[Path], object], words: str
) -> None:
    """Status 1, the reason and a remedy; nothing hangs."""
    make(config)
    done = run("doctor", "config.yaml")
    assert done.status == 1
    assert words in " ".join(done.out.split())
    assert "1 fail" in done.lines[-1]


def test_a_config_map_is_known_and_fine(run: Run, here: Path) -> None:
    """The file of a projected volume, and the volume as a directory of keys."""
    names: dict[str, Any] = {}
    exec(PROJECTION, names)
    names["volume"](str(here / "vol"), "a: 1\n", "..2026_11_20_10_00_00.123")
    (here / "vol").chmod(0o755)
    (here / "vol" / "..2026_11_20_10_00_00.123").chmod(0o755)
    for word in ("vol/app.yaml", "vol"):
        said = findings(run("doctor", word, "--json").document)
        assert ["file system"] * (kind_of(here) == "overlay") == doubts(said)
        level, sentence = said["projection"]
        assert level == "pass"
        assert sentence.endswith("now ..2026_11_20_10_00_00.123")


def test_what_a_platform_put_beside_the_secrets_is_named(run: Run, here: Path) -> None:
    """A service account is not taken; one line says so, and how to name what is."""
    (here / "secrets" / "kubernetes.io").mkdir(parents=True)
    (here / "secrets" / "kubernetes.io" / "token").write_text("canary")
    (here / "secrets" / "password").write_text("canary")
    said = findings(run("doctor", "secrets", "--json").document)
    assert said["left out"] == (
        "pass",
        "kubernetes.io: put there by the platform, not taken; only=[…] names what alone is taken",
    )
    (here / "other").mkdir()
    (here / "other" / "password").write_text("canary")
    assert "left out" not in findings(run("doctor", "other", "--json").document)


def test_the_output_is_for_reading(run: Run, config: Path) -> None:
    """Checks in a column, remedies below, a summary last; 80 columns."""
    config.chmod(0o666)
    done = run("doctor", "config.yaml")
    assert done.lines[0] == "config.yaml"
    assert any(line.startswith("  warn  writable ") for line in done.lines)
    assert "-> chmod o-w config.yaml" in done.out
    assert "this machine" in done.lines
    assert " warn" in done.lines[-1]
    assert done.status == 0


def test_an_application_gives_its_files_and_options(run: Run, here: Path, app: str) -> None:
    """Each of its files is looked at; that it is switched off is doubtful."""
    document = run("doctor", "--app", app, "--json").document
    assert [g["name"] for g in document["groups"]] == ["base.yaml", "local.yaml", "this machine"]
    (here / "broken.py").write_text(
        "from reloadcheck import ReloadCheck\n"
        "live = ReloadCheck('base.yaml', enabled=False, verify=None)\n"
    )
    document = run("doctor", "--app", "broken:live", "--json").document
    found = [one for one in document["groups"][-1]["findings"] if one["check"] == "options"]
    assert [one["level"] for one in found] == ["warn", "warn"]


def test_nothing_to_look_at_is_wrong_usage(run: Run) -> None:
    """A file, or an application, has to be named."""
    assert run("doctor").status == 2

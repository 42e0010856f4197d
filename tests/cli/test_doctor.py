"""`doctor` on real file systems, mounts and limits: each finding right, none invented.

Long because each finding needs a file system, mount or limit that has it.
"""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.cli.conftest import Run
from tests.hazards.rig import namespace

ROOT = Path(__file__).parents[2]
Said: TypeAlias = Mapping[str, tuple[str, str]]


def findings(document: Any, group: int = 0) -> Said:
    """Give level and sentence by check, of a source or, last, of the machine."""
    found = document["groups"][group]["findings"]
    assert len({one["check"] for one in found}) == len(found)
    assert all((one["remedy"] is None) == (one["level"] == "pass") for one in found)
    return {one["check"]: (one["level"], one["said"]) for one in found}


def doubts(said: Said) -> list[str]:
    """Give the checks that are not passed."""
    return [check for check, (level, _) in said.items() if level != "pass"]


def kind_of(path: Path) -> str:
    """Ask another program for the type of the file system."""
    command = ["findmnt", "-n", "-o", "FSTYPE", "-T", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]


@pytest.fixture
def config(here: Path) -> Path:
    """An ordinary file in a directory of ours."""
    here.chmod(0o755)
    path = here / "config.yaml"
    path.write_text("a: 1\n")
    path.chmod(0o644)
    return path


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


MOUNTS = (
    PROJECTION
    + """
import io, json, subprocess, sys
from contextlib import redirect_stdout
from reloadcheck.cli import main

base = sys.argv[1]
def path(*parts): return os.path.join(base, *parts)
def mount(*words): subprocess.run(["mount", *words], check=True)
def write(name, text="a: 1\\n"):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    with open(path(name), "w") as file:
        file.write(text)
    return path(name)
def doctor(name):
    told = io.StringIO()
    with redirect_stdout(told):
        status = main(["doctor", path(name), "--json"])
    return [status, json.loads(told.getvalue())]

os.umask(0o022)
mount("-t", "tmpfs", "-o", "mode=755", "none", base)
write("host/config.yaml"), write("inside/config.yaml")
mount("--bind", path("host/config.yaml"), path("inside/config.yaml"))
seen = {"a file alone": doctor("inside/config.yaml")}
os.replace(write("host/config.new"), path("host/config.yaml"))
seen["replaced outside"] = doctor("inside/config.yaml")

write("host/dir/config.yaml"), write("inside2/x")
mount("--bind", path("host/dir"), path("inside2"))
seen["a directory"] = doctor("inside2/config.yaml")

volume(path("pod/volumes/config"), "a: 1\\n", "..2026_11_20_10_00_00.123")
write("etc/app/app.yaml"), write("etc/whole/x"), write("etc/part/x")
mount("--bind", path("pod/volumes/config/app.yaml"), path("etc/app/app.yaml"))
mount("--bind", path("pod/volumes/config"), path("etc/whole"))
mount("--bind", path("pod/volumes/config/..data"), path("etc/part"))
seen["a subPath"] = doctor("etc/app/app.yaml")
seen["a whole volume"] = doctor("etc/whole/app.yaml")
seen["a directory as subPath"] = doctor("etc/part/app.yaml")

def overlay(name, point):
    for part in ("lower", "upper", "work"):
        os.makedirs(path(name, part))
    os.makedirs(point, exist_ok=True)
    write(f"{name}/lower/config.yaml")
    layers = (f"{layer}dir={path(name, layer)}" for layer in ("lower", "upper", "work"))
    mount("-t", "overlay", "overlay", "-o", ",".join((*layers, "userxattr")), point)
overlay("container", path("merged"))
seen["an overlay"] = doctor("merged/config.yaml")

overlay("hidden", path("etc/over/inner"))
write("host/above/inner/config.yaml")
mount("--bind", path("host/above"), path("etc/over"))
seen["over a hidden overlay"] = doctor("etc/over/inner/config.yaml")

write("open/config.yaml"), os.chmod(path("open"), 0o777), os.mkdir(path("closed"))
seen["open to all"] = doctor("open/config.yaml")
mount("--bind", path("open"), path("closed"))
mount("-o", "remount,bind,ro", path("closed"))
seen["open to all, mounted read-only"] = doctor("closed/config.yaml")
print(json.dumps(seen))
"""
)

PINNED = "pinned inode: it has been replaced outside"
EXPECTED: dict[str, tuple[int, dict[str, tuple[str, str]]]] = {
    "a file alone": (0, {"mount": ("warn", "the file alone is mounted")}),
    "replaced outside": (1, {"mount": ("fail", PINNED)}),
    "a directory": (0, {}),
    "a subPath": (1, {"mount": ("fail", "a subPath of a Kubernetes volume")}),
    "a whole volume": (0, {}),
    "a directory as subPath": (1, {"mount": ("fail", "a subPath of a Kubernetes volume")}),
    "an overlay": (0, {"file system": ("warn", "overlay, mounted at")}),
    "over a hidden overlay": (0, {}),
    "open to all": (0, {"writable": ("warn", "by everybody")}),
    "open to all, mounted read-only": (0, {}),
}


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the doctor said of each mount, in one mount namespace of its own."""
    base = tmp_path_factory.mktemp("mounts")
    seen: dict[str, Any] = json.loads(namespace(MOUNTS, str(base)))
    return seen


@pytest.mark.parametrize("case", EXPECTED)
def test_mounts_are_told_apart(mounted: dict[str, Any], case: str) -> None:
    """What is doubtful about a mount is said, and nothing else is."""
    status, document = mounted[case]
    expected_status, expected = EXPECTED[case]
    said = findings(document)
    assert expected.keys() == set(doubts(said)), said
    for check, (level, words) in expected.items():
        assert level == said[check][0]
        assert words in said[check][1]
    assert expected_status == status


def test_a_mounted_volume_is_known_as_a_projection(mounted: dict[str, Any]) -> None:
    """The generation that is there now is named; the measured steps are those of tmpfs."""
    said = findings(mounted["a whole volume"][1])
    assert said["projection"][1].endswith("now ..2026_11_20_10_00_00.123")
    assert said["file system"][1].startswith("tmpfs, mounted at ")
    said = findings(mounted["open to all, mounted read-only"][1])
    assert said["writable"] == ("pass", "by nobody: it is mounted read-only here")
    assert said["time stamps"][1].startswith("not measured")


INOTIFY = """
import ctypes, io, json, os, sys
from contextlib import redirect_stdout
from reloadcheck.cli import main

# The limit of this user namespace alone; that of the machine is left as it is.
with open("/proc/sys/user/max_inotify_instances", "w") as file:
    file.write("5")
libc = ctypes.CDLL(None)
held, seen = [], []
def doctor():
    told = io.StringIO()
    with redirect_stdout(told):
        status = main(["doctor", sys.argv[1], "--json"])
    seen.append([status, json.loads(told.getvalue())])
for count in (0, 3, 4, 5):
    while len(held) < count:
        held.append(libc.inotify_init1(0))
    doctor()
for descriptor in held:
    os.close(descriptor)
with open("/proc/sys/user/max_inotify_watches", "w") as file:
    file.write("2")
mine = libc.inotify_init1(0)
for directory in (b"/", b"/proc"):
    libc.inotify_add_watch(mine, directory, 2)
doctor()
print(json.dumps(seen))
"""


def test_inotify_is_counted_and_tried(config: Path) -> None:
    """None, some, most, all instances in use, then all watches: doubtful, never broken.

    What is held outside of this user namespace does not count in it.
    """
    elsewhere = ctypes.CDLL(None).inotify_init1(0)
    try:
        seen = json.loads(namespace(INOTIFY, str(config)))
    finally:
        os.close(elsewhere)
    told = [findings(document, -1) for _, document in seen]
    instances = [said["inotify instances"] for said in told]
    assert [level for level, _ in instances] == ["pass", "pass", "warn", "warn", "pass"]
    assert instances[0][1].startswith("0 of 5 in use by this user")
    assert instances[1][1].startswith("3 of 5 in use by this user, 3 of them in this control")
    assert instances[2][1].startswith("nearly used up: 4 of 5")
    assert instances[3][1].startswith("used up: 5 of 5")
    watches = [said["inotify watches"] for said in told]
    assert [level for level, _ in watches] == ["pass"] * 4 + ["warn"]
    assert watches[4][1].startswith("used up: 2 of 2")
    assert [status for status, _ in seen] == [0] * 5


INSIDE = """
import json, sys
from reloadcheck.cli import main
main(["doctor", sys.argv[1], "--json"])
"""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "without fork hooks"),
        (["--enable-threads", "--lazy-apps"], "each worker loads the application for itself"),
    ],
)
def test_inside_a_real_uwsgi_its_options_are_seen(
    config: Path, options: list[str], words: str
) -> None:
    """The server that pip installs lets threads run; how it forks is as it was told."""
    (config.parent / "inside.py").write_text(INSIDE)
    serve = "import sys, pyuwsgi; pyuwsgi.run(sys.argv[1:])"
    command = [sys.executable, "-c", serve, "--socket", "uwsgi.sock", "--disable-logging"]
    command += [*options, "--pyrun", "inside.py", "--pyargv", "config.yaml"]
    done = subprocess.run(
        command,
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # uWSGI makes one of both
        text=True,
        timeout=60,
        check=False,
    )
    start = done.stdout.find('{\n  "ok"')
    assert start >= 0, done
    document, _ = json.JSONDecoder().raw_decode(done.stdout[start:])
    level, said = findings(document, -1)["uwsgi"]
    assert (level, words in said) == ("pass", True), said


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

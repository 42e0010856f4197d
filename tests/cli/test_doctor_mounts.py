"""`doctor` in a mount namespace of its own: what is doubtful about each mount is said, no more."""

import json
from typing import Any

import pytest

from tests.hazards.rig import namespace

from .doctoring import PROJECTION, doubts, findings

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

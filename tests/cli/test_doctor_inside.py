"""`doctor` beside what uses a machine up, and inside a real uWSGI: it says what is so there."""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hazards.rig import namespace

from .doctoring import ROOT, findings

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

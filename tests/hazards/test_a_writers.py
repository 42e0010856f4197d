"""Writers that run beside the engine: in pieces, swapping a volume, replacing what is mounted.

Whatever a unit of work sees was written as a whole, and all of it at one time.

Long because each writer is a process or thread of its own, and is described beside what it does.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import DirectorySource, Document, FileSource, Layer, Outcome, Source, Stamp
from reloadcheck.sources import Disk
from reloadcheck.types import Origin, Pause
from tests.hazards.rig import Traffic, engine, logged, namespace
from tests.support.rig import until

SWAPS = int(os.environ.get("RELOADCHECK_SWAPS", "1500"))
"""How many generations a volume gets; the long form of the test is 10,000."""

NAMES = ("app.yaml", "flags.json", "limits.toml")

# Truncate and write, write in place, or rename over, in pieces with a gap between them.
WRITER = """
import os, sys, time
path, style, gap, rounds = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
for number in range(1, rounds + 1):
    text = f"number: {number}\\nagain: {number}\\n# {'x' * (number % 50)}\\nend: {number}\\n"
    target = path + ".new" if style == "rename" else path
    with open(target, "r+" if style == "in place" else "w") as file:
        for start in range(0, len(text), 7):
            file.write(text[start : start + 7])
            file.flush()
            time.sleep(gap)
        file.truncate()
    if style == "rename":
        os.rename(target, path)
    time.sleep(0.3 if number % (rounds // 3) == 0 else gap)
"""


@pytest.mark.parametrize(
    ("style", "gap"),
    [("truncate", 0.0), ("truncate", 0.001), ("truncate", 0.1), ("in place", 0.001),
     ("rename", 0.001)],
)  # fmt: skip
def test_what_is_served_was_written_whole(style: str, gap: float, tmp_path: Path) -> None:
    """With pieces less than `settle` apart no unit of work sees a file that nobody finished."""
    path = tmp_path / "app.yaml"
    path.write_text("number: 0\nagain: 0\nend: 0\n")
    rounds = 3 if gap == 0.1 else 15
    command = [sys.executable, "-S", "-c", WRITER, str(path), style, str(gap), str(rounds)]
    with engine(path, settle=0.2, window=0.01) as live, Traffic(live) as traffic:
        with subprocess.Popen(command) as writer:
            assert writer.wait(30) == 0
        until(lambda: live.check() is Outcome.UNCHANGED)
        assert live.snapshot.config.number == rounds
    torn = [c for c in traffic.configs if not c.get("number") == c.get("again") == c.get("end")]
    assert torn == []
    assert len(traffic.configs) >= 2


def test_an_emptied_file_never_replaces_the_last_good(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However long it stays empty; it is not an empty configuration, and comments are none."""
    path = tmp_path / "app.yaml"
    path.write_text("number: 1\n")
    with engine(path) as live:
        before = live.snapshot
        for content in ("", "\n", "# number: 2\n", "---\n"):
            path.write_text(content)
            assert live.check() is Outcome.DEFERRED
            assert live.snapshot is before
            assert "is empty" in (live.status().error or "")
    assert len(logged(caplog)) <= 2


KUBELET = """
import os, shutil, sys, time
root, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.chdir(root)
old = os.readlink("..data") if os.path.lexists("..data") else None
names = ("app.yaml", "flags.json", "limits.toml")
texts = ("app: {}\\n", '{{"flags": {}}}', "limits = {}\\n")
for number in range(first, last + 1):
    new = f"..2026_{number}"
    os.mkdir(new)
    for name, text in zip(names, texts):
        with open(os.path.join(new, name), "w") as file:
            file.write(text.format(number))
    os.mkdir(os.path.join(new, "keys"))
    with open(os.path.join(new, "keys", "secret"), "w") as file:
        file.write(str(number))
    os.symlink(new, "..data_tmp")
    os.rename("..data_tmp", "..data")
    for name in (*names, "keys"):
        if not os.path.lexists(name):
            os.symlink(os.path.join("..data", name), name)
    if old:
        shutil.rmtree(old)
    old = new
    if number % 100 == 0:
        time.sleep(0.03)  # or an engine on a quick machine would only ever read torn sets
"""


def publish(volume: Path, first: int, last: int) -> "subprocess.Popen[bytes]":
    """Start what swaps a volume as the kubelet does."""
    numbers = [str(first), str(last)]
    return subprocess.Popen([sys.executable, "-S", "-c", KUBELET, str(volume), *numbers])


@pytest.fixture
def volume() -> Iterator[Path]:
    """Return a volume of three files and a directory, at generation 0."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="rc-", dir=memory) as name:
        assert publish(Path(name), 0, 0).wait(30) == 0
        yield Path(name)


def test_a_volume_swapped_again_and_again_is_never_seen_mixed(
    volume: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two files and a directory of one volume, under an engine that looks all the time."""
    caplog.set_level(logging.INFO)
    sources: list[Path | Source] = [
        volume / "app.yaml",
        volume / "flags.json",
        DirectorySource(volume / "keys"),
    ]
    with engine(*sources, window=0.0) as live, Traffic(live) as traffic:
        with publish(volume, 1, SWAPS) as writer:
            assert writer.wait(120) == 0
        until(lambda: live.check() is Outcome.UNCHANGED)
        assert dict(live.snapshot.config) == {"app": SWAPS, "flags": SWAPS, "secret": str(SWAPS)}
    mixed = [c for c in traffic.configs if not c.app == c.flags == int(c.secret)]
    assert mixed == []
    assert logged(caplog) == []
    assert len(traffic.configs) > 5


@pytest.mark.parametrize("name", ["flags.json", "keys/secret"])
def test_what_is_removed_from_a_volume_is_missed_by_its_name(volume: Path, name: str) -> None:
    """The last good one serves on, and the file that went is named."""
    sources: list[Path | Source] = [
        volume / "app.yaml",
        volume / "flags.json",
        DirectorySource(volume / "keys"),
    ]
    with engine(*sources) as live:
        before = live.snapshot
        (volume / os.readlink(volume / "..data") / name).unlink()
        assert live.check() is Outcome.DEFERRED
        assert live.snapshot is before
        named = volume / "keys" if name.startswith("keys") else volume / name
        assert str(named) in (live.status().error or "")
        with publish(volume, 1, 1) as writer:
            writer.wait(30)
        assert live.check() is Outcome.RELOADED
        assert live.status().error is None


PINNED = """
import os, subprocess, sys
from reloadcheck import ReloadCheck
host, inside = sys.argv[1:]
subprocess.run(["mount", "--bind", host, inside], check=True)
live = ReloadCheck(inside, settle=0, environ={})
live.start()
live.check()
print(live.status().remarks)
os.replace(host + ".new", host)
print(live.check().value, live.snapshot.config.a, live.status().remarks)
live.close()
"""


def test_a_pinned_mount_shows_in_the_status(tmp_path: Path) -> None:
    """A file that was mounted alone and replaced on the host will never change: the status says it.

    Nothing else could tell an operator why the edit does not come.
    """
    tmp_path.chmod(0o755)
    host, inside = tmp_path / "host.yaml", tmp_path / "inside.yaml"
    host.write_text("a: 1\n")
    host.with_name("host.yaml.new").write_text("a: 2\n")
    inside.touch()
    before, after = namespace(PINNED, str(host), str(inside)).splitlines()
    assert before == "()"
    assert after.startswith(f"unchanged 1 ('{inside}: pinned inode, will never update")


FULL = """
import os, subprocess, sys
from dataclasses import dataclass
from reloadcheck import ReloadCheck

@dataclass(frozen=True)
class Settings:
    number: int
    end: int

(mount,) = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mount], check=True)
path = os.path.join(mount, "app.yaml")
with open(path, "w") as file:
    file.write("number: 1\\n" + "# padding\\n" * 100 + "end: 1\\n")
live = ReloadCheck(path, schema=Settings, settle=0, environ={})
live.start()
live.check()
with open(os.path.join(mount, "ballast"), "wb", buffering=0) as ballast:
    try:
        while True:
            ballast.write(b"x" * 4096)
    except OSError as error:
        print(error.strerror)
try:
    with open(path, "w") as file:
        file.write("number: 2\\n" + "# padding\\n" * 2000 + "end: 2\\n")
except OSError as error:
    print(error.strerror, os.path.getsize(path) < 20_000)
print(live.check().value, live.snapshot.config.number, live.status().error)
os.unlink(os.path.join(mount, "ballast"))
with open(path, "w") as file:
    file.write("number: 3\\nend: 3\\n")
print(live.check().value, live.snapshot.config.number, live.status().error)
live.close()
"""


def test_a_full_disk_leaves_the_last_good(tmp_path: Path) -> None:
    """The writer's error leaves the first part of a file, which parses; the schema misses the rest.

    (Without a schema nobody can tell such a file from one that was meant.)
    """
    shown = namespace(FULL, str(tmp_path)).splitlines()
    assert shown[:2] == ["No space left on device", "No space left on device True"]
    assert shown[2].startswith("rejected 1 ")
    assert shown[2].endswith("end: is missing")
    assert shown[3] == "reloaded 3 None"


def test_a_swap_between_two_reads_of_a_check_is_not_served(volume: Path) -> None:
    """Provoked at the one moment that counts: each file is whole, the two never were together."""
    swaps = iter(range(1, 4))

    def closing(descriptor: int) -> None:
        os.close(descriptor)
        if swapping and (number := next(swaps, None)) is not None:
            publish(volume, number, number).wait(30)

    swapping: list[bool] = []
    first = FileSource(volume / "app.yaml", disk=Disk(close=closing))
    with engine(first, volume / "flags.json", window=0.0) as live, Traffic(live) as traffic:
        swapping.append(True)
        publish(volume, 1, 1).wait(30)
        until(lambda: live.check() is Outcome.UNCHANGED and live.snapshot.config.app == 3)
    assert [c for c in traffic.configs if c.app != c.flags] == []


class Careless:
    """A source of somebody else's, which gives what is there when it is read, whatever the stamp.

    `before` is called before that.
    """

    def __init__(self, path: Path, before: Callable[[], object]) -> None:
        self._path = path
        self._before = before

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self._path)

    def stamp(self) -> Stamp:
        """Stamp the content itself."""
        return Stamp(self._path.read_bytes())

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the present content."""
        self._before()
        return [Document(self.name, self._path.read_bytes(), "json")]

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse it."""
        return Layer(json.loads(documents[0].data), lambda _: Origin(self.name))


def test_sources_that_do_not_look_again_are_looked_at_after_the_last(tmp_path: Path) -> None:
    """All stamps of a set are taken once more when all of it was read: else it is no set."""
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    numbers = iter(range(1, 4))

    def write() -> None:
        number = next(numbers, None)
        if number is not None:
            one.write_text(f'{{"one": {number}}}')
            two.write_text(f'{{"two": {number}}}')

    one.write_text('{"one": 0}')
    two.write_text('{"two": 0}')
    writing: list[Callable[[], object]] = []
    second = Careless(two, lambda: [each() for each in writing])
    first = Careless(one, lambda: None)
    with engine(first, second, window=0.0, verify=0) as live, Traffic(live) as traffic:
        writing.append(write)
        until(lambda: live.check() is Outcome.UNCHANGED and live.snapshot.config.one == 3)
    assert [config for config in traffic.configs if config.one != config.two] == []

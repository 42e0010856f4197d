"""Volumes as Kubernetes and Docker mount them: swapped as a whole, or pinned for ever."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import reloadcheck.sources
from reloadcheck.exceptions import SourceError, TornError
from reloadcheck.sources import DirectorySource, Disk, FileSource, read_set, take_stamps
from reloadcheck.types import Document, Source

LIMIT = 1 << 20
NAMES = ("app.yaml", "flags.json", "limits.toml")
PACKAGES = Path(reloadcheck.sources.__file__).parents[2]

# What the kubelet does: a new directory, filled; a new link, renamed over `..data`; the old
# directory removed. It is a program of its own, so that it and the reader truly run at once.
KUBELET = """
import os, shutil, sys
root, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.chdir(root)
old = os.readlink("..data") if os.path.lexists("..data") else None
for number in range(first, last + 1):
    new = f"..2026_{number}"
    os.mkdir(new)
    for name in ("app.yaml", "flags.json", "limits.toml"):
        with open(os.path.join(new, name), "w") as file:
            file.write(str(number))
    os.symlink(new, "..data_tmp")
    os.rename("..data_tmp", "..data")
    for name in ("app.yaml", "flags.json", "limits.toml"):
        if not os.path.lexists(name):
            os.symlink(os.path.join("..data", name), name)
    if old:
        shutil.rmtree(old)
    old = new
"""


def publish(volume: Path, first: int, last: int | None = None) -> subprocess.Popen[bytes]:
    """Start a writer that publishes generations `first` to `last` in the volume."""
    numbers = [str(first), str(first if last is None else last)]
    return subprocess.Popen([sys.executable, "-S", "-c", KUBELET, str(volume), *numbers])


@pytest.fixture
def volume() -> Iterator[Path]:
    """Return a volume at generation 0, in memory where there is such a place, as Secrets are."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="rc-", dir=memory) as name:
        assert publish(Path(name), 0).wait(30) == 0
        yield Path(name)


def generations(documents: Sequence[Sequence[Document]]) -> set[bytes]:
    """Return the generations that a set's documents are of."""
    return {document.data for group in documents for document in group}


def test_ten_thousand_swaps_show_no_mixed_set_and_no_error(volume: Path) -> None:
    """Three file sources and the directory, read as one set, are of one generation each time."""
    sources: list[Source] = [
        *(FileSource(volume / name) for name in NAMES),
        DirectorySource(volume),
    ]
    mixed = torn = read = 0
    errors: list[SourceError] = []
    seen: set[bytes] = set()
    with publish(volume, 1, 10_000) as writer:
        while writer.poll() is None:
            try:
                documents = read_set(sources, take_stamps(sources), LIMIT)
            except TornError:
                torn += 1
            except SourceError as error:
                errors.append(error)
            else:
                read += 1
                found = generations(documents)
                mixed += len(found) != 1 or len(documents[3]) != 3
                seen |= found
    assert writer.returncode == 0
    assert (mixed, errors) == (0, [])
    assert len(seen) > 5  # both must happen, or the race would not have been run
    assert torn > 5
    documents = read_set(sources, take_stamps(sources), LIMIT)
    assert generations(documents) == {b"10000"}


def test_a_directory_that_is_swapped_at_every_look_is_torn(volume: Path) -> None:
    """What is gone because another generation took its place does not count as missing."""
    numbers = iter(range(1, 100))

    def swapping(directory: str, most: int) -> Sequence[str]:
        found = Disk().names(directory, most)
        assert publish(volume, next(numbers)).wait(30) == 0
        return found

    with pytest.raises(TornError):
        DirectorySource(volume, disk=Disk(names=swapping)).stamp()
    assert next(numbers) > 5  # it was looked for again and again
    (volume / "..data" / "app.yaml").unlink()
    (volume / "..data" / "app.yaml").symlink_to("nowhere")
    with pytest.raises(SourceError, match="is a dangling symbolic link to nowhere"):
        DirectorySource(volume).stamp()


def test_a_swap_between_the_reads_of_a_set_is_torn(volume: Path) -> None:
    """Each file alone is whole, the two together never existed."""

    def swapping(descriptor: int) -> None:
        os.close(descriptor)
        assert publish(volume, 1).wait(30) == 0

    sources: list[Source] = [
        FileSource(volume / "app.yaml"),
        FileSource(volume / "flags.json", disk=Disk(close=swapping)),
    ]
    stamps = take_stamps(sources)
    with pytest.raises(TornError):
        read_set(sources, stamps, LIMIT)


@pytest.mark.parametrize("kind", ["file", "file below", "directory", "directory below"])
def test_the_link_is_followed_once_in_a_look(tmp_path: Path, kind: str) -> None:
    """Whatever is swapped in behind it, the file is read where the stamp was taken."""
    for number in (1, 2):
        below = tmp_path / f"..gen{number}" / "below"
        below.mkdir(parents=True)
        (below / "key.yaml").write_text(str(number))
        (below.parent / "app.yaml").write_text(str(number))
    (tmp_path / "..data").symlink_to("..gen1")
    (tmp_path / "below").symlink_to("..data/below")
    (tmp_path / "app.yaml").symlink_to("..data/app.yaml")
    opened: list[str] = []

    def opening(path: str, flags: int) -> int:
        opened.append(path)
        return os.open(path, flags)

    disk = Disk(open=opening)
    kinds: dict[str, Source] = {
        "file": FileSource(tmp_path / "app.yaml", disk=disk),
        "file below": FileSource(tmp_path / "below" / "key.yaml", disk=disk),
        "directory": DirectorySource(tmp_path, disk=disk),
        "directory below": DirectorySource(tmp_path / "below", disk=disk),
    }
    source = kinds[kind]
    stamp = source.stamp()
    before = source.read(stamp, LIMIT)
    (tmp_path / "..new").symlink_to("..gen2")
    (tmp_path / "..new").replace(tmp_path / "..data")
    with pytest.raises(TornError):
        source.read(stamp, LIMIT)
    assert {Path(path).relative_to(tmp_path).parts[0] for path in opened} == {"..gen1"}
    after = source.read(source.stamp(), LIMIT)
    # The names stay those of the volume, so that equal content has an equal digest.
    assert [document.name for document in after] == [document.name for document in before]
    assert generations([before]) == {b"1"}
    assert generations([after]) == {b"2"}


def test_a_generation_removed_in_mid_look_is_looked_for_again(volume: Path) -> None:
    """A file source never calls a file missing that the next generation has."""
    left = [1]

    def swapping(target: str | int) -> os.stat_result:
        if left:
            left.pop()
            assert publish(volume, 1).wait(30) == 0
        return os.stat(target)

    source = FileSource(volume / "app.yaml", disk=Disk(stat=swapping))
    (document,) = source.read(source.stamp(), LIMIT)
    assert document.data == b"1"


def test_a_renamed_generation_is_followed_though_its_files_stayed(volume: Path) -> None:
    """The stamp is the same but for the place, from which the file is to be read."""
    source = FileSource(volume / "..data" / "app.yaml")
    before = source.stamp()
    new = volume / "..renamed"
    (volume / os.readlink(volume / "..data")).rename(new)
    (volume / "..data").unlink()
    (volume / "..data").symlink_to(new.name)
    assert source.stamp() != before
    (document,) = source.read(source.stamp(), LIMIT)
    assert document.data == b"0"


def test_a_key_removed_from_the_volume_is_named(volume: Path) -> None:
    """First its link dangles, then it is gone; the message knows both."""
    path = volume / "app.yaml"
    (volume / os.readlink(volume / "..data") / "app.yaml").unlink()
    with pytest.raises(SourceError) as caught:
        FileSource(path).stamp()
    assert str(caught.value) == f"{path}: is a dangling symbolic link to ..data/app.yaml"
    path.unlink()
    with pytest.raises(SourceError) as caught:
        FileSource(path).stamp()
    assert str(caught.value) == f"{path}: does not exist"


PINNED = """
import os, subprocess, sys
from reloadcheck.sources import FileSource
host, inside = sys.argv[1:]
source = FileSource(inside)
subprocess.run(["mount", "--bind", host, inside], check=True)
print(list(source.remarks()))
os.replace(host + ".new", host)
(document,) = source.read(source.stamp(), 1000)
print(document.data.decode().strip(), list(source.remarks()))
"""


def test_a_file_mounted_alone_and_replaced_is_called_pinned(tmp_path: Path) -> None:
    """A subPath or `-v file:file` mount shows the old inode for ever; the remark says so."""
    tmp_path.chmod(0o755)
    host, inside = tmp_path / "host.yaml", tmp_path / "inside.yaml"
    host.write_text("a: 1\n")
    host.with_name("host.yaml.new").write_text("a: 2\n")
    inside.touch()
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-c", PINNED, str(host), str(inside)],
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"this machine makes no user and mount namespace: {done.stderr}"
    before, after = done.stdout.splitlines()
    assert before == "[]"
    assert after.startswith("a: 1 ['pinned inode, will never update")

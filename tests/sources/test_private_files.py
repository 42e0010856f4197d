"""`private=True`: who could change a file, or put another in its place, on the whole way."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck.exceptions import SourceError
from reloadcheck.sources import Disk, FileSource

STRANGER = 65534


def refused(path: Path, disk: Disk | None = None) -> str | None:
    """Return the reason for which a file is not private; None when it is."""
    try:
        FileSource(path, private=True, disk=disk).stamp()
    except SourceError as error:
        return error.reason
    return None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file that is private, two directories below a safe one."""
    tmp_path.chmod(0o755)
    path = tmp_path / "etc" / "shop" / "app.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("a: 1\n")
    return path


def replaced(place: Path | str) -> str:
    """Return the sentence on a directory that anybody may write."""
    return f"can be replaced by everybody: {place} is writable by others; it is to be private"


def test_a_file_of_one_s_own_is_private(path: Path) -> None:
    """Below directories that only their owners write, of which root is one."""
    assert refused(path) is None


@pytest.mark.parametrize("height", [1, 2])
def test_a_writable_directory_above_is_seen(path: Path, height: int) -> None:
    """Whoever may write it renames what is below it away, and puts his own there."""
    place = path.parents[height]
    place.chmod(0o777)
    assert refused(path) == replaced(place)
    place.chmod(0o1777)
    assert refused(path) is None


def _file_link(path: Path, beside: Path) -> Path:
    link = beside / "link.yaml"
    link.symlink_to(path)
    return link


def _directory_link(path: Path, beside: Path) -> Path:
    (beside / "current").symlink_to(path.parent)
    return beside / "current" / path.name


def _relative_link(path: Path, beside: Path) -> Path:
    link = beside / "link.yaml"
    link.symlink_to(os.path.relpath(path, beside))
    return link


@pytest.mark.parametrize("link", [_file_link, _directory_link, _relative_link])
def test_links_are_followed_and_looked_at(path: Path, link: Callable[[Path, Path], Path]) -> None:
    """Both where a link leads to and where it lies decide what is read."""
    beside = path.parents[2] / "beside"
    beside.mkdir()
    linked = link(path, beside)
    assert refused(linked) is None
    path.parent.chmod(0o777)
    assert refused(linked) == replaced("its directory")
    path.parent.chmod(0o755)
    beside.chmod(0o777)
    assert refused(linked) == replaced(beside)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_another_owner_is_seen(path: Path, depth: int) -> None:
    """Of the file and of each directory, whatever the modes: an owner changes those too."""
    place = [path, *path.parents][depth]
    os.chown(place, STRANGER, STRANGER)
    sentence = f"can be changed by uid {STRANGER}, who owns {place}; it is to be private"
    assert refused(path) == sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_another_group_that_may_write_is_seen(path: Path, depth: int) -> None:
    """Whoever is in it changes the file, or replaces it; the process's own and root's may."""
    place = [path, *path.parents][depth]
    os.chown(place, -1, STRANGER)
    assert refused(path) is None
    place.chmod(0o775)
    sentence = f"can be changed by group {STRANGER}, which may write {place}; it is to be private"
    assert refused(path) == sentence
    place.chmod(0o1775)
    assert (refused(path) is None) is (depth > 0)  # in a sticky directory each keeps his own
    os.chown(place, -1, os.getegid())
    assert refused(path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_of_a_link_is_seen(path: Path) -> None:
    """In a sticky directory he alone may put another in its place."""
    link = _file_link(path, path.parents[2])
    os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
    assert f"uid {STRANGER}, who owns {link}" in (refused(link) or "")


def test_nobody_writes_on_a_read_only_file_system(path: Path) -> None:
    """Kubernetes mounts its volumes so, below a directory whose modes say otherwise."""
    path.parents[1].chmod(0o777)
    assert refused(path) == replaced(path.parents[1])
    assert refused(path, Disk(read_only=lambda place: place == str(path.parents[1]))) is None


def test_others_are_warned_of_modes_alone(path: Path) -> None:
    """Without `private` the way is looked at too; who owns it is the operator's affair."""
    if os.geteuid() == 0:
        os.chown(path, STRANGER, STRANGER)
    assert FileSource(path).remarks() == []
    path.parents[1].chmod(0o777)
    assert FileSource(path).remarks() == [
        f"can be replaced by everybody: {path.parents[1]} is writable by others"
    ]


def test_links_that_form_a_loop_end(path: Path) -> None:
    """With the system's own answer, not with a look that goes on for ever."""
    (path.parent / "a").symlink_to("b")
    (path.parent / "b").symlink_to("a")
    assert refused(path.parent / "a" / "app.yaml".replace("app", "a")) is not None
    loop = path.parent / "loop.yaml"
    loop.symlink_to("loop.yaml")
    assert "loop" in (refused(loop) or "")

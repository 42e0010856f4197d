"""A file as a source: what it gives, what moves its stamp, what it remarks on."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from reloadcheck.exceptions import OptionError, SourceError, TornError
from reloadcheck.sources import Disk, FileSource
from reloadcheck.types import Document, Origin, Source

LIMIT = 1 << 20
NEVER_NS = 0
LATER_NS = 4_000_000_000 * 1_000_000_000


def no_pause() -> None:
    """Let nobody run: there is nobody else."""


def content(source: Source) -> bytes:
    """Read a source's only document."""
    (document,) = source.read(source.stamp(), LIMIT)
    return document.data


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with a small configuration."""
    path = tmp_path / "app.yaml"
    path.write_text("database:\n  url: one\n")
    return path


def test_gives_the_bytes_under_the_name_as_written(path: Path) -> None:
    """A document is the file's bytes, its name and the format its suffix tells."""
    source = FileSource(path)
    assert isinstance(source, Source)
    assert source.name == str(path)
    assert source.read(source.stamp(), LIMIT) == [
        Document(str(path), b"database:\n  url: one\n", "yaml")
    ]


def test_construction_touches_no_disk(tmp_path: Path) -> None:
    """A source of a missing file, in a missing directory, can be made at import."""
    FileSource(
        tmp_path / "none" / "app.yaml", disk=Disk(stat=_refuse, lstat=_refuse, readlink=_refuse)
    )


def _refuse(_: object) -> NoReturn:
    raise AssertionError("the disk was touched")


@pytest.mark.parametrize("path", ["", "a\0b.yaml"])
def test_an_impossible_path_is_refused_at_construction(path: str) -> None:
    """It could never become a file."""
    with pytest.raises(OptionError):
        FileSource(path)


def test_a_relative_path_that_is_missing_names_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was started elsewhere looks elsewhere, and says where."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=rf"^app\.yaml: does not exist in {tmp_path}$"):
        FileSource("app.yaml").stamp()
    with pytest.raises(SourceError, match=r"does not exist$"):
        FileSource(tmp_path / "app.yaml").stamp()


def test_a_relative_path_survives_a_change_of_directory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It means the directory at construction; a server may move on when it turns daemon."""
    monkeypatch.chdir(path.parent)
    source = FileSource("app.yaml")
    monkeypatch.chdir("/")
    assert content(source) == path.read_bytes()
    assert source.name == "app.yaml"


def test_the_layer_tells_where_a_key_stands(path: Path) -> None:
    """Origins are file, line and column, and the nearest parent's for a key not found."""
    source = FileSource(path)
    layer = source.layer(source.read(source.stamp(), LIMIT), {}, no_pause)
    assert layer.tree == {"database": {"url": "one"}}
    assert layer.origin(("database", "url")) == Origin(str(path), 2, 8)
    assert layer.origin(("database", "absent")) == layer.origin(("database",))


def test_an_empty_file_is_not_an_empty_configuration(path: Path) -> None:
    """A truncated file says what it is, and that it may heal by itself."""
    path.write_bytes(b"")
    source = FileSource(path, optional=True)
    documents = source.read(source.stamp(), LIMIT)
    with pytest.raises(SourceError, match=f"^{path}: is empty"):
        source.layer(documents, {}, lambda: None)


class TestOptional:
    """A missing file that may be missing."""

    def test_is_an_empty_layer(self, tmp_path: Path) -> None:
        """No document, no key, and a name for what asks where the nothing came from."""
        source = FileSource(tmp_path / "none.yaml", optional=True)
        documents = source.read(source.stamp(), LIMIT)
        assert list(documents) == []
        layer = source.layer(documents, {}, no_pause)
        assert layer.tree == {}
        assert str(layer.origin(("a",))) == str(tmp_path / "none.yaml")

    def test_appearing_and_going_moves_the_stamp(self, path: Path) -> None:
        """Both are changes like any other."""
        source = FileSource(path, optional=True)
        there = source.stamp()
        path.rename(path.with_name("away"))
        gone = source.stamp()
        path.with_name("away").rename(path)
        assert there.value != gone.value != source.stamp().value

    def test_is_as_young_as_the_directory(self, path: Path) -> None:
        """A file just renamed away by an editor has to settle before it counts as gone."""
        source = FileSource(path, optional=True)
        path.unlink()
        status = os.stat(path.parent)
        assert source.stamp().newest_ns == max(status.st_mtime_ns, status.st_ctime_ns)

    def test_may_miss_its_directory_too(self, tmp_path: Path) -> None:
        """Then the nearest directory above tells the time."""
        source = FileSource(tmp_path / "a" / "b" / "none.yaml", optional=True)
        status = os.stat(tmp_path)
        assert source.stamp().newest_ns == max(status.st_mtime_ns, status.st_ctime_ns)

    def test_a_dangling_link_is_an_error_still(self, tmp_path: Path) -> None:
        """Somebody meant a file to be there."""
        (tmp_path / "app.yaml").symlink_to("none.yaml")
        with pytest.raises(SourceError, match="is a dangling symbolic link to none"):
            FileSource(tmp_path / "app.yaml", optional=True).stamp()

    def test_appearing_while_absence_is_read_is_torn(self, path: Path) -> None:
        """The documents of an absent file are those of a file that is absent to the end."""
        source = FileSource(path, optional=True)
        path.rename(path.with_name("away"))
        stamp = source.stamp()
        path.with_name("away").rename(path)
        with pytest.raises(TornError):
            source.read(stamp, LIMIT)


def _copy_over(path: Path, other: Path) -> None:
    """Do what `cp -p` does: write into the file, then give it the other's times."""
    shutil.copyfile(other, path)
    shutil.copystat(other, path)


def _keep_times(path: Path, other: Path) -> None:
    """Do what `rsync -t --inplace` can come to: the same size, the same mtime as before."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(other.read_bytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _move_older(path: Path, other: Path) -> None:
    """Move a file with an older mtime over this one."""
    os.utime(other, ns=(1, 1))
    other.replace(path)


def _with_time(time_ns: int) -> Callable[[Path, Path], None]:
    def write(path: Path, other: Path) -> None:
        """Write, then set the mtime."""
        path.write_bytes(other.read_bytes())
        os.utime(path, ns=(time_ns, time_ns))

    return write


def _relink(path: Path, other: Path) -> None:
    """Put a link to the other file in the path's place."""
    path.unlink()
    path.symlink_to(other)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(_copy_over, id="cp -p"),
        pytest.param(_keep_times, id="in place, mtime kept"),
        pytest.param(_move_older, id="mv of an older file"),
        pytest.param(_with_time(NEVER_NS), id="mtime zero"),
        pytest.param(_with_time(LATER_NS), id="mtime far ahead"),
        pytest.param(_with_time(1_000_000_000), id="mtime going back"),
        pytest.param(_relink, id="a link to another file"),
    ],
)
def test_every_way_of_writing_moves_the_stamp(
    path: Path, write: Callable[[Path, Path], None]
) -> None:
    """Equal size, equal or older times: the stamp differs, and reads give the new bytes."""
    os.utime(path, ns=(LATER_NS, LATER_NS))
    other = path.with_name("other.yaml")
    other.write_bytes(path.read_bytes().replace(b"one", b"two"))
    os.utime(other, ns=(LATER_NS, LATER_NS))
    source = FileSource(path)
    before = source.stamp()
    write(path, other)
    assert source.stamp().value != before.value
    assert content(source) == b"database:\n  url: two\n"


class TestWithin:
    """Confinement to a directory."""

    def test_a_file_below_is_read(self, path: Path) -> None:
        """Links may lead about inside."""
        link = path.with_name("link.yaml")
        link.symlink_to(path)
        assert content(FileSource(link, within=path.parent)) == path.read_bytes()

    @pytest.mark.parametrize("optional", [False, True])
    def test_a_link_that_leads_out_is_refused(self, tmp_path: Path, optional: bool) -> None:
        """Neither stamped nor read, whatever it leads to, and the target is not quoted."""
        inside, outside = tmp_path / "inside", tmp_path / "inside-not" / "secret.yaml"
        inside.mkdir()
        outside.parent.mkdir()
        outside.write_text("canary: 1\n")
        link = inside / "app.yaml"
        link.symlink_to(outside)
        source = FileSource(link, optional, within=inside)
        with pytest.raises(SourceError) as caught:
            source.stamp()
        assert str(caught.value) == f"{link}: leads out of {inside}, which it is confined to"

    def test_a_file_that_becomes_a_link_out_is_torn(self, tmp_path: Path) -> None:
        """Between the stamp and the open nothing gets through."""
        inside, outside = tmp_path / "inside", tmp_path / "secret.yaml"
        inside.mkdir()
        outside.write_text("canary: 1\n")
        link = inside / "app.yaml"
        link.write_text("a: 1\n")
        source = FileSource(link, within=inside)
        stamp = source.stamp()
        link.unlink()
        link.symlink_to(outside)
        with pytest.raises(SourceError):
            source.read(stamp, LIMIT)


class TestRemarks:
    """What is odd about a file that can be read."""

    def test_nothing_about_an_ordinary_file(self, path: Path) -> None:
        """Nor about one that cannot be looked at: that is an error elsewhere."""
        path.chmod(0o640)
        path.parent.chmod(0o755)
        assert list(FileSource(path).remarks()) == []
        assert list(FileSource(path.with_name("none.yaml")).remarks()) == []

    @pytest.mark.parametrize(
        ("file_mode", "directory_mode", "expected"),
        [
            (0o666, 0o755, ["can be written by everybody"]),
            (0o664, 0o775, []),
            (0o644, 0o1777, []),
            (
                0o644,
                0o777,
                ["can be replaced by everybody: its directory is writable by others"],
            ),
        ],
        ids=["file", "group only", "sticky directory", "directory"],
    )
    def test_who_else_can_write(
        self, path: Path, file_mode: int, directory_mode: int, expected: Sequence[str]
    ) -> None:
        """A configuration that anybody can change is worth a word."""
        path.chmod(file_mode)
        path.parent.chmod(directory_mode)
        assert list(FileSource(path).remarks()) == expected

    def test_an_inode_without_a_name(self, path: Path) -> None:
        """A removed file that a mount still holds will never change again."""

        def unlinked(target: str | int) -> os.stat_result:
            fields = list(os.stat(target))
            fields[3] = 0
            return os.stat_result(fields)

        path.parent.chmod(0o755)
        (remark,) = FileSource(path, disk=Disk(stat=unlinked)).remarks()
        assert remark.startswith("pinned inode, will never update")

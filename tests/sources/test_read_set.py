"""Several sources as one set, and what counts as a source."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import reloadcheck.sources
from reloadcheck.exceptions import OptionError, SourceError, TornError
from reloadcheck.sources import (
    Disk,
    EnvironSource,
    FileSource,
    newest_of,
    read_set,
    source_of,
    take_stamps,
)
from reloadcheck.types import Source, Stamp

LIMIT = 1 << 20


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return a first file."""
    path = tmp_path / "one.yaml"
    path.write_text("a: 1\n")
    return path


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Return a second file."""
    path = tmp_path / "two.yaml"
    path.write_text("b: 1\n")
    return path


def test_gives_each_sources_documents(one: Path, two: Path) -> None:
    """In the order of the sources."""
    sources: list[Source] = [FileSource(one), EnvironSource("APP", {}), FileSource(two)]
    documents = read_set(sources, take_stamps(sources), LIMIT)
    assert [len(group) for group in documents] == [1, 1, 1]
    assert [documents[0][0].data, documents[2][0].data] == [b"a: 1\n", b"b: 1\n"]


def test_stamps_found_quiet_must_still_hold(one: Path, two: Path) -> None:
    """What changed since has to settle anew."""
    sources = [FileSource(one), FileSource(two)]
    stamps = take_stamps(sources)
    assert len(read_set(sources, stamps, LIMIT)) == 2
    two.write_text("b: 2\n")
    with pytest.raises(TornError):
        read_set(sources, stamps, LIMIT)


def test_a_change_of_the_first_while_the_last_is_read_is_torn(one: Path, two: Path) -> None:
    """All stamps are taken again after the last read."""

    def reading(descriptor: int, size: int) -> bytes:
        one.write_text("a: 2\n")
        return os.read(descriptor, size)

    sources = [FileSource(one), FileSource(two, disk=Disk(read=reading))]
    stamps = take_stamps(sources)
    with pytest.raises(TornError) as caught:
        read_set(sources, stamps, LIMIT)
    assert str(caught.value) == f"{one}: changed while it was being read"


def test_every_source_that_cannot_be_read_is_named(one: Path, two: Path) -> None:
    """An operator repairs all of them in one go."""
    one.unlink()
    two.unlink()
    sources: list[Source] = [FileSource(one), EnvironSource("APP", {}), FileSource(two)]
    with pytest.raises(SourceError) as caught:
        take_stamps(sources)
    assert str(caught.value) == f"{one}: does not exist; {two}: does not exist"
    one.write_text("a: 1")
    two.write_text("a: 1")
    stamps = take_stamps(sources)
    with pytest.raises(SourceError) as caught:
        read_set(sources, stamps, 3)
    assert [problem.path for problem in caught.value.problems] == [str(one), str(two)]
    assert not isinstance(caught.value, TornError)


def test_the_newest_time_is_the_sets() -> None:
    """Sources without times do not count; without any there is none."""
    assert newest_of([Stamp(0, 5), Stamp(1), Stamp(2, 7), Stamp(3, 6)]) == 7
    assert newest_of([Stamp(0)]) is None
    assert newest_of([]) is None


def test_a_path_is_a_file_source(one: Path) -> None:
    """As text or as a path; a source stays what it is, anything else is refused by its type."""
    for path in (one, str(one)):
        source = source_of(path)
        assert isinstance(source, FileSource)
        assert source.name == str(one)
        assert source_of(source) is source
    with pytest.raises(OptionError, match="not a int"):
        source_of(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_the_door_lists_what_it_offers() -> None:
    """Sorted, and all of it there."""
    names = reloadcheck.sources.__all__
    assert names == sorted(names)
    assert all(hasattr(reloadcheck.sources, name) for name in names)


def test_a_look_asks_about_each_directory_once(one: Path, two: Path) -> None:
    """The first look; each further one costs one call a file, however deep they are."""
    asked: list[str] = []

    def readlink(path: str) -> str:
        asked.append(path)
        return os.readlink(path)

    def stat(path: str | int) -> os.stat_result:
        asked.append(f"stat {path}")
        return os.stat(path)

    def lstat(path: str) -> os.stat_result:
        asked.append(f"lstat {path}")
        return os.lstat(path)

    disk = Disk(readlink=readlink, stat=stat, lstat=lstat)
    sources = [FileSource(path, disk=disk) for path in (one, two)]
    first = take_stamps(sources)
    looked = [f"stat {one}", f"stat {two}"]
    assert sorted([*map(str, [one, two, *one.parents[:-1]]), *looked]) == sorted(asked)
    for _ in range(2):
        asked.clear()
        assert take_stamps(sources) == first
        assert asked == [f"lstat {one}", f"lstat {two}"]


def _edited(path: Path) -> None:
    path.write_text("b: 2\n")


def _replaced(path: Path) -> None:
    new = path.with_name("new")
    new.write_text("b: 2\n")
    new.replace(path)


def _linked(path: Path) -> None:
    path.rename(path.with_name("new"))
    path.symlink_to("new")


@pytest.mark.parametrize("change", [_edited, _replaced, _linked])
def test_a_file_looked_at_in_one_call_hides_no_change(
    change: Callable[[Path], None], one: Path, two: Path
) -> None:
    """Its last stamp is given again, the same object, for as long as it holds."""
    sources = [FileSource(one), FileSource(two)]
    before = take_stamps(sources)
    assert take_stamps(sources)[1] is before[1]
    change(two)
    seen = take_stamps(sources)
    assert seen[0] is before[0]
    assert seen[1] == FileSource(two).stamp() != before[1]


@pytest.mark.parametrize("other", [None, os.mkdir, os.mkfifo])
def test_a_file_looked_at_in_one_call_is_missed(
    other: Callable[[Path], None] | None, two: Path
) -> None:
    """Whether there is nothing in its place or something else."""
    source = FileSource(two)
    source.stamp()
    two.unlink()
    if other is not None:
        other(two)
    with pytest.raises(SourceError):
        source.stamp()


@pytest.mark.parametrize("guard", ["private", "within"])
def test_a_guarded_file_is_always_looked_at_whole(guard: str, tmp_path: Path) -> None:
    """What guards it may change while the file does not: its directory's mode, or its border."""
    border, other = tmp_path / "border", tmp_path / "etc"
    other.mkdir()
    border.symlink_to(other)
    path = other / "app.yaml"
    path.write_text("a: 1\n")
    first = FileSource(other / "app.yaml")
    second = (
        FileSource(path, private=True) if guard == "private" else FileSource(path, within=border)
    )
    take_stamps([first, second])
    if guard == "private":
        other.chmod(0o777)
    else:
        border.unlink()
        border.mkdir()
    with pytest.raises(SourceError, match="private" if guard == "private" else "leads out"):
        take_stamps([first, second])


def test_a_directory_that_becomes_a_volume_is_followed_by_the_next_look(tmp_path: Path) -> None:
    """What was no link a look ago may be one now."""
    directory, generation = tmp_path / "etc", tmp_path / "..data" / "etc"
    for number, place in enumerate((directory, generation)):
        place.mkdir(parents=True)
        (place / "app.yaml").write_text(f"a: {number}\n")
    sources = [FileSource(directory / "app.yaml"), FileSource(directory / "app.yaml")]
    before = take_stamps(sources)
    directory.rename(tmp_path / "old")
    directory.symlink_to("..data/etc")
    stamps = take_stamps(sources)
    assert stamps != before
    documents = read_set(sources, stamps, LIMIT)
    assert [[document.data for document in group] for group in documents] == [[b"a: 1\n"]] * 2

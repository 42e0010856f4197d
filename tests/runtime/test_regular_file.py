"""What somebody names as a file may be anything: nothing waits for it, nothing stays open."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from reloadcheck import HTTPSource, JSONSchema
from reloadcheck._runtime.regular_file import opened
from reloadcheck._state.mirror import Mirror
from reloadcheck.cli._statement_places import BesideFile
from reloadcheck.exceptions import SchemaError
from reloadcheck.policy.files import bytes_of
from reloadcheck.sources._last_good import load_copy

KINDS = ["pipe", "directory", "device", "nothing", "loop"]
REASONS = {
    "pipe": "it is no file",
    "directory": "Is a directory",
    "device": "it is no file",
    "nothing": "No such file or directory",
    "loop": "Too many levels of symbolic links",
}


def _made(directory: Path, kind: str) -> Path:
    path = directory / "named"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind != "nothing":
        path.symlink_to("/dev/zero" if kind == "device" else path)
    return path


def _is_open(path: Path) -> bool:
    """Return whether this process has what stands there open."""
    links: list[str] = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # another thread's, closed by now
            links.append(os.readlink(f"/proc/self/fd/{number}"))
    return {str(path), "/dev/zero"} & {*links} != set()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_told_and_left_closed(tmp_path: Path, kind: str) -> None:
    """A statement's place is looked at once a second: each look may leave nothing behind."""
    path = _made(tmp_path, kind)
    with pytest.raises(OSError, match=REASONS[kind]):
        opened(path)
    with pytest.raises(OSError, match=REASONS[kind]):
        bytes_of(path, 10)
    assert BesideFile(path).texts() == []
    assert load_copy(str(path), "config.yaml", str) is None
    assert Mirror(str(path), "shop/default/").load() is None
    assert not _is_open(path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_token_or_schema_is_told(tmp_path: Path, kind: str) -> None:
    """A pipe in the place of one would hold the reader of all sources for ever."""
    path = _made(tmp_path, kind)
    source = HTTPSource("http://127.0.0.1:1/config.yaml", token=path)
    with pytest.raises(Exception, match=REASONS[kind]):
        source.stamp()
    with pytest.raises(SchemaError, match=REASONS[kind]):
        JSONSchema(path)({})


def test_a_file_is_read(tmp_path: Path) -> None:
    """From its beginning."""
    path = tmp_path / "named"
    path.write_bytes(b"text")
    with opened(path) as file:
        assert file.read() == b"text"
    assert bytes_of(path, 2) == b"tex"

"""What takes long is no part of reading, which is bounded by `patience` as a disk may hang."""

from contextlib import closing
from pathlib import Path

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._state import feed
from reloadcheck._state.content import content_of
from reloadcheck.testing import MemoryStore
from tests.support.rig import until


def test_a_large_edit_is_not_told_as_a_disk_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content that history and orders speak of is parsed once the bytes have been read."""
    is_reading, parsed_while_reading = [False], list[bool]()
    read = feed.StoreFeed.read

    def watched_read(*arguments: object) -> object:
        is_reading[0] = True
        try:
            return read(*arguments)  # type: ignore[arg-type]
        finally:
            is_reading[0] = False

    def watched_content(*arguments: object) -> object:
        parsed_while_reading.append(is_reading[0])
        return content_of(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(feed.StoreFeed, "read", watched_read)
    monkeypatch.setattr(feed, "content_of", watched_content)
    file = tmp_path / "config.yaml"
    file.write_text("a: 1\n")
    live = ReloadCheck(file, store=MemoryStore(), app="shop", settle=0, window=0.1)
    with closing(live):
        live.start()
        file.write_text("a: 2\n")
        until(lambda: bool(live.check()) and live.snapshot.config.a == 2)
    assert set(parsed_while_reading) == {False}  # a file that is half written is read once more

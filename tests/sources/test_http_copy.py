"""The last good copy of a document from a server: when it is served, and when it is none."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import HTTPSource, Orders, Outcome, ReloadCheck
from reloadcheck.testing import MemoryStore
from tests.support.load import until
from tests.support.web import Web, answering

from .served import CANARY, LIMIT, live_on, refused


def kept_in(path: Path, server: Web) -> HTTPSource:
    """Make a source with a last good copy."""
    return HTTPSource(server.url(f"/app.yaml?key={CANARY}"), last_good=path)


def test_a_start_without_the_server_serves_the_last_good_copy(server: Web, tmp_path: Path) -> None:
    """It is told; the server is believed when it is back, and never once it has answered."""
    path = tmp_path / "copy"
    server.respond = answering("a: 7\n")
    live = live_on(kept_in(path, server))
    live.start()
    live.check()
    live.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert CANARY not in path.read_text()
    assert os.listdir(tmp_path) == ["copy"]
    server.respond = answering("", "503 x")
    source = kept_in(path, server)
    again = live_on(source)
    again.start()
    try:
        assert again.snapshot.config == {"a": 7}
        (told,) = again.status().remarks
        assert "the last good copy of 20" in told
        assert "answers with status 503" in told
        server.respond = answering("a: 8\n")
        time.sleep(1.05)
        again.check()
        assert again.snapshot.config == {"a": 8}
        assert again.status().remarks == ()
        server.respond = answering("", "503 x")
        assert again.check() is Outcome.DEFERRED
        assert again.snapshot.config == {"a": 8}
    finally:
        again.close()


def test_a_copy_is_written_beside_a_store_too(server: Web, tmp_path: Path) -> None:
    """What the server had when it went live; not what it has while a pin holds something older."""
    path, store = tmp_path / "copy", MemoryStore()
    server.respond = answering("a: 7\n")
    live = live_on(kept_in(path, server), store=store, app="shop")
    live.start()
    try:
        live.check()
        assert b"a: 7" in path.read_bytes()
        until(lambda: Orders(store.peer(), app="shop").state().edition == 1)
        Orders(store.peer(), app="shop").pin(why="x", by="dora")
        until(lambda: _hold(live) == "pin")
        server.respond = answering("a: 8\n")
        other = live_on(kept_in(tmp_path / "other", server), store=store.peer(), app="shop")
        other.start()
        try:
            other.check()
            assert other.snapshot.config == {"a": 7}
            assert os.listdir(tmp_path) == ["copy"]
        finally:
            other.close()
    finally:
        live.close()


def _hold(live: ReloadCheck[Any]) -> str | None:
    live.check()
    store = live.status().store
    return None if store is None else store.hold


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"a: 7", b"a: 9"))


def _shared(path: Path) -> None:
    path.chmod(0o644)


def _linked(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


def _nonsense(path: Path) -> None:
    path.write_text("[1]\n")


@pytest.mark.parametrize("damage", [_cut, _changed, _shared, _linked, _nonsense, Path.unlink])
def test_a_copy_that_is_not_to_be_trusted_is_none(server: Web, tmp_path: Path, damage: Any) -> None:
    """Cut, changed, readable by others, a link: the start fails with the server's trouble."""
    path = tmp_path / "copy"
    server.respond = answering("a: 7\n")
    source = kept_in(path, server)
    source.read(source.stamp(), LIMIT)
    source.keep()
    server.respond = answering("", "503 x")
    assert kept_in(path, server).stamp() == source.stamp()
    damage(path)
    assert refused(kept_in(path, server)) == "answers with status 503"
    assert HTTPSource(server.url("/other.yaml"), last_good=path).place().name.endswith("other.yaml")


def test_a_copy_is_of_one_url(server: Web, tmp_path: Path) -> None:
    """Another source does not serve it."""
    path = tmp_path / "copy"
    source = kept_in(path, server)
    source.read(source.stamp(), LIMIT)
    source.keep()
    server.respond = answering("", "503 x")
    other = HTTPSource(server.url("/other.yaml"), last_good=path)
    assert refused(other) == "answers with status 503"


def test_a_copy_that_cannot_be_written_is_told(server: Web, tmp_path: Path) -> None:
    """And stops nothing."""
    source = kept_in(tmp_path / "none" / "copy", server)
    source.read(source.stamp(), LIMIT)
    source.keep()
    (told,) = source.remarks()
    assert told == "its last good copy cannot be written: No such file or directory"

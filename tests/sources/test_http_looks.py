"""Looks at a document on a server, one after another: what is kept between them, and how long."""

from pathlib import Path

import pytest

from reloadcheck import HTTPSource
from reloadcheck.exceptions import SourceError, TornError
from tests.support.web import Web, answering

from .served import LIMIT


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look ask."""
    monkeypatch.setattr("reloadcheck.sources.http._AGAIN_AFTER", 0.0)


def test_what_has_changed_since_a_look_is_not_read_for_it(server: Web) -> None:
    """The stamp of one document never stands for another."""
    source = HTTPSource(server.url())
    before = source.stamp()
    server.respond = answering("a: 2\n")
    after = source.stamp()
    with pytest.raises(TornError):
        source.read(before, LIMIT)
    assert [one.data for one in source.read(after, LIMIT)] == [b"a: 2\n"]


def test_an_engine_may_want_less_than_the_source(server: Web) -> None:
    """The smaller of both limits holds."""
    source = HTTPSource(server.url())
    with pytest.raises(SourceError, match="max_bytes"):
        source.read(source.stamp(), 4)


def test_a_document_of_no_length_settles(server: Web) -> None:
    """As a file does: it has been the same since the first look that saw it."""
    server.respond = answering("a: 1\n", length=False)
    source = HTTPSource(server.url())
    first = source.stamp()
    assert first.newest_ns is not None
    assert source.stamp().newest_ns == first.newest_ns


def test_a_copy_serves_for_as_long_as_the_server_is_away(server: Web, tmp_path: Path) -> None:
    """Each look gives it, none writes it anew: its date is that of what it is a copy of."""
    path = tmp_path / "copy"
    source = HTTPSource(server.url(), last_good=path)
    stamp = source.stamp()
    source.keep()
    written = path.read_bytes()
    server.respond = answering("", "503 x")
    again = HTTPSource(server.url(), last_good=path)
    assert [again.stamp() for _ in range(3)] == [stamp] * 3
    again.keep()
    assert path.read_bytes() == written


def test_without_a_place_for_it_there_is_no_copy(server: Web) -> None:
    """Nothing is written, and nothing is told of it."""
    source = HTTPSource(server.url())
    source.keep()
    source.stamp()
    source.keep()
    assert source.remarks() == []

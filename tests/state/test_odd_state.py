"""What stands in for sources, records and processes that are gone, or are not what they were."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import json
import os
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck._config.freeze import freeze
from reloadcheck._load.source_set import SourceSet
from reloadcheck._state import alive, for_contract, member_id, process_start
from reloadcheck._state.content import (
    content_of,
    kept_tree,
    layers_of,
    packed,
    secret_in,
    unpacked,
)
from reloadcheck._state.fallback import Fallback
from reloadcheck._state.for_contract import text_in
from reloadcheck._state.missing_sources import Gap, around
from reloadcheck.exceptions import SourceError, TornError
from reloadcheck.seams.feed import Reading
from reloadcheck.types import Document, Problem, Stamp
from tests.support.rig import Text

LIMIT = 100_000


class Away(Text):
    """A source that fails as a test has it fail."""

    error: Exception | None = None
    error_of_stamp: Exception | None = None

    def stamp(self) -> Stamp:
        """Return its stamp, or fail."""
        if self.error_of_stamp is not None:
            raise self.error_of_stamp
        return super().stamp()

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return its document, or fail."""
        if self.error is not None:
            raise self.error
        return super().read(stamp, max_bytes)


def _reading(*sources: Any) -> Reading:
    known = SourceSet(sources)
    return known.read(known.look(), LIMIT)


def _lost(reason: str = "does not exist") -> SourceError:
    return SourceError(Problem(reason, "x.yaml"))


# ------------------------------------------------------------------- sources that are missing


def test_a_source_that_cannot_be_read_is_a_gap_and_no_error() -> None:
    """For as long as it cannot; a torn one is read again, which is no gap."""
    source = Away("a: 1")
    (lenient,) = around(SourceSet([source]), lambda: 5.0).sources
    stamp = lenient.stamp()
    assert lenient.name == source.name
    assert [one.data for one in lenient.read(stamp, LIMIT)] == [b"a: 1"]
    source.error = _lost()
    assert lenient.read(stamp, LIMIT) == ()
    source.error = TornError(Problem("changed meanwhile", "x.yaml"))
    with pytest.raises(TornError):
        lenient.read(stamp, LIMIT)
    source.error_of_stamp = _lost()
    gap = lenient.stamp()
    assert isinstance(gap.value, Gap)
    assert lenient.read(gap, LIMIT) == ()
    source.error_of_stamp = source.error
    with pytest.raises(TornError):
        lenient.stamp()


def test_a_fall_back_that_cannot_be_read_says_why() -> None:
    """And serves nothing; what it stands in for has no value then, and no documents."""
    own, instead = Text("a: 1"), Away("a: 0")
    fallback = Fallback(instead)
    reading = _reading(own, Text("b: 1"))
    assert fallback.mark() is not None
    laid = fallback.laid([own, own], reading, LIMIT)
    assert laid is not None
    assert [one.data for (one,) in laid[1].documents] == [b"a: 0", b"{}"]
    instead.error_of_stamp = _lost()
    assert fallback.mark() is None
    assert fallback.laid([own, own], reading, LIMIT) is None
    assert "does not exist" in str(fallback.error)
    wrong = Fallback(Text("a: ["))
    assert wrong.laid([own, own], reading, LIMIT) is None
    assert str(wrong.error).endswith("is no configuration")


# ------------------------------------------------------------------------- what is kept


def test_what_does_not_parse_has_no_content_and_may_be_secret() -> None:
    """Nobody can tell: it is not shown, and no layer of it is named."""
    good, bad = Text("a: 1"), Text("a: [")
    reading = _reading(good, bad)
    sources = [good, bad]
    assert content_of(sources, reading) is None
    assert len(layers_of(sources, reading)) == 1
    assert str(secret_in(sources, reading)) == f"{good.name}: does not parse, and may hold anything"
    assert secret_in([good], _reading(good)) is None


def test_a_large_content_is_looked_at_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that other threads run meanwhile."""
    naps: list[int] = []
    monkeypatch.setattr("reloadcheck._state.content.nap", lambda: naps.append(1))
    text = Text("\n".join(f"k{number}: {number}" for number in range(2500)))
    reading = _reading(text)
    kept_tree([text], reading)
    of_parsing = len(naps)
    assert secret_in([text], reading) is None
    assert len(naps) == 2 * of_parsing + 2


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b'{"documents": [5]}', b"x", b'{"documents": [{"name": "a"}]}']
)
def test_what_was_not_kept_by_us_is_told(data: bytes) -> None:
    """It is read back from a store that others can write."""
    with pytest.raises(ValueError, match=r"."):
        unpacked(data)
    text = Text("a: 1")
    kept = json.loads(packed([text], _reading(text)))
    kept["documents"][0]["data"] = "bm8gemxpYg=="
    with pytest.raises(ValueError, match="is no content that was kept"):
        unpacked(json.dumps(kept).encode())


def test_what_json_does_not_have_is_not_kept_for_siblings() -> None:
    """Nor what is nowhere in what may be kept."""
    written = freeze({"a": 1, "b": {"c": 2}}, None)
    odd: dict[str, Any] = {"a": {1, 2}}
    assert for_contract._is_kept(written, ("a",), 1)
    assert not for_contract._is_kept(written, ("nowhere",), 1)
    assert not for_contract._is_kept(odd, ("a",), {1, 2})


def test_a_record_of_a_statement_that_is_none_has_no_text() -> None:
    """Whoever wrote it."""
    assert text_in('{"text": "reloadcheck: approval 1"}') == "reloadcheck: approval 1"
    assert [text_in(one) for one in ("{", "[]", '{"text": 5}', "{}")] == [None] * 4


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"kept": 5, "left": []}', '{"kept": [[1]]}'])
def test_what_siblings_wrote_that_is_none_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """A worker starts with its own values then."""
    monkeypatch.setattr(process_start, "parent_id", lambda: "7.9")
    keeper = SimpleNamespace(records=lambda lead: {"7.9/code": text})
    beside: Any = SimpleNamespace(_keeper=keeper)
    assert for_contract.Beside.running(beside, "code") is None


# ---------------------------------------------------------------------- processes and people


def test_a_system_that_does_not_tell_of_processes_takes_nobody_for_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A member ends by its time to live alone there; and has no parent that it could name."""
    places = {"them": ("boot", 1, "9"), "us": ("boot", 2, "9")}
    monkeypatch.setattr(alive, "process_of", places.get)

    def refuse(*_: object, **__: object) -> str:
        raise OSError(38, "not implemented")

    monkeypatch.setattr(alive, "begun", lambda _: "8")
    assert alive.is_gone("them", "us")
    monkeypatch.setattr(alive, "begun", refuse)
    assert not alive.is_gone("them", "us")
    monkeypatch.setattr(os, "readlink", refuse)
    assert process_start.parent_id() is None


def test_nobody_is_taken_for_gone_where_boots_cannot_be_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each process has a space of its own then."""

    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refuse)
    assert member_id._space() != member_id._space()


def test_who_runs_a_command_is_known_by_name_or_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment, the system's list of users, or the number has it."""
    for name in ("SUDO_USER", "LOGNAME", "USER"):
        monkeypatch.delenv(name, raising=False)

    def unknown(number: int) -> None:
        raise KeyError(number)

    assert member_id.login().split("@")[0]
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert member_id.login().split("@")[0] == str(os.getuid())
    monkeypatch.setenv("LOGNAME", "dora")
    assert member_id.login().startswith("dora@")

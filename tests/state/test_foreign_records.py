"""What is on the board and was not written by this release: it is read as far as it makes sense."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reloadcheck._state.board import (
    Ban,
    Freeze,
    Hold,
    Member,
    Refusal,
    Round,
    State,
    state_from,
    view_of,
)
from reloadcheck._state.board import prefix_of as prefix_for
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry
from reloadcheck.seams.trial import Counted, Verdict
from reloadcheck.testing import FakeClock, MemoryStore

PREFIX = prefix_for("shop")
WHOLE = State(
    3,
    "A",
    "s-A",
    Hold("pin", "A", 3, "dora", 1.0),
    {"B": Ban(2, "dora", 1.0)},
    Round(7, "C", "s-C", "other"),
    Refusal("D", 1, ("other",), "config", "no"),
    Freeze(9.0, "dora", 1.0),
)
COUNTED = Counted(5, 20, {"failed": (3, 1, (0.0,) * 5)}, {"failed": {"a": (True, 0.2)}})
RECORDS: dict[str, Any] = {
    "state": WHOLE,
    "member/other": Member("web-2", 7, "2", "shop", version=1, content="A", in_step=(1.0, 2.0)),
    "seen/other": Member("web-2", 7),
    "entry/3": Entry(3, "reloaded", 1.0, "A", changed=("a",), layers={"a": "b"}),
    "trial/d/other": COUNTED,
    "verdict/d/trial": Verdict("undo", "undone-errors", "it fails"),
}
ODD: list[Any] = [None, "x", 2.5, True, [], [1], {"x": 1}, {"x": {}}]


def _odd_texts(record: Any) -> list[str]:
    """Return a record with each of its fields gone, or something else, once."""
    whole: dict[str, Any] = asdict(record)
    left_out = [{n: v for n, v in whole.items() if n != name} for name in whole]
    odd = [{**whole, name: value} for name in whole for value in ODD]
    more = [{**whole, "of_a_later_release": value} for value in ODD]
    return [json.dumps(one) for one in (*left_out, *odd, *more, *ODD)] + ["", "{", "\0"]


@pytest.mark.parametrize("key", RECORDS)
def test_no_record_of_another_ends_what_a_worker_does(key: str) -> None:
    """Whatever is in it: the store is not away for that, and this worker is on the board."""
    store = MemoryStore()
    member = Member("web-1", 1, version=1, content="A")
    keeper = Keeper(store, lambda: PREFIX, lambda: member, clock=FakeClock())
    keeper.begin()
    keeper.pool.begin("d")
    failed: list[tuple[str, str]] = []
    for text in _odd_texts(RECORDS[key]):
        store.put({PREFIX + key: text})
        keeper.step()
        if keeper.known.error is not None:
            failed.append((text, keeper.known.error))
    assert failed == []
    keeper.step()
    board = store.look(PREFIX)
    assert board is not None
    assert keeper.id in view_of(board, PREFIX).members


def test_what_makes_sense_of_a_state_is_kept() -> None:
    """A field that this release cannot read is as if it were not there; the others count."""
    found: dict[str, Any] = json.loads(WHOLE.to_text())
    assert state_from(found) == WHOLE
    assert state_from({**found, "edition": "x", "later": 1}) == State(
        0, "A", "s-A", WHOLE.hold, WHOLE.banned, WHOLE.round, WHOLE.refused, WHOLE.freeze
    )
    assert state_from({**found, "hold": {"content": "A"}}).hold is None
    assert state_from({**found, "freeze": {"until": 9, "by": 4}}).freeze == Freeze(9.0)


@pytest.mark.parametrize("until", [1e18, 1e300, 253_402_300_740.0, -1e18])
def test_a_time_of_another_has_a_date(until: float) -> None:
    """A script may order a freeze until a time that no calendar has."""
    freeze = state_from({"freeze": {"until": until}}).freeze
    assert freeze is not None
    assert freeze.until is not None
    for zone in ("America/New_York", "Asia/Tokyo"):
        assert 1 <= datetime.fromtimestamp(freeze.until, ZoneInfo(zone)).year <= 9999


def test_what_is_no_number_is_no_time() -> None:
    """JSON as Python writes it has words for such."""
    state = state_from(json.loads('{"freeze": {"until": Infinity, "at": NaN}}'))
    assert state.freeze == Freeze()

"""One worker's part in deciding together, told by hand what its engine comes to."""

from reloadcheck import Together
from reloadcheck._state.board import Member
from reloadcheck._state.ledger import Entry
from reloadcheck._state.rounds import Offer, Rounds
from reloadcheck.testing import FakeClock, MemoryStore


def _rounds() -> Rounds:
    return Rounds(Together(), MemoryStore(), FakeClock(), Member, lambda anew: None)


def _offer(content: str) -> Offer:
    return Offer(content, Entry(None, "reloaded", 0.0, content, f"source of {content}"), None)


def test_what_was_built_is_let_go_as_soon_as_something_else_is_read() -> None:
    """So that nobody says that it has ready what the next build takes the place of."""
    rounds = _rounds()
    rounds.built(_offer("B"))
    offered: list[Offer | None] = []
    for content in ("B", "C", "B"):
        rounds.read(content, content, f"source of {content}")
        offered.append(rounds.offer)
    assert offered == [_offer("B"), None, None]


def test_what_was_built_of_another_reading_is_let_go() -> None:
    """A secret that was rotated is in no content, and in each reading."""
    rounds = _rounds()
    rounds.built(_offer("B"))
    rounds.read("B", "B", "source of B, with another secret")
    assert rounds.offer is None

"""One worker beside a store that a test tells by hand: what it serves, has read and is ordered."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from reloadcheck._load.source_set import SourceSet
from reloadcheck._state.board import Ban, Hold, State, View
from reloadcheck._state.decide import Decision
from reloadcheck._state.edit_row import Rows
from reloadcheck._state.gate import StoreGate
from reloadcheck._state.this_worker import ThisWorker
from reloadcheck.seams.feed import Loaded
from reloadcheck.seams.gates import Answer, Defer, Proposal, Reject, Wait
from reloadcheck.testing import FakeClock, MemorySource
from reloadcheck.types import TIMER, Diff, Phase

__all__ = ["FALLEN", "PIN", "ROLLED", "UNDONE", "Site", "edit", "lost", "said"]

UNDONE = Ban(at=0.0, why="undone: version 2", cause="undone")
ROLLED = Ban(edition=2, by="dora", at=0.0, why="slow")
PIN = Hold("pin", "A", 1, by="dora")
FALLEN = Hold("fallback", None, by="dora")


def edit(content: str = "B", *, first: bool = False) -> Proposal:
    """Return an edit whose source digest is `s-` and its content."""

    def loaded(of: str) -> Loaded[Any]:
        return Loaded(None, {}, f"d-{of}", f"s-{of}", ())

    old = None if first else loaded("A")
    phases = (Phase("build", 0.0, 0.25),)
    return Proposal(
        old, loaded(content), Diff(), (), TIMER, 7.0, actor="arno", reason="x", phases=phases
    )


@dataclass
class Site:
    """One worker that serves A, has read A and B, and asks about edits; all of it is told."""

    state: State = field(default_factory=State)
    decision: Decision = field(default_factory=lambda: Decision("B"))
    order: Hold | None = None
    rounds: Any = None
    entries: Mapping[str, Any] = field(default_factory=dict[str, Any])
    served: Sequence[str] = ()
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        """Put them together."""
        store = _told(retention=_told(content=True))
        self.keeper = _told(
            rounds=self.rounds, id="me", told=threading.Event(), store=store, wake=lambda: None
        )
        self.want(self.state)
        options = _told(release=None, secrets=())
        self.worker = ThisWorker(lambda: options, self.clock, self.keeper)
        self.worker.serving = "A"
        self.sources = SourceSet((MemorySource("a: 1"),))
        for each in "AB":
            self.read(each, f"s-{each}")
        self.feed = _told(decision=self.decision, order=self.order)
        beside = _told(served=lambda digest: digest in self.served)  # pyright: ignore[reportUnknownLambdaType]
        self.gate = StoreGate(
            self.worker,
            self.feed,
            Rows(self.worker, lambda: self.sources.sources),
            beside,
            fallback=None,
        )

    def read(self, content: str | None, digest: str) -> None:
        """Have the sources hold something, by its content and its digest."""
        reading = self.sources.read(self.sources.look(), 1 << 20)
        self.worker.learn(replace(reading, digest=digest), content)

    def want(self, state: State) -> None:
        """Have another state read."""
        view = View(state=state, entries=self.entries)
        self.keeper.known = _told(view=view, contents={}, error=None)


def _told(**facts: Any) -> Any:
    """Return a stand-in that knows what a test tells it."""
    return SimpleNamespace(**facts)


def said(answer: Answer) -> tuple[str, str]:
    """Return code and words of an answer that holds an edit back or refuses it."""
    if isinstance(answer, Reject):
        return answer.code, answer.problems[0].reason
    assert isinstance(answer, Wait | Defer)
    return answer.code, answer.why


def lost() -> Any:
    """Return what is known of rounds while the store is away for long."""
    away = list[str | None]()
    return SimpleNamespace(
        offer=None,
        deadline=10.0,
        alone_after=None,
        lost_for=11.0,
        is_refused=lambda view, content: False,  # pyright: ignore[reportUnknownLambdaType]
        turned_away=away.append,
    )

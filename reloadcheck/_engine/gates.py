"""Ask the gates between an edit and what serves, twice about one proposal; make one answer of all.

Carrying it out is `permission`'s. After the diff and before the build (*may it?*), and after the
probes and before the swap (*now?*). Gates run as foreign code does, in a call thread with a
time-out, and never on the request path. One answer is made of all: a rejection wins over a wait, a
wait over keys that keep their value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .._observe.listeners import Listeners
from .._runtime.jobs import OverdueError
from .._snapshots.snapshot import unnumbered
from ..exceptions import RefusedError
from ..seams.feed import Feed, Loaded
from ..seams.gates import (
    GO,
    Answer,
    Defer,
    Gate,
    Go,
    Keep,
    Opening,
    Proposal,
    Rehearsing,
    Reject,
    Remembering,
    Share,
    Wait,
    Watching,
)
from ..seams.trial import Stage
from ..types import Code, Problem
from .rehearsal_stage import Send

T = TypeVar("T")


class Caller(Protocol):
    """How the engine thread has work done elsewhere."""

    def load(self, work: Callable[[], T]) -> T:
        """Run in the reader thread for as long as it takes."""
        ...

    def call(self, name: str, work: Callable[[], T], timeout: float) -> T:
        """Run in a call thread; `OverdueError` after `timeout` seconds."""
        ...


def _nobody() -> Send | None:
    """Know no application."""
    return None


@dataclass(frozen=True, slots=True)
class Seams:
    """What reaches an engine from outside: what it reads, who is asked, and who is told.

    `hide` takes names of further keys whose values are shown nowhere; `send` returns what sends
    requests to the application, None while none is known. `edition` returns the store's number of
    a version.
    """

    feed: Feed
    gates: tuple[Gate, ...]
    listeners: Listeners
    hide: Callable[[frozenset[str]], None]
    send: Callable[[], Send | None] = _nobody
    edition: Callable[[int], int | None] = unnumbered


class Gates:
    """The gates of one engine, asked one after another in the order of their registration."""

    def __init__(self, gates: Sequence[Gate], caller: Caller) -> None:
        self._gates = tuple(gates)
        self._caller = caller

    def __bool__(self) -> bool:
        return bool(self._gates)

    def open(self) -> frozenset[str]:
        """Let the gates read what is theirs; return names of keys whose values are secret."""
        opening = [one for one in self._gates if isinstance(one, Opening)]
        if not opening:
            return frozenset()
        return self._caller.load(lambda: frozenset[str]().union(*(one.open() for one in opening)))

    def pending(self) -> tuple[str, ...]:
        """Return what of theirs waits for a restart."""
        opening = [one for one in self._gates if isinstance(one, Opening)]
        if not opening:
            return ()
        return self._caller.load(lambda: tuple(one for gate in opening for one in gate.pending()))

    def served(self, loaded: Loaded[Any]) -> bool:
        """Return whether a gate knows that a configuration served before this process did."""
        return any(one.served(loaded) for one in self._gates if isinstance(one, Remembering))

    def taken_back(self, loaded: Loaded[Any]) -> None:
        """Let the gates know at once that a configuration is taken back."""
        for gate in self._gates:
            if isinstance(gate, Remembering):
                gate.taken_back(loaded)

    def may(self, proposal: Proposal) -> Answer:
        """Ask each gate before the build."""
        return _together([self._asked(one, one.may, proposal) for one in self._gates])

    def now(self, proposal: Proposal, *, is_tried: bool = False) -> Answer:
        """Ask each gate before the swap; who tries edits, only once the others let it through.

        So the time of a trial counts from its first unit of work. `is_tried`: it is under way, and
        whoever judges it is heard with the rest.
        """
        answers: dict[int, Answer] = {}
        trying = [each for each, one in enumerate(self._gates) if isinstance(one, Watching)]
        for each, one in enumerate(self._gates):
            if is_tried or each not in trying:
                answers[each] = self._asked(one, one.now, proposal)
        if any(isinstance(one, Reject | Wait | Defer) for one in answers.values()):
            return _together(list(answers.values()))
        for each in trying:
            if each not in answers:
                answers[each] = self._asked(self._gates[each], self._gates[each].now, proposal)
        return _together([answers[each] for each in sorted(answers)])

    @property
    def rehearse_something(self) -> bool:
        """Return whether one of them tries edits by itself."""
        return any(isinstance(one, Rehearsing) for one in self._gates)

    def rehearse(self, proposal: Proposal, new: Stage, old: Stage) -> Answer:
        """Let those who do try an edit by themselves."""

        def asked(one: Rehearsing) -> Callable[[Proposal], Answer]:
            return lambda edit: one.rehearse(edit, new, old)

        rehearsing = [one for one in self._gates if isinstance(one, Rehearsing)]
        return _together([self._asked(one, asked(one), proposal) for one in rehearsing])

    def after(self, proposal: Proposal) -> Answer:
        """Ask those who go on judging, while the version before is kept ready."""
        watching = [one for one in self._gates if isinstance(one, Watching)]
        return _together([self._asked(one, one.after, proposal) for one in watching])

    def _asked(
        self, gate: Gate, question: Callable[[Proposal], Answer], proposal: Proposal
    ) -> Answer:
        try:
            return self._caller.call(f"gate {gate.name}", lambda: question(proposal), gate.seconds)
        except OverdueError:
            reason = f"{gate.name} did not answer within {gate.seconds:g} s"
        except Exception as error:
            if type(error).__module__.startswith("reloadcheck._engine"):
                raise  # the engine stops
            reason = f"{gate.name} failed with {type(error).__name__}"
        return Reject((Problem(reason),), Code.INTERNAL)


def refused(answer: Reject) -> RefusedError:
    """Return the error that an answer stands for."""
    return RefusedError(*answer.problems, code=answer.code)


def _together(answers: Sequence[Answer]) -> Answer:
    """Make one answer of all of them; every reason to reject is told at once."""
    rejections = [one for one in answers if isinstance(one, Reject)]
    # That it was taken back says nothing where its verdict is told just now.
    rejections = [one for one in rejections if one.code != Code.UNDONE_BEFORE] or rejections
    if rejections:
        problems = tuple(problem for one in rejections for problem in one.problems)
        return Reject(problems, rejections[0].code, rejections[0].outcome)
    for kind in (Wait, Defer, Share):
        found = [one for one in answers if isinstance(one, kind)]
        if found:
            return found[0]
    watched = [one for one in answers if isinstance(one, Go) and one.watch is not None]
    if watched:
        return watched[0]
    through = [one for one in answers if isinstance(one, Go | Keep)]
    kept = dict.fromkeys(path for one in through if isinstance(one, Keep) for path in one.paths)
    remarks = tuple(remark for one in through for remark in one.remarks)
    given = [one for one in through if one.actor is not None]
    actor, reason = (given[0].actor, given[0].reason) if given else (None, None)
    override = any(one.override for one in given)
    if kept:
        trees = [one.values for one in through if isinstance(one, Keep) and one.values is not None]
        values = {key: value for each in trees for key, value in each.items()} if trees else None
        return Keep(tuple(kept), remarks, actor, reason, override, values)
    return Go(remarks, actor, reason, None, override) if remarks or given else GO

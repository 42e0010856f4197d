"""Gates that answer what the question has no use for, or do not answer at all."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck._engine.gates import Gates
from reloadcheck._engine.permission import Permission
from reloadcheck._runtime.jobs import OverdueError
from reloadcheck.seams.gates import GO, Answer, Keep, Proposal, Reject, Share
from reloadcheck.types import Code
from tests.support.fixtures import Make
from tests.support.rig import Text, begin


class _Gate:
    """A gate that answers so, before the build and before the swap."""

    name = "odd"
    seconds = 5.0

    def __init__(self, before: Answer, after: Answer) -> None:
        self._before, self._after = before, after

    def may(self, proposal: Proposal) -> Answer:
        """Answer before the build; at the first load let it through."""
        return GO if proposal.old is None else self._before

    def now(self, proposal: Proposal) -> Answer:
        """Answer before the swap."""
        return GO if proposal.old is None else self._after


_UNITS: Any = SimpleNamespace()


@pytest.mark.parametrize(("before", "after"), [(Share(_UNITS), GO), (GO, Keep(()))])
def test_an_answer_to_another_question_holds_nothing_up(
    make: Make, text: Text, before: Answer, after: Answer
) -> None:
    """Before the build nothing can be shared yet, before the swap nothing kept: it goes live."""
    live = make()
    engine_of(live).gates.append(_Gate(before, after))
    begin(live)
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.a == 2


class _Late:
    """A caller whose call threads do not come back."""

    def call(self, name: str, work: Callable[[], Any], timeout: float) -> Any:
        """Be overdue."""
        raise OverdueError


def test_a_gate_that_does_not_answer_rejects() -> None:
    """In a sentence that names it: nothing goes live that it was not asked about."""
    asking: Any = SimpleNamespace(_caller=_Late())
    proposal: Any = SimpleNamespace()
    gate = _Gate(GO, GO)
    answer = Gates._asked(asking, gate, gate.may, proposal)
    assert isinstance(answer, Reject)
    assert (answer.code, answer.problems[0].reason) == (
        Code.INTERNAL,
        "odd did not answer within 5 s",
    )


def test_gates_whose_files_hang_put_every_edit_off() -> None:
    """As a hanging disk does; they are opened at the next check."""

    def hang() -> None:
        raise OverdueError

    asked: Any = SimpleNamespace(
        _clock=SimpleNamespace(monotonic=lambda: 10.0),
        _gates=SimpleNamespace(open=hang, __bool__=lambda self: True),
        _gates_at=0.0,
        _open=False,
    )
    conclusion = Permission.open(asked)
    assert conclusion is not None
    assert conclusion.outcome is Outcome.DEFERRED
    assert "is its disk hanging?" in str(conclusion.error)
    assert asked._open is False

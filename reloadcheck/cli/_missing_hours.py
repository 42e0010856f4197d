"""Which windows of a contract will not open for a night, as clocks that are set forward skip it."""

from collections.abc import Iterator

from ..types import Code, Problem, printable
from ._inputs import Inputs
from ._reading import Fault

__all__ = ["missing_hours"]


def missing_hours(inputs: Inputs, at: float) -> Iterator[Fault]:
    """Warn of each window with its first such night within a year; `at` is in epoch seconds."""
    if inputs.contract is None or inputs.contract_error is not None:
        return
    terms = inputs.contract.terms
    for window in terms.windows.values():
        day = next(window.left_out(at), None)
        if day is not None:
            reason = f"on {day:%Y-%m-%d} clocks leave that time out: it does not open"
            sentence = f"window {printable(window.name)}: {reason}"
            problem = Problem(sentence, terms.name, window.line, window.column)
            yield Fault("warning", Code.WINDOW, problem)

"""A scheduler that stops a function at each of its lines in turn, and lets a test act there.

A race is an act of another thread between two lines. Instead of waiting for luck, a test runs the
whole situation once for each of `lines_of` the functions that it is about, and acts at that one.
"""

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

__all__ = ["acting_at_line", "code_of", "interleaved", "lines_of"]

SECONDS = 30.0
"""Seconds after which a thread that should be at its line counts as not coming there."""


def code_of(function: Any) -> CodeType:
    """Return the code of a function, a method or a property."""
    function = getattr(function, "fget", function)
    code: CodeType = getattr(function, "__func__", function).__code__
    return code


def lines_of(*functions: Any) -> list[tuple[CodeType, int]]:
    """Return each line of the functions that can be stopped at, in order."""
    lines: list[tuple[CodeType, int]] = []
    for code in map(code_of, functions):
        numbers = {number for _, _, number in code.co_lines() if number is not None}
        lines += [(code, number) for number in sorted(numbers - {code.co_firstlineno})]
    return lines


class acting_at_line:
    """Call `act` once, before the thread that enters this runs the line for the first time."""

    def __init__(self, line: tuple[CodeType, int], act: Callable[[], object]) -> None:
        self._code, self._number = line
        self._act = act
        self._before: Any = None
        self.acted = False

    def __enter__(self) -> "acting_at_line":
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code is not self._code or self.acted:
            return None
        return self._trace_line

    def _trace_line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line" and frame.f_lineno == self._number and not self.acted:
            self.acted = True
            sys.settrace(None)
            self._act()
            sys.settrace(self._trace)
        return self._trace_line


def interleaved(
    first: Callable[[], object],
    at: tuple[CodeType, int],
    second: Callable[[], object],
    until: tuple[CodeType, int],
) -> None:
    """Run `first` to a line, then `second` in another thread to a line, then both to their ends.

    The rest of `first` comes before the rest of `second`.
    """
    stopped, go_on = threading.Event(), threading.Event()

    def hold_still() -> None:
        stopped.set()
        go_on.wait(SECONDS)

    def run() -> None:
        with acting_at_line(until, hold_still):
            second()
        stopped.set()

    other = threading.Thread(target=run, daemon=True)

    def begin() -> None:
        other.start()
        assert stopped.wait(SECONDS)

    with acting_at_line(at, begin) as stop:
        first()
    if not stop.acted:
        begin()
    go_on.set()
    other.join(SECONDS)

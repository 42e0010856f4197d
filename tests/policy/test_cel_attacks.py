"""Hostile and clumsy rules: refused in a second, and the event loop goes on meanwhile."""

import asyncio
import importlib
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reloadcheck.policy import cel
from reloadcheck.policy.cel import Expression, compiled, in_child, interpreter
from reloadcheck.policy.terms import CelRule
from tests.support.lateness import Stopwatch

BIG: dict[str, Any] = {"l": list(range(1_900)), "s": "a" * 30_000, "m": {"a": {"x": 1.5}}}


def expression(text: str) -> Expression:
    """Return a compiled rule."""
    found = compiled(CelRule(("l",), text, "says", 1, 1))
    assert isinstance(found, Expression), found
    return found


def verdict(text: str, data: Mapping[str, Any] | None = None) -> str | None:
    """Return the code of what a rule says, None where it holds."""
    found = expression(text).judge(None, BIG if data is None else data, "production")
    return None if found is None else str(found[1])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("self.l.all(a, a >= 0)", None),
        ("self.l.all(a, a > 0)", "rule"),
        ("self.l.filter(a, a > 5).size() == 1894", None),
        ("self.m.all(k, self.m[k].x == 1.5)", None),
        ("self.m.exists(k, self.m[k].y == 1.5)", "rule-error"),
        ('self.m.all(k, environment == "production")', None),
    ],
)
def test_a_rule_that_walks_a_list_is_asked_elsewhere(text: str, code: str | None) -> None:
    """It comes to the same, whatever type its values have."""
    assert verdict(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "self.l.map(a, self.l.map(b, self.l.map(c, a))).size() > 0",
        "self.l.map(a, self.s + self.s + self.s).size() > 0",
        "self.l.map(a, self.l.map(b, self.s + self.s)).size() > 0",
    ],
)
def test_a_rule_that_explodes_holds_nobody_up(text: str) -> None:
    """It is ended, in a process of its own; measured: the loop was held for seconds before."""
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(verdict(text)))

    async def watched() -> float:
        worst, watch = 0.0, Stopwatch()
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0.001)
            worst, watch = max(worst, watch.seconds), Stopwatch()
        return worst

    held = asyncio.run(watched())
    assert found[0] in (None, "rule-error")
    assert held < 0.5  # 50 ms on a machine with nothing else to do; it was 1.5 to 7 s


def test_text_is_bounded_as_values_are() -> None:
    """Megabytes of text are not handed over, for copying them would hold the interpreter."""
    data = {"s": "a" * (cel.MOST_TEXT + 1)}
    found = expression('self.s != ""').judge(None, data, None)
    assert found is not None
    assert "more than 2,000 values or 64 KiB of text" in found[0].reason


def test_the_interpreter_is_found_behind_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server such as uWSGI says of itself that it is the interpreter."""
    monkeypatch.setattr(sys, "executable", "/usr/sbin/uwsgi")
    assert Path(interpreter()).name.startswith("python")
    assert in_child("[1].all(a, a == 1)", {"self": {}, "oldSelf": {}, "environment": ""}) is True


def test_the_child_needs_nothing_of_ours() -> None:
    """It is started as a file, without site packages but the library's, and imports no package."""
    module = importlib.import_module("reloadcheck.policy.cel_child")
    text = Path(str(module.__file__)).read_text()
    assert "reloadcheck" not in text

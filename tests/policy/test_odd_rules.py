"""Rules whose values come seldom, and the process of its own that some are evaluated in."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false

import io
import json
import sys
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck._config.freeze import freeze
from reloadcheck.policy import cel_child
from reloadcheck.policy.cel import LONGEST, MOST_NODES, Expression, _plain, _TooLargeError, compiled
from reloadcheck.policy.rules import _keywords
from reloadcheck.policy.terms import CelRule


def _rule(text: str) -> CelRule:
    return CelRule(("a",), text, "says", 2, 1)


def _compiled(text: str) -> Expression:
    found = compiled(_rule(text))
    assert isinstance(found, Expression)
    return found


def test_a_rule_is_no_novel_and_comes_to_true_or_false() -> None:
    """Both are told at the start."""
    assert compiled(_rule("true || " * LONGEST + "true")) == "a rule has at most 1,000 characters"
    assert compiled(_rule("1 + 1")) == "must come to true or false"


def test_a_rule_about_all_is_asked_of_each_edit() -> None:
    """It names no part, so that each new configuration concerns it, and the same one does not."""
    rule = _compiled("size(self) > 0")
    one, other = freeze({"a": 1}, None), freeze({"a": 1}, None)
    assert (rule.concerns(one, one), rule.concerns(one, other)) == (False, True)


class Level(Enum):
    """A value that a schema makes of a text."""

    LOW = "low"


class Number(IntEnum):
    """One that it makes of a number."""

    ONE = 1


class Half(float):
    """A number of somebody's own."""


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Level.LOW, "low"),
        (Number.ONE, 1),
        (Half(0.5), 0.5),
        (date(2026, 11, 30), "2026-11-30"),
        (2**64, str(2**64)),
        (timedelta(seconds=90), "0:01:30"),
        (Decimal("1.5"), "1.5"),
        ((1, {"a": Level.LOW}), [1, {"a": "low"}]),
    ],
)
def test_rules_are_asked_about_plain_values(value: object, plain: object) -> None:
    """What CEL has no type for is its text; the library takes the built-in types alone."""
    found = _plain(value, [100, 100])
    assert (found, type(found)) == (plain, type(plain))


def test_a_rule_is_not_asked_about_more_than_it_can_take() -> None:
    """Neither in values nor in text: it would hold the interpreter."""
    with pytest.raises(_TooLargeError):
        _plain([0] * 3, [3, 100])
    with pytest.raises(_TooLargeError):
        _plain(["x" * 60, "x" * 60], [10, 100])
    problem = _compiled("self.a.size() > 0").judge(None, {"a": [0] * (MOST_NODES + 1)}, None)
    assert problem is not None
    assert "has more than 2,000 values" in problem[0].reason


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("self.a.all(x, x > 0)", "true"),
        ("self.a.exists(x, x > 5)", "false"),
        ("self.nowhere", "neither"),
        ("environment == 'production' && oldSelf.a.size() == 1", "true"),
    ],
)
def test_the_process_of_a_rule_says_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rule: str, word: str
) -> None:
    """And has a second, a gigabyte and no core file to say it."""
    limits: dict[str, Any] = {}
    kinds = {"RLIMIT_CPU": "cpu", "RLIMIT_AS": "memory", "RLIMIT_CORE": "core"}
    resource = SimpleNamespace(setrlimit=limits.__setitem__, **kinds)
    data = {"self": {"a": [1, 2]}, "oldSelf": {"a": [1]}, "environment": "production"}
    monkeypatch.setattr(cel_child, "resource", resource)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"rule": rule, "data": data})))
    monkeypatch.setattr(sys, "path", [*sys.path])
    cel_child.main("/place/of/the/library")
    assert capsys.readouterr().out == f"{word}\n"
    assert sys.path[-1] == "/place/of/the/library"
    assert limits == {"cpu": (1, 1), "memory": (2**30, 2**30), "core": (0, 0)}


def test_the_process_of_a_rule_works_where_there_are_no_limits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On Windows the time-out alone ends it."""
    given = {"rule": "true", "data": {"self": {}, "oldSelf": {}, "environment": ""}}
    monkeypatch.setattr(cel_child, "resource", None)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(given)))
    monkeypatch.setattr(sys, "path", [*sys.path])
    cel_child.main("/place")
    assert capsys.readouterr().out == "true\n"


def test_a_rule_in_python_that_does_not_tell_its_parameters_is_called_with_one() -> None:
    """A builtin says nothing of them."""
    assert _keywords(max) == frozenset()
    assert _keywords(lambda config, *, old: True) == {"old"}

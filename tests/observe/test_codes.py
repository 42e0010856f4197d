"""Each way to fail has one stable code, the same everywhere; the docs say what to do."""

import inspect
import logging
import re
from pathlib import Path
from typing import Any

import pytest

import reloadcheck
from reloadcheck import Outcome, ReloadCheck, ReloadEvent, exceptions
from reloadcheck._engine import checker as _check
from reloadcheck._engine import reloader as _reload
from reloadcheck._engine import thread as _thread
from reloadcheck.types import Code
from tests.support.fixtures import Make
from tests.support.rig import Text, until

ERRORS = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")

STABLE = [
    "source-unreadable", "torn", "unsettled", "hanging", "syntax", "merge", "schema", "factory",
    "probe", "timeout", "resource", "drain", "config", "usage", "internal", "forced-close",
    "close", "listener", "store", "rule", "rule-error", "contract", "range", "required", "window",
    "freeze", "approval", "signature", "restart", "banned", "pinned", "frozen", "fallback",
    "refused", "waiting", "booted-last-good", "undone-failed", "undone-slow", "undone-marked",
    "undone-shadow", "undone-by-hand", "undone-before", "worker-lost", "watch", "trouble",
    "rehearsal", "superseded", "unjudged",
]  # fmt: skip


def test_the_codes_are_pinned() -> None:
    """A code is a contract: none is renamed or dropped unnoticed."""
    assert [str(code) for code in Code] == STABLE


def test_the_documentation_explains_each_code() -> None:
    """The table of the page on errors has a row for every code, in order, and no other."""
    section = ERRORS.split("\n## ", 1)[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$", section, re.M)
    assert [code for code, _, _ in rows] == STABLE


def test_every_error_has_a_code_of_the_list() -> None:
    """No error class, public or not, has a code that is not in the enumeration."""
    found: list[type[BaseException]] = []
    for module in (exceptions, _check, _reload, _thread):
        for _, value in inspect.getmembers(module, inspect.isclass):
            if issubclass(value, reloadcheck.ReloadCheckError):
                found.append(value)
                assert value.code in set(Code), value
    assert {"HangingError", "UnsettledError", "DrainError", "InternalError"} <= {
        one.__name__ for one in found
    }


def failing(text: Text, kind: str) -> None:
    """Break a configuration in one way."""
    if kind == "source-unreadable":
        text.unreadable()
    else:
        text.write({"syntax": "a: [", "schema": "b: 1", "factory": "a: factory"}.get(kind, kind))


def build(a: object) -> object:
    """Refuse one value."""
    if a == "factory":
        raise ConnectionError
    return a


def good(a: object) -> bool:
    """Refuse another."""
    return a != "probe"


@pytest.mark.parametrize("kind", ["source-unreadable", "syntax", "schema", "factory", "probe"])
def test_a_code_is_the_same_everywhere(
    make: Make, text: Text, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Status, time line, log record and event of one failure carry the same code."""
    live: ReloadCheck[Any] = make(text, settle=0.0)
    live.resource("a", name="a", probe=good)(build)
    events: list[ReloadEvent] = []
    live.subscribe(events.append)
    live.start()
    until(lambda: len(events) == 1)
    caplog.set_level(logging.INFO, "reloadcheck")
    failing(text, "a: probe" if kind == "probe" else kind)
    live.check()
    outcome = live.check()  # what cannot be read is believed once it lasts
    status = live.status()
    deferred = kind == "source-unreadable"
    assert outcome is (Outcome.DEFERRED if deferred else Outcome.REJECTED)
    (record,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    attempt = status.attempt
    assert attempt is not None
    assert {kind} == {status.code, attempt.code, record.__dict__["config_code"]}
    if not deferred:
        until(lambda: len(events) == 2)
        assert (kind, Outcome.REJECTED) == (events[1].code, events[1].outcome)

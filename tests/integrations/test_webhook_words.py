"""What a webhook sends and says where something comes seldom: forks, addresses with a password."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import http.client
import logging
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck._observe.events import ReloadEvent
from reloadcheck._observe.identity import Identity
from reloadcheck.exceptions import ConfigError, NoSnapshotError
from reloadcheck.integrations import _commands, webhook
from reloadcheck.integrations._webhook_post import PostError, _cut, post
from reloadcheck.integrations.webhook import _Hook, _text
from reloadcheck.types import Diff, Problem
from tests.support.rig import Text

EVENT = ReloadEvent(Outcome.UNDONE, 3, "d", Diff())


def _hook(url: Any = "http://dora:s%20x@127.0.0.1:1/hook") -> _Hook:
    live: ReloadCheck[Any] = ReloadCheck(Text("a: 1"), app="shop", environ={})
    return _Hook(engine_of(live), url, None, frozenset({"undone"}), {}, 1.0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "has not answered within 5 s"),
        (http.client.BadStatusLine("quoted"), "has not answered in time, or not by HTTP"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            "cannot be reached: connection refused",
        ),
        (ValueError("quoted"), "cannot be asked"),
        (AttributeError("quoted"), "cannot be asked"),
    ],
)
def test_why_a_receiver_was_not_told_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    """Neither the address, which may be a secret, nor an answer."""

    def request(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(http.client.HTTPConnection, "request", request)
    with pytest.raises(PostError) as caught:
        post(urlsplit("http://127.0.0.1:1/canary"), {}, b"{}", 5.0)
    assert str(caught.value) == words


def test_a_connection_that_was_not_made_yet_is_not_cut() -> None:
    """Its time is over all the same."""
    connection = http.client.HTTPConnection("127.0.0.1", 1)
    _cut(connection)
    assert connection.sock is None


def test_an_address_with_a_user_is_asked_with_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a header, and in no log."""
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(
        webhook, "post", lambda url, headers, body, timeout: sent.append(dict(headers))
    )
    hook = _hook()
    hook._send(urlsplit("http://dora:s%20x@127.0.0.1:1/hook"), b"{}")
    assert sent[0]["Authorization"] == "Basic ZG9yYTpzIHg="


def test_an_address_that_cannot_be_had_tells_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The kind of the error is logged, and not its words; the thread ends."""

    def address() -> str:
        raise RuntimeError("canary")

    hook = _hook(address)
    hook._waiting.append(EVENT)
    with caplog.at_level(logging.WARNING, "reloadcheck"):
        hook._run()
    assert [record.getMessage() for record in caplog.records] == [
        "the webhook failed with RuntimeError"
    ]
    assert hook._sends is False


def test_a_forked_child_has_a_queue_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its parent had still to tell is the parent's to tell."""
    begun: list[str] = []

    def daemon(name: str, *_: object) -> Any:
        return SimpleNamespace(start=lambda: begun.append(name))

    monkeypatch.setattr(webhook, "daemon", daemon)
    hook = _hook()
    hook._waiting.append(EVENT)
    lock = hook._lock
    hook._pid = -1
    hook.hear(EVENT)
    assert (len(hook._waiting), hook._pid, begun) == (1, os.getpid(), ["webhook"])
    assert hook._lock is not lock
    assert isinstance(lock, type(threading.Lock()))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("undone: too many errors", "edit undone: too many errors; version 3 serves"),
        (None, "edit undone; version 3 serves"),
    ],
)
def test_an_edit_that_was_undone_is_told_in_a_sentence(error: str | None, said: str) -> None:
    """With its reason, where there is one."""
    who = Identity("shop", "web1", 9, None, "/srv")
    assert _text(EVENT, "undone", who, error) == f"shop on web1: {said}"


def test_a_command_of_a_framework_says_why_nothing_can_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In its problems, or in a sentence; never in a traceback."""
    live: Any = SimpleNamespace()

    def bad() -> None:
        raise ConfigError(Problem("is missing", "shop.yaml", 1, 2))

    def unusable() -> None:
        raise NoSnapshotError("the engine is closed")

    live.start = bad
    answer = _commands._tried(live, _commands.status)
    assert (answer.good, answer.text) == (False, "shop.yaml:1:2: is missing")
    live.start = unusable
    answer = _commands._tried(live, _commands.status)
    assert (answer.good, answer.text) == (False, "the engine is closed")

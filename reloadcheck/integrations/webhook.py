"""A webhook: one POST of JSON for each state that people should hear of, once a host.

Nothing waits for it: events are queued, and a thread of its own, which keeps no process from
ending, sends them. Bodies hold key paths and scrubbed texts, never values.
"""

import hmac
import json
import os
import random
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, unquote

from .._engine.api import ReloadCheck, engine_of
from .._engine.engine import Engine
from .._observe.events import ReloadEvent
from .._observe.identity import Identity, identity
from .._observe.remedies import remedy_of
from .._runtime.addresses import address_of
from .._runtime.log import WARNING, log
from .._runtime.threads import daemon
from ..exceptions import OptionError
from ..types import Code, Outcome, key_path_text, printable
from ._webhook_claims import Claims
from ._webhook_post import PostError, post

__all__ = ["SIGNATURE", "notify"]

SIGNATURE: Final = "X-Reloadcheck-Signature"
"""The header that has `sha256=` and the HMAC of the body by the secret, in hex."""

TIMEOUT: Final = 5.0
STATES: Final = (*(str(outcome) for outcome in Outcome), "override")
PAUSES: Final = (0.5, 2.0)
"""Seconds between the three tries, and up to as much again by chance."""

_NO_ADDRESS: Final = "a webhook is told at an address as https://host/path"
_MOST_KEYS: Final = 20
_MOST_WAITING: Final = 100


def notify(
    live: ReloadCheck[Any],
    url: str | Callable[[], str],
    *,
    secret: str | bytes | Callable[[], str | bytes] | None = None,
    on: Collection[str] = ("rejected", "undone", "override"),
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Callable[[], None]:
    """POST JSON to `url` when an edit comes to one of the states `on`; return the way to stop.

    One worker of a host tells a state, once; three tries of `timeout` seconds each. `override` is
    an edit for which somebody broke the glass, other states are outcomes. `secret` signs the body;
    it and `url`, which may be a secret too, may be functions, asked each time. Raise `OptionError`.
    """
    for state in on:
        if state not in STATES:
            raise OptionError(
                f"there is no state {printable(state)} to notify of: {', '.join(STATES)}"
            )
    if isinstance(url, str):
        _split(url)
    engine = engine_of(live)
    hook = _Hook(engine, url, secret, frozenset(on), dict(headers or {}), timeout)
    return engine.listeners.add(hook.hear)


def tell(
    engine: Engine[Any], url: str | Callable[[], str], on: Collection[str]
) -> Callable[[], None]:
    """Connect an engine's contract with a webhook; both were judged when it was read."""
    return engine.listeners.add(_Hook(engine, url, None, frozenset(on), {}, TIMEOUT).hear)


def _split(url: str) -> SplitResult:
    parts = address_of(url)
    if parts is None:
        raise OptionError(_NO_ADDRESS)
    return parts


class _Hook:
    """The queue of one webhook, and the thread of this process that empties it."""

    def __init__(
        self,
        engine: Engine[Any],
        url: str | Callable[[], str],
        secret: str | bytes | Callable[[], str | bytes] | None,
        on: frozenset[str],
        headers: dict[str, str],
        timeout: float,
    ) -> None:
        self._engine = engine
        self._url = url
        self._secret = secret
        self._on = on
        self._headers = headers
        self._timeout = timeout
        self._made_for(os.getpid())

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._waiting: deque[ReloadEvent] = deque(maxlen=_MOST_WAITING)
        self._lock = threading.Lock()
        self._sends = False
        self._told = ("", 0)

    def hear(self, event: ReloadEvent) -> None:
        """Queue an event; the oldest of a hundred that wait is dropped."""
        if self._pid != os.getpid():
            self._made_for(os.getpid())
        with self._lock:
            self._waiting.append(event)
            if not self._sends:
                daemon("webhook", self._run).start()
                self._sends = True

    def _run(self) -> None:
        """Send what waits, and end: no thread is kept for what is seldom."""
        while True:
            with self._lock:
                event = self._waiting.popleft() if self._waiting else None
                self._sends = event is not None
            if event is None:
                return
            try:
                self._take(event)
            except OptionError as error:
                log(WARNING, "the webhook is told nothing: %s", error, code=str(Code.LISTENER))
            except Exception as error:  # an address or a secret that cannot be had
                words = "the webhook failed with %s"
                log(WARNING, words, type(error).__name__, code=str(Code.LISTENER))

    def _take(self, event: ReloadEvent) -> None:
        state = _state_of(event)
        options = self._engine.options
        who = identity(options.app)
        key = self._numbered(_key(event, state, who))
        try:
            url = self._url if isinstance(self._url, str) else self._url()
        except Exception:
            if state not in self._on:
                return  # an address that is not needed is not missed
            raise
        # A state that nobody is told of ends the one before, too: it is news when it comes again.
        is_first = Claims(f"{who.application}\n{url}").first(key, time.time())
        if not is_first or state not in self._on:
            return
        body = _body(event, state, key, who, options.release, options.environment)
        self._send(_split(url), json.dumps(body).encode())

    def _numbered(self, key: str) -> str:
        """Return a state apart from the same again, as two bad edits in a row that fail alike."""
        before, count = self._told
        self._told = key, count + 1 if key == before else 0
        return f"{key}-{self._told[1]}"

    def _send(self, url: SplitResult, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": "reloadcheck", **self._headers}
        secret = self._secret() if callable(self._secret) else self._secret
        if secret is not None:
            key = secret.encode() if isinstance(secret, str) else secret
            headers[SIGNATURE] = "sha256=" + hmac.digest(key, body, "sha256").hex()
        if url.username is not None:
            pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
            headers.setdefault("Authorization", "Basic " + b64encode(pair.encode()).decode())
        for pause in (*PAUSES, None):
            try:
                post(url, headers, body, self._timeout)
            except PostError as error:
                if pause is None:
                    words = "the webhook at %s was not told, after 3 tries: %s"
                    host = printable(url.hostname or "")
                    log(WARNING, words, host, error, code=str(Code.LISTENER))
            else:
                return
            if pause is not None:
                time.sleep(pause * (1 + random.random()))


def _state_of(event: ReloadEvent) -> str:
    return "override" if event.is_override else str(event.outcome)


def _key(event: ReloadEvent, state: str, who: Identity) -> str:
    """Return the same name in every worker that came to the same state by the same edit."""
    parts = (who.application, who.host, state, event.code, str(event.error), event.digest)
    return hmac.digest(b"reloadcheck", repr(parts).encode(), "sha256").hex()[:32]


def _body(
    event: ReloadEvent,
    state: str,
    key: str,
    who: Identity,
    release: str | None,
    environment: str | None,
) -> dict[str, Any]:
    paths = event.diff.key_paths
    error = None if event.error is None else str(event.error)
    return {
        "id": key,
        "state": state,
        "text": _text(event, state, who, error),
        "app": who.application,
        "release": release,
        "environment": environment,
        "host": who.host,
        "pid": who.pid,
        "worker": who.worker,
        "at": round(event.at, 3),
        "version": event.version,
        "digest": event.digest,
        "code": event.code,
        "error": error,
        "remedy": remedy_of(event.code),
        "changed": [key_path_text(path) for path in paths[:_MOST_KEYS]],
        "changes": len(paths),
        "actor": event.actor,
        "reason": event.reason,
    }


def _text(event: ReloadEvent, state: str, who: Identity, error: str | None) -> str:
    """Say it in a sentence, as people get it in a chat."""
    lead = f"{who.application} on {who.host}"
    serves = "nothing serves" if event.version is None else f"version {event.version} serves"
    match state:
        case "rejected":
            said = f"edit rejected, {serves} {'yet' if event.version is None else 'on'}: {error}"
        case "undone":
            said = f"edit {error}; {serves}" if error else f"edit undone; {serves}"
        case "override":
            by = event.actor or "somebody"
            said = f"{serves} by override of {by}: {event.reason or 'no reason given'}"
        case "reloaded":
            paths = event.diff.key_paths
            named = ", ".join(key_path_text(path) for path in paths[:5]) or "no key"
            said = f"{serves}; changed: {named}" + (" and more" if len(paths) > 5 else "")
        case _:
            said = f"edit {state}, {serves}" + (f": {error}" if error else "")
    return printable(f"{lead}: {said}")

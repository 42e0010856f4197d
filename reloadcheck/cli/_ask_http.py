"""Ask a status endpoint over HTTP: one address, one token, nothing else of this machine.

The token goes to the address that was named and nowhere else: no redirect is followed, and no proxy
used.
"""

import json
import os
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from http.client import HTTPException, HTTPResponse
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from .._config.containers import is_dict
from ..exceptions import UsageError
from ..types import printable

__all__ = ["RefusedError", "UnreachableError", "address", "asked"]

_MOST_BYTES: Final = 16 * 2**20


class UnreachableError(Exception):
    """No status came back, for the reason that is its text."""


class RefusedError(UnreachableError):
    """What answers shows no status: another path, another token, another program."""


class _NoRedirect(HTTPRedirectHandler):
    """Take a redirect for an answer: followed, it would carry the token elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


def address(words: Sequence[str], environ: Mapping[str, str]) -> SplitResult:
    """Return the URL that was named, else the environment's; raise `UsageError` without one."""
    if len(words) > 1:
        raise UsageError("name one URL, as in http://127.0.0.1:8000/-/reloadcheck")
    if words:
        return _checked(words[0])
    if url := environ.get("RELOAD_CHECK_STATUS_URL"):
        return _checked(url)
    if path := environ.get("RELOAD_CHECK_STATUS_PATH"):
        return _checked(f"http://127.0.0.1:{environ.get('PORT') or 8000}{path}")
    raise UsageError(
        "name one URL, as in http://127.0.0.1:8000/-/reloadcheck, or set RELOAD_CHECK_STATUS_URL "
        "(or RELOAD_CHECK_STATUS_PATH and PORT, as the application has them)"
    )


def asked(url: SplitResult, token: str | None, timeout: float) -> dict[str, Any]:
    """Ask a status endpoint; `timeout` in seconds, for all of it. Raises `UnreachableError`.

    A socket's own time-out begins anew with each byte, and a server in trouble may send few.
    """
    answer: Future[bytes] = Future()

    def ask() -> None:
        try:
            answer.set_result(_fetched(url, token, timeout))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=ask, name="reloadcheck-status", daemon=True).start()
    try:
        return _understood(answer.result(timeout))
    except TimeoutError as error:
        raise UnreachableError(_reason(error, timeout)) from None


def _fetched(url: SplitResult, token: str | None, timeout: float) -> bytes:
    request = Request(urlunsplit(url), headers={"Accept": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    opener = build_opener(ProxyHandler({}), _NoRedirect())
    try:
        answer: HTTPResponse
        with opener.open(request, timeout=timeout) as answer:
            return answer.read(_MOST_BYTES)
    except HTTPError as error:
        with error:
            raise _refused(error.code, token) from None
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(_reason(error, timeout)) from None


def _refused(code: int, token: str | None) -> UnreachableError:
    if code in (401, 403, 404):
        wrong = "wrong path or wrong token" if token else "wrong path, or no token was sent"
        return RefusedError(f"it answers {code}: {wrong}; an application shows neither")
    return UnreachableError(f"it answers {code}, not a status")


def _checked(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        named = url.hostname is not None and (url.port is None or url.port > 0)
    except ValueError:
        raise UsageError(f"{printable(text)}: is no URL") from None
    if url.scheme not in ("http", "https") or not named or not text.isascii():
        raise UsageError(f"{printable(text)}: is no URL that begins with http:// or https://")
    if url.username is not None or url.password is not None:
        raise UsageError("put the token into a variable, not into the URL: --token-env VAR")
    query = [(name, value) for name, value in parse_qsl(url.query) if name != "format"]
    return url._replace(query=urlencode([*query, ("format", "json")]), fragment="")


def _reason(error: Exception, timeout: float) -> str:
    """Say why, in words of ours: foreign ones may quote a header."""
    cause: object = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(cause, ssl.SSLError):
        return f"the connection is not secure ({cause.reason or type(cause).__name__})"
    if isinstance(cause, socket.gaierror):
        return "there is no such host"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno).lower()
    return f"what answers speaks no HTTP ({type(error).__name__})"


def _understood(body: bytes) -> dict[str, Any]:
    try:
        told: object = json.loads(body)
    except ValueError:
        told = None
    if not is_dict(told) or not {"state", "version", "digest", "outcome"} <= told.keys():
        raise RefusedError(
            "what it answers is no status of reloadcheck: another program, or a wrong path or token"
        )
    return told

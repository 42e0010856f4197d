"""`reloadcheck status`: what a running application serves, as its status endpoint tells it.

Status 1 when the last edit was not taken or nothing is served, 3 when no status comes back. The
token goes to the address that was named and nowhere else: no redirect is followed, no proxy used.
"""

import argparse
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from http.client import HTTPException, HTTPResponse
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from .._config.containers import is_dict, is_list
from ..exceptions import UsageError
from ..types import Code, printable
from ._output import Page, cut

__all__ = ["UnreachableError", "asked", "run"]

_UNREACHABLE: Final = 3
_MOST_BYTES: Final = 16 * 2**20
_DIGEST: Final = 12


class UnreachableError(Exception):
    """No status came back, for the reason that is its text."""


class _NoRedirect(HTTPRedirectHandler):
    """Take a redirect for an answer: followed, it would carry the token elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if len(arguments.words) != 1:
        raise UsageError("name one URL, as in http://127.0.0.1:8000/-/reloadcheck")
    url = _checked(arguments.words[0])
    token = os.environ.get(arguments.token_env)
    page, shown = Page(), urlunsplit(url._replace(query=""))
    try:
        told = asked(url, token, arguments.timeout)
    except UnreachableError as error:
        if arguments.json:
            page.json({"ok": False, "url": shown, "error": str(error)})
        else:
            hint = _hint(arguments.token_env, token)
            page.sentence(f"UNREACHABLE: {shown}: {error}{hint}", kind="error", mark="UNREACHABLE:")
        return _UNREACHABLE
    good = _is_good(told)
    if arguments.json:
        page.json({"ok": good, "url": shown, "status": told})
    else:
        _show(page, told, good)
    return int(not good)


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
            wrong = ": its path or the token is wrong" if token and error.code == 404 else ""
            raise UnreachableError(f"it answers {error.code}, not a status{wrong}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(_reason(error, timeout)) from None


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
    if not is_dict(told) or not {"phase", "version", "digest", "outcome"} <= told.keys():
        raise UnreachableError("what it answers is no status of reloadcheck")
    return told


def _hint(variable: str, token: str | None) -> str:
    if token:
        return ""
    return f". No token was sent: {variable} is not set"


def _is_good(told: Mapping[str, Any]) -> bool:
    return told["version"] is not None and told.get("code") in (None, Code.DRAIN)


def _show(page: Page, told: Mapping[str, Any], good: bool) -> None:
    mark = "OK:" if good else "FAILED:"
    page.sentence(f"{mark} {_verdict(told)}", kind="good" if good else "error", mark=mark)
    for name, text in _lines(told):
        page.sentence(f"{name:<10}{text}", kind="dim", mark=name, indent=10)
    resources = [one for one in _list(told, "resources") if is_dict(one)]
    if resources:
        page.line()
        page.line(f"{'resource':<28}{'generation':>10}{'version':>9}{'open':>6}{'leases':>8}")
    for one in resources:
        cells = [_cell(one.get(name)) for name in ("generation", "version", "instances", "leases")]
        name = cut(printable(str(one.get("name"))), 27)
        page.line(f"{name:<28}{cells[0]:>10}{cells[1]:>9}{cells[2]:>6}{cells[3]:>8}")


def _verdict(told: Mapping[str, Any]) -> str:
    if told["version"] is None:
        return f"{told['phase']}, nothing is served yet"
    off = "" if told.get("enabled", True) else ", reloading is switched off"
    digest = str(told["digest"])[:_DIGEST]
    behind = "" if _is_good(told) else "what is written is not live; "
    return f"{behind}{told['phase']} version {told['version']}, digest {digest}{off}"


def _lines(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if told.get("loaded_at"):
        yield "since", f"{_moment(told['loaded_at'])}{_ago(told.get('age'))}"
    if told.get("error"):
        yield "error", f"{told.get('code')}: {told['error']}"
    attempt = told.get("attempt")
    if is_dict(attempt):
        yield "last", _attempt(attempt)
    for one in _list(told, "sources"):
        if is_dict(one):
            end = one.get("resolved")
            leads = f" -> {end}" if end not in (None, one.get("path")) else ""
            yield "source", f"{one.get('name')}{leads}"
    for remark in _list(told, "remarks"):
        yield "remark", str(remark)
    leases = told.get("leases")
    if is_dict(leases):
        held = ", ".join(f"{count} on v{version}" for version, count in leases.items())
        yield "leases", held or "none"
    counts = [f"{_cell(told.get(name))} {name}" for name in ("checks", "reloads", "rejections")]
    yield "counts", ", ".join([*counts, f"{_cell(told.get('forced_closes'))} forced closes"])


def _attempt(attempt: Mapping[str, Any]) -> str:
    text = f"{attempt.get('outcome')} at {_moment(attempt.get('at'))}"
    changed = [str(path) for path in _list(attempt, "changed")]
    more = int(attempt.get("changes") or 0) - len(changed)
    if changed:
        text += f", changed {', '.join(changed)}{f' and {more} more' if more > 0 else ''}"
    built = [str(name) for name in _list(attempt, "built")]
    return text + (f", built {', '.join(built)}" if built else "")


def _moment(told: object) -> str:
    """Give a time as the operator's clock shows it."""
    try:
        return f"{datetime.fromisoformat(str(told)).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "an unknown time"


def _ago(age: object) -> str:
    if not isinstance(age, int | float):
        return ""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if age >= 2 * size:
            return f" ({age / size:.0f} {unit} ago)"
    return f" ({age:.0f} s ago)"


def _list(told: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = told.get(name)
    return value if is_list(value) else ()


def _cell(value: object) -> str:
    return "-" if value is None else cut(printable(str(value)), 9)

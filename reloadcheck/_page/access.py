"""Who may see the status page, and how: by path, method, token, or the cookie that it gave.

Takes the parts of a request that both kinds of server know, gives what is wanted, or None: then the
application answers, as if there were no page. It must never tell a wrong token from a missing one.
What an orchestrator asks without a token is answered by a status code alone.
"""

import re
import secrets
import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as keyed
from typing import Final
from urllib.parse import parse_qs, quote

from .page import Page, Wanted, answer
from .settings import Settings

COOKIE: Final = "reloadcheck-status"
COOKIE_SECONDS: Final = 12 * 3600
"""How long a browser may look again before it has to bring the token once more."""

_MOST_FIELDS, _LONGEST_FIND = 20, 200
_PREFIX: Final = re.compile(r"(?:/[\w.~-]+)*")
_YES: Final = ("1", "true", "yes", "on")
_SUBPATHS: Final = {
    "/live": Wanted.LIVE,
    "/ready": Wanted.READY,
    "/metrics": Wanted.METRICS,
}
_HEALTH: Final = {"/live": Wanted.LIVE, "/ready": Wanted.READY}
_FORMATS: Final = {one.value: one for one in (Wanted.JSON, Wanted.HTML, Wanted.METRICS)}
_KINDS: Final = {
    "application/json": Wanted.JSON,
    "text/html": Wanted.HTML,
    "application/xhtml+xml": Wanted.HTML,
    "application/openmetrics-text": Wanted.METRICS,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says, as far as it matters here; header values are bytes, as they came.

    `spelt` is its target as it was sent, None where the server does not tell. `mount` is where the
    application is, as the browser sees it.
    """

    query: str
    accept: str
    authorization: Sequence[bytes]
    cookies: Sequence[bytes]
    secure: bool
    spelt: str | None = None
    mount: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a request may have: a view, a probe of every resource too, or an answer as it is.

    `bare`: of the view the status code alone. `find` chooses among the values by their keys.
    """

    wanted: Wanted
    probe: bool = False
    page: Page | None = None
    bare: bool = False
    find: str = ""


class Gate:
    """Lets the right requests through to the status page.

    `endings` is what the path of every such request ends with: a look at it spares all others the
    rest, which costs several times as much.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._path = settings.path
        self._token = sha256(settings.token.encode()).digest()
        self._key = keyed(settings.token.encode(), b"reloadcheck status cookie", "sha256")
        self._clock = clock
        self._views: dict[str, Wanted | None] = {settings.path: None} if settings.path else {}
        if settings.path:
            self._views.update((settings.path + tail, kind) for tail, kind in _SUBPATHS.items())
        self._check = f"{settings.path}/check" if settings.path else None
        self._bare: dict[str, Wanted] = {}
        if settings.health:
            self._bare.update((settings.health + tail, kind) for tail, kind in _HEALTH.items())
        self.endings = (*self._views, *self._bare, *([self._check] if self._check else ()))

    def concerns(self, method: str, path: str) -> bool:
        """Return whether a request, by its decoded path and its method, may be for the page."""
        if method == "POST":
            return path == self._check
        return method in ("GET", "HEAD") and (path in self._views or path in self._bare)

    def grant(self, path: str, asked: Asked) -> Granted | None:
        """Return what a request that concerns the page may have; None: the application's answer."""
        if not _is_spelt(path, asked.spelt):
            return None
        if path in self._bare:
            return Granted(self._bare[path], bare=True)
        query = _fields(asked.query)
        if query is None:
            return None
        if path == self._check:  # never by a cookie, which a browser sends for anybody's page
            given = bool(asked.authorization) or "token" in query
            return Granted(Wanted.CHECK) if given and self._is_open(asked, query) else None
        if not self._is_open(asked, query):
            return None
        wanted = self._views[path] or _format(query, asked.accept)
        if wanted is Wanted.HTML and "token" in query:
            return Granted(wanted, page=self._welcome(path, asked))
        return _granted(wanted, query)

    def _is_open(self, asked: Asked, query: Mapping[str, Sequence[str]]) -> bool:
        """Compare the one token that a request has; none, or several, open nothing."""
        if asked.authorization:
            given = _bearer(asked.authorization)
        elif "token" in query:
            given = [text.encode("utf-8", "surrogatepass") for text in query["token"]]
        else:
            return self._remembers(_cookie(asked.cookies))
        return self._matches(given, self._token)

    def _remembers(self, given: Sequence[bytes]) -> bool:
        """Return whether a cookie is of this page, and its time has not come."""
        parts = given[0].split(b".") if len(given) == 1 else []
        if len(parts) != 3 or not parts[0].isdigit() or len(parts[0]) > 12:
            return False
        if not compare_digest(self._signed(parts[0], parts[1]), parts[2]):
            return False
        return 0 < int(parts[0]) - self._clock() <= COOKIE_SECONDS

    def _signed(self, until: bytes, visitor: bytes) -> bytes:
        words = b"\n".join((self._path.encode(), until, visitor))
        return keyed(self._key, words, "sha256").hex().encode()

    def _matches(self, given: Sequence[bytes], expected: bytes) -> bool:
        return len(given) == 1 and compare_digest(sha256(given[0]).digest(), expected)

    def _welcome(self, path: str, asked: Asked) -> Page:
        """Put the token out of the address bar and into a cookie that opens this page alone.

        It is good for `COOKIE_SECONDS`, another one for each visitor, and sent to no other page.
        The address is relative, so that it holds behind any proxy and names no host.
        """
        until = str(int(self._clock()) + COOKIE_SECONDS).encode()
        visitor = secrets.token_hex(8).encode()
        value = b".".join((until, visitor, self._signed(until, visitor))).decode()
        mount = asked.mount if _PREFIX.fullmatch(asked.mount) else ""
        cookie = f"{COOKIE}={value}; Path={mount}{self._path}; Max-Age={COOKIE_SECONDS}"
        cookie += "; HttpOnly; SameSite=Lax"
        more = [("Location", "./" + quote(path.rsplit("/", 1)[1]) + "?format=html")]
        more.append(("Set-Cookie", cookie + ("; Secure" if asked.secure else "")))
        return answer(303, "", "text/plain; charset=utf-8", more=tuple(more))


def asked_for(query: str, accept: str) -> Granted | None:
    """Return what somebody wants who may see it all, whatever let them in; None: no telling."""
    fields = _fields(query)
    return None if fields is None else _granted(_format(fields, accept), fields)


def _fields(query: str) -> dict[str, list[str]] | None:
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None


def _granted(wanted: Wanted, query: Mapping[str, Sequence[str]]) -> Granted:
    probe = wanted is not Wanted.LIVE and query.get("probe", ["no"])[-1].lower() in _YES
    return Granted(wanted, probe, find=query.get("key", [""])[-1][:_LONGEST_FIND])


def _is_spelt(path: str, target: str | None) -> bool:
    """Return whether a path was sent as it is, not in other letters that decode to it.

    What stands before the server may have judged it by its spelling.
    """
    if target is None:
        return True
    return target.startswith("/") and target.partition("?")[0].endswith(path)


def _bearer(headers: Sequence[bytes]) -> list[bytes]:
    """Return the token of `Bearer`, or the password of `Basic`, whatever the user is called."""
    found: list[bytes] = []
    for header in headers:
        scheme, _, rest = header.strip().partition(b" ")
        if scheme.lower() == b"bearer":
            found.append(rest.strip())
        elif scheme.lower() == b"basic":
            try:
                found.append(b64decode(rest.strip(), validate=True).partition(b":")[2])
            except Base64Error:
                found.append(b"")
        else:
            found.append(b"")
    return found


def _cookie(headers: Sequence[bytes]) -> list[bytes]:
    pairs = [pair.strip().partition(b"=") for header in headers for pair in header.split(b";")]
    return [value for name, _, value in pairs if name == COOKIE.encode()]


def _format(query: Mapping[str, Sequence[str]], accept: str) -> Wanted:
    """Choose a format: the one that is asked for by name, or by `Accept`, or JSON."""
    named = _FORMATS.get(query.get("format", [""])[-1])
    if named is not None:
        return named
    best, weight = Wanted.JSON, 0.0
    for offer in accept.split(","):
        kind, *parameters = [part.strip().lower() for part in offer.split(";")]
        wanted = _KINDS.get(kind)
        if wanted is not None and (own := _weight(parameters)) > weight:
            best, weight = wanted, own
    return best


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0

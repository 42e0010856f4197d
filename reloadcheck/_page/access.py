"""Who may see the status page: path, method and token decide, and nothing else of a request.

Takes the parts of a request that both kinds of server know, gives what is wanted, or None: then the
application answers, as if there were no page. It must never tell a wrong token from a missing one.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as keyed
from typing import Final
from urllib.parse import parse_qs, quote

from .page import Page, Wanted, answer
from .settings import Settings

COOKIE: Final = "reloadcheck-status"
_MOST_FIELDS: Final = 20
_YES: Final = ("1", "true", "yes", "on")
_SUBPATHS: Final = {
    "/live": Wanted.LIVE,
    "/ready": Wanted.READY,
    "/metrics": Wanted.METRICS,
}
_FORMATS: Final = {one.value: one for one in (Wanted.JSON, Wanted.HTML, Wanted.METRICS)}
_KINDS: Final = {
    "application/json": Wanted.JSON,
    "text/html": Wanted.HTML,
    "application/xhtml+xml": Wanted.HTML,
    "application/openmetrics-text": Wanted.METRICS,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says, as far as it matters here; header values are bytes, as they came."""

    query: str
    accept: str
    authorization: Sequence[bytes]
    cookies: Sequence[bytes]
    secure: bool


@dataclass(frozen=True, slots=True)
class Granted:
    """What a request may have: a view, a probe of every resource too, or an answer as it is."""

    wanted: Wanted
    probe: bool = False
    page: Page | None = None


class Gate:
    """Lets the right requests through to the status page.

    `endings` is what the path of every such request ends with: a look at it spares all others the
    rest, which costs several times as much.
    """

    def __init__(self, settings: Settings) -> None:
        token = settings.token.encode()
        self._token = sha256(token).digest()
        self._cookie = keyed(token, b"reloadcheck status cookie", "sha256").hex()
        self._views: dict[str, Wanted | None] = {settings.path: None}
        self._views.update((settings.path + tail, kind) for tail, kind in _SUBPATHS.items())
        self.endings = tuple(self._views)

    def concerns(self, method: str, path: str) -> bool:
        """Tell whether a request, by its decoded path and its method, may be for the page."""
        return path in self._views and method in ("GET", "HEAD")

    def grant(self, path: str, asked: Asked) -> Granted | None:
        """Give what a request that concerns the page may have; None: the application's answer."""
        try:
            query = parse_qs(asked.query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            return None
        if not self._is_open(asked, query):
            return None
        wanted = self._views[path] or _format(query, asked.accept)
        if wanted is Wanted.HTML and "token" in query:
            return Granted(wanted, page=self._welcome(path, asked.secure))
        probe = wanted is not Wanted.LIVE and query.get("probe", ["no"])[-1].lower() in _YES
        return Granted(wanted, probe)

    def _is_open(self, asked: Asked, query: Mapping[str, Sequence[str]]) -> bool:
        """Compare the one token that a request has; none, or several, open nothing."""
        if asked.authorization:
            given = _bearer(asked.authorization)
        elif "token" in query:
            given = [text.encode("utf-8", "surrogatepass") for text in query["token"]]
        else:
            expected = sha256(self._cookie.encode()).digest()
            return self._matches(_cookie(asked.cookies), expected)
        return self._matches(given, self._token)

    def _matches(self, given: Sequence[bytes], expected: bytes) -> bool:
        return len(given) == 1 and compare_digest(sha256(given[0]).digest(), expected)

    def _welcome(self, path: str, secure: bool) -> Page:
        """Put the token out of the address bar and into a cookie that opens this page alone.

        The address is relative, so that it holds behind any proxy and names no host.
        """
        cookie = f"{COOKIE}={self._cookie}; HttpOnly; SameSite=Lax"
        more = [("Location", "./" + quote(path.rsplit("/", 1)[1]) + "?format=html")]
        more.append(("Set-Cookie", cookie + ("; Secure" if secure else "")))
        return answer(303, "", "text/plain; charset=utf-8", more=tuple(more))


def _bearer(headers: Sequence[bytes]) -> list[bytes]:
    """Give the token of `Bearer`, or the password of `Basic`, whatever the user is called."""
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

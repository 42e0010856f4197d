"""A document that an agent, an object store or a configuration server gives over HTTP, as a source.

Takes a URL, gives a stamp by a conditional request, the bytes that came with it and the tree they
parse to. Like a file's: what cannot be had now is a `SourceError` that says why, never "empty".

Long because one answer can fail in so many ways, and each has its sentence.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from .._runtime.paths import path_text
from .._runtime.regular_file import opened
from .._runtime.tls import TLSFiles, TLSFilesError
from ..exceptions import OptionError, SourceError, TornError
from ..types import Document, KeyPath, Layer, Origin, Pause, Place, Problem, Stamp, printable
from ._formats import FORMATS
from ._http_exchange import Answer, ExchangeError, ask
from ._last_good import Copy, load_copy, save_copy
from ._read_file import too_large
from .file import absolute, origin_in

if TYPE_CHECKING:
    import ssl

__all__ = ["HTTPSource"]

Secret: TypeAlias = str | os.PathLike[str] | Callable[[], str]

_AGAIN_AFTER: Final = 1.0
"""Seconds between two requests to a server that does not answer well."""

_WHOLE_AFTER: Final = 30.0
"""Seconds after which the document is asked for whatever its validators say."""

_NONE: Final[Mapping[str, str]] = {}
_TYPES: Final = {
    "application/json": "json",
    "application/toml": "toml",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "text/x-yaml": "yaml",
}

_NO_TEXT: Final = ("image", "audio", "video", "font", "multipart")


@dataclass(frozen=True, slots=True)
class _Have:
    """What the server gave last, and by which validators it may be asked for again."""

    stamp: Stamp
    document: Document = field(repr=False)
    validators: Mapping[str, str]


class HTTPSource:
    """A document at a URL, asked for with `If-None-Match` and `If-Modified-Since` at each look.

    `format` is told by the path's suffix or the answer's type where it is not given. `headers` and
    `token` (sent as `Authorization: Bearer …`) are text, a path whose file holds it, or a function
    that returns it; both are asked anew for each request and shown nowhere, nor are the user of the
    URL and its query. `timeout` bounds the whole exchange. `last_good` is a file for what was
    served last, mode 0600, used only where the server does not answer a process's first request.
    `ca`, `cert` and `key` are files for TLS.
    """

    def __init__(
        self,
        url: str,
        *,
        format: str | None = None,
        headers: Mapping[str, Secret] | None = None,
        token: Secret | None = None,
        timeout: float = 3.0,
        max_bytes: int = 4 * 2**20,
        ca: str | os.PathLike[str] | None = None,
        cert: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
        last_good: str | os.PathLike[str] | None = None,
        confidential: bool = False,
    ) -> None:
        self._url = _checked(url)
        self._name = _shown(self._url)
        if format is not None and format not in FORMATS.values():
            raise OptionError(f"format is one of {', '.join(sorted(set(FORMATS.values())))}")
        if not timeout > 0 or not max_bytes > 0:
            raise OptionError("timeout and max_bytes must be more than 0")
        self._format = format or FORMATS.get(os.path.splitext(self._url.path)[1].lower())
        self._headers: dict[str, Secret] = dict(headers or {})
        if token is not None:
            self._headers["Authorization"] = token
        self._bearer = token is not None
        self._timeout, self._max_bytes = timeout, max_bytes
        self._tls = TLSFiles(ca, cert, key)
        self._last_good = None if last_good is None else absolute(path_text(last_good, "last_good"))
        self._confidential = confidential
        self._have: _Have | None = None
        self._asked = self._asked_whole = -_WHOLE_AFTER
        self._failure: SourceError | None = None
        self._just_read = False
        self._copied: str | None = None
        self._remark: str | None = None

    def __repr__(self) -> str:
        return f"HTTPSource({self._name!r})"

    @property
    def name(self) -> str:
        """Return the URL without its user and its query."""
        return self._name

    def stamp(self) -> Stamp:
        """Ask the server whether there is something new, and keep what it gives."""
        have, now = self._have, time.monotonic()
        just_read, self._just_read = self._just_read, False
        if just_read and have is not None and now - self._asked < _AGAIN_AFTER:
            return have.stamp  # nothing tears what is kept: a reading asks only once
        if self._failure is not None and now - self._asked < _AGAIN_AFTER:
            return self._held(self._failure)
        self._asked = now
        try:
            self._have = self._looked(now)
        except ExchangeError as error:
            self._failure = SourceError(Problem(str(error), self._name))
            return self._held(self._failure)
        except SourceError as error:
            self._failure = error
            return self._held(error)
        self._failure = self._copied = None
        return self._have.stamp

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the document that came with the stamp."""
        have = self._have
        if have is None or have.stamp.value != stamp.value:
            raise TornError(Problem("changed while it was being read", self._name))
        if len(have.document.data) > max_bytes:
            raise too_large(self._name, max_bytes)
        self._just_read = True
        return [have.document]

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse the document; places are looked up in it only when they are asked for."""
        (document,) = documents
        from ..parsers import parse

        def origin(key_path: KeyPath) -> Origin:
            return origin_in(document, key_path)

        return Layer(parse(document, pause), origin)

    def place(self) -> Place:
        """Return where the document is found."""
        return Place(self._name, confidential=self._confidential)

    def remarks(self) -> Sequence[str]:
        """Say that what is served is a copy, or that none could be written."""
        if self._copied is not None:
            return [self._copied]
        return [] if self._remark is None else [self._remark]

    def keep(self) -> None:
        """Write what is served now for a start without the server."""
        if self._last_good is None or self._have is None or self._copied is not None:
            return
        document = self._have.document
        copy = Copy(_digest(document.data), document.format, document.data, time.time())
        try:
            save_copy(self._last_good, _digest(self._url.geturl().encode()), copy)
        except OSError as error:
            self._remark = f"its last good copy cannot be written: {error.strerror}"
        else:
            self._remark = None

    def _held(self, error: SourceError) -> Stamp:
        """Raise the error; but before the server's first answer give the last good copy."""
        if self._have is not None and self._copied is not None:
            return self._have.stamp
        if self._have is None and self._last_good is not None:
            copy = load_copy(self._last_good, _digest(self._url.geturl().encode()), _digest)
            if copy is not None:
                document = Document(self._name, copy.data, copy.format)
                self._have = _Have(Stamp((copy.digest, copy.format)), document, _NONE)
                when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(copy.written))
                self._copied = f"the last good copy of {when} is served: {error.reason}"
                return self._have.stamp
        raise SourceError(*error.problems)

    def _looked(self, now: float) -> _Have:
        have = None if self._copied is not None else self._have
        whole = have is None or now - self._asked_whole >= _WHOLE_AFTER
        validators: Mapping[str, str] = _NONE if have is None or whole else have.validators
        answer = ask(
            self._url,
            {**self._sent(), **validators},
            self._timeout,
            self._max_bytes,
            self._context(),
        )
        if answer.status == 304 and have is not None and validators:
            return have
        self._refuse(answer)
        self._asked_whole = now
        return self._taken(answer, have)

    def _refuse(self, answer: Answer) -> None:
        """Refuse what is no document; what was served before stays."""
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status in (401, 403):
            raise ExchangeError(f"refuses the credentials ({answer.status})")
        if answer.status in (404, 410):
            raise ExchangeError(f"has no such document ({answer.status})")
        if answer.status != 200:
            raise ExchangeError(f"answers with status {answer.status}")
        if kind in ("text/html", "application/xhtml+xml"):
            raise ExchangeError("answers with a page (text/html): is it a login, or an error?")
        if kind.partition("/")[0] in _NO_TEXT:
            raise ExchangeError(f"answers with {printable(kind)}, which is no configuration")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise ExchangeError("answers with a compressed document, which was not asked for")
        if not answer.body:
            raise ExchangeError("is empty, which is taken for a mistake")

    def _taken(self, answer: Answer, have: _Have | None) -> _Have:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        format_ = self._format or _TYPES.get(kind)
        if format_ is None:
            raise ExchangeError("does not tell its format: name it, as in format='yaml'")
        digest = _digest(answer.body)
        document = Document(self._name, answer.body, format_)
        # Only where nothing tells that the body is whole may it be torn, and has to settle.
        newest = None if answer.whole else time.time_ns()
        stamp = Stamp((digest, format_), newest)
        if have is not None and have.stamp == stamp:
            stamp, document = have.stamp, have.document
        pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
        given = {ask: answer.headers.get(told, "") for ask, told in pairs}
        validators = {ask: text for ask, text in given.items() if text and text.isprintable()}
        return _Have(stamp, document, validators)

    def _sent(self) -> dict[str, str]:
        """Return the headers of a request, credentials asked anew."""
        sent = {
            "User-Agent": "reloadcheck",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if self._url.username is not None:
            sent["Authorization"] = _basic(self._url)
        for header, secret in self._headers.items():
            text = self._revealed(header, secret)
            bearer = self._bearer and header == "Authorization"
            sent[header] = f"Bearer {text}" if bearer else text
        return sent

    def _revealed(self, header: str, secret: Secret) -> str:
        reason: str
        try:
            if isinstance(secret, str):
                text = secret
            elif callable(secret):
                text = secret()
            else:
                with opened(secret) as file:
                    text = file.read(_MOST_TEXT).decode().removesuffix("\n").removesuffix("\r")
            text.encode("latin-1")
        except OSError as error:
            reason = f"the file of its header {header} cannot be read: {error.strerror}"
        except UnicodeError:
            reason = f"its header {header} holds a character that no header may hold"
        except Exception as error:
            reason = f"what gives its header {header} raised {type(error).__name__}"
        else:
            if text.isprintable():
                return text
            reason = f"its header {header} holds a line end or another control character"
        raise SourceError(Problem(reason, self._name))

    def _context(self) -> "ssl.SSLContext | None":
        """Return the context for TLS, made anew when one of its files changes."""
        if self._url.scheme != "https":
            return None
        try:
            return self._tls.context()
        except TLSFilesError as error:
            reason = str(error)
        raise SourceError(Problem(reason, self._name))


_MOST_TEXT: Final = 64 * 1024


def _checked(url: str) -> SplitResult:
    parts: SplitResult | None = None
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if parts is None or not good or not url.isascii() or not url.isprintable() or " " in url:
        raise OptionError("HTTPSource needs a URL, as in HTTPSource('https://host/app.yaml')")
    return parts


def _shown(url: SplitResult) -> str:
    host = url.netloc.rpartition("@")[2]
    return f"{url.scheme}://{host}{url.path}" + ("?…" if url.query else "")


def _basic(url: SplitResult) -> str:
    from base64 import b64encode

    pair = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest()

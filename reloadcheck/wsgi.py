"""The WSGI door: each request works on one snapshot from its call to its body's end.

Wraps any WSGI application and changes nothing else about it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextvars import Token
from typing import Any

from ._current import Unit, leave, unit_of_work, without
from ._engine import ReloadCheck, host_of
from ._host import Host
from ._snapshot import Tenancy
from .exceptions import ReloadCheckError

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, Any], Iterable[bytes]]

_unit, _set_unit, _reset_unit = unit_of_work.get, unit_of_work.set, unit_of_work.reset
_logger = logging.getLogger("reloadcheck")


class ReloadCheckMiddleware:
    """Set `environ["reloadcheck.config"]` and `["reloadcheck.snapshot"]` for each request.

    The lease ends at the body's `close()`; for a body that is exactly a `list`, and for a
    `wsgi.file_wrapper` body, which is passed on untouched, at return. The first request starts the
    engine; while there is no good configuration, requests are answered 503 with `Retry-After`.
    """

    def __init__(self, app: WSGIApp, live: ReloadCheck[Any]) -> None:
        self.app = app
        self.live = live
        self._host = host_of(live)
        self._cell = self._host.cell

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        # Tenancy.enter() and leave(), written out: a call costs as much as all the rest.
        tenancy = self._cell.fresh
        key = id(environ)
        if tenancy is not None and "reloadcheck.snapshot" not in environ:
            tenancy.held[key] = environ.get("PATH_INFO", "")
            if tenancy.retired:
                tenancy.leave(key)
                tenancy = None
        else:
            tenancy = None
        before: tuple[Any, Any] | None = None
        if tenancy is None:
            if "reloadcheck.snapshot" in environ:  # another engine's: it is put back afterwards
                before = environ.get("reloadcheck.config"), environ["reloadcheck.snapshot"]
            try:
                tenancy, key = self._slowly(environ)
            except ReloadCheckError as error:
                return _unavailable(error, self._host, start_response)
        environ["reloadcheck.config"] = tenancy.config
        environ["reloadcheck.snapshot"] = tenancy.snapshot
        outer = _unit()
        token = _set_unit((tenancy, key, None if outer is None else without(outer, self._host)))
        lasting = False
        try:
            body = self.app(environ, start_response)
            kind = type(body)
            if kind is list or kind is environ.get("wsgi.file_wrapper"):
                return body
            lasting = True
            wrapper = _SizedBody if hasattr(kind, "__len__") else _Body
            return wrapper(body, environ, tenancy, key, token, before)
        finally:
            if not lasting:
                if before is not None:
                    _put_back(environ, before)
                _reset_unit(token)
                tenancy.held.pop(key, None)
                if tenancy.retired and not tenancy.held:
                    tenancy.released()

    def _slowly(self, environ: Environ) -> tuple[Tenancy[Any], int]:
        """Ask for a snapshot; inside a unit of work of this engine, share the one it has."""
        label = environ.get("PATH_INFO", "")
        joined = self._host.rejoin(environ.get("reloadcheck.snapshot"), label)
        if joined is not None:
            return joined
        return self._host.enter(id(environ), label, door=True), id(environ)


class _Body:
    """A response body whose lease ends with its `close()`, whatever that does."""

    __slots__ = ("_before", "_body", "_ended", "_environ", "_key", "_next", "_tenancy", "_token")

    def __init__(
        self,
        body: Iterable[bytes],
        environ: Environ,
        tenancy: Tenancy[Any],
        key: int,
        token: Token[Unit | None],
        before: tuple[Any, Any] | None,
    ) -> None:
        self._body = body
        self._environ = environ  # its id is the key: it must live for as long
        self._next: Callable[[], bytes] | None = None
        self._tenancy = tenancy
        self._key = key
        self._token = token
        self._before = before
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._next is None:
            self._next = iter(self._body).__next__
        return self._next()

    def close(self) -> None:
        """Close the wrapped body, then end the lease; the second time does nothing more."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            if not self._ended:
                self._ended = True
                if self._before is not None:
                    _put_back(self._environ, self._before)
                leave(self._token)
                self._tenancy.leave(self._key)


class _SizedBody(_Body):
    """A body that has a length: servers set Content-Length from it when it is 1."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def _put_back(environ: Environ, before: tuple[Any, Any]) -> None:
    environ["reloadcheck.config"], environ["reloadcheck.snapshot"] = before


def _unavailable(
    error: ReloadCheckError, host: Host[Any], start_response: StartResponse
) -> list[bytes]:
    """Answer for an application that has no configuration yet; the body does not say why."""
    _logger.debug("no configuration to serve with: %s", error)
    after = str(host.retry_after())
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Retry-After", after),
        ("Cache-Control", "no-store"),
    ]
    start_response("503 Service Unavailable", headers)
    return [b"The application has no usable configuration yet; its log says why.\n"]

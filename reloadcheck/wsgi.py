"""The WSGI door: each request works on one snapshot from its call to its body's end.

Wraps any WSGI application and changes nothing else about it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextvars import Token
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Self, cast

from ._current import LIFE, Unit, enter, forget, leave, unit_of_work
from ._engine import ReloadCheck, host_of
from ._holders import door
from ._host import Host
from ._page_settings import chosen
from ._snapshot import Hold, Tenancy
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

    At `status_path` there is a page for those who have `status_token`; the environment variables
    RELOAD_CHECK_STATUS_PATH and _TOKEN override both. Everybody else gets the application's answer.

    What it gives is a function with the attributes `app` and `live`: a closure costs a request half
    of what an object with a `__call__` does. So it cannot be subclassed; wrap it.
    """

    app: WSGIApp
    live: ReloadCheck[Any]

    def __new__(
        cls,
        app: WSGIApp,
        live: ReloadCheck[Any],
        *,
        status_path: str | None = None,
        status_token: str | None = None,
    ) -> Self:
        door: Any = _door(app, live)
        settings = chosen(status_path, status_token)
        if settings is not None:
            from ._page_wsgi import with_status_page

            door = with_status_page(door, live, settings)
        door.app, door.live = app, live
        return cast("Self", door)

    def __init_subclass__(cls) -> None:
        raise TypeError("ReloadCheckMiddleware cannot be subclassed: wrap what it gives instead")

    if TYPE_CHECKING:

        def __init__(
            self,
            app: WSGIApp,
            live: ReloadCheck[Any],
            *,
            status_path: str | None = None,
            status_token: str | None = None,
        ) -> None: ...
        def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]: ...


def _door(app: WSGIApp, live: ReloadCheck[Any]) -> WSGIApp:
    """Give the door. What it does for each request is written out: a call costs as much as all."""
    cell = host_of(live).cell

    @door
    def reloadcheck(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        hold = cell.fresh
        if hold is None or _unit() is not None:
            hold = None
            return _slowly(app, live, environ, start_response)
        environ["reloadcheck.config"] = hold.config
        environ["reloadcheck.snapshot"] = snapshot = hold.snapshot
        unit = [snapshot, True, None]
        token = _set_unit(unit)
        lasting = False
        try:
            body = app(environ, start_response)
            kind = type(body)
            if kind is list or kind is environ.get("wsgi.file_wrapper"):
                return body
            lasting = True
            if kind is GeneratorType or not hasattr(kind, "__len__"):
                return _Leased(body, environ, unit, hold, token)
            return _SizedLeased(body, environ, unit, hold, token)
        finally:
            if lasting:
                hold = None
            else:
                unit[LIFE] = False
                _reset_unit(token)
                wake = hold.wake
                hold = None  # the lease: a traceback may keep this frame
                if wake is not None:
                    wake()

    return reloadcheck


def _slowly(
    app: WSGIApp, live: ReloadCheck[Any], environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Do the same where there is more to it: no fresh snapshot, or another unit around."""
    host = host_of(live)
    before: tuple[Any, Any] | None = None
    if "reloadcheck.snapshot" in environ:  # another engine's: it is put back afterwards
        before = environ.get("reloadcheck.config"), environ["reloadcheck.snapshot"]
    try:
        tenancy, key = _leased(host, environ)
    except ReloadCheckError as error:
        return _unavailable(error, host, start_response)
    environ["reloadcheck.config"] = tenancy.hold.config
    environ["reloadcheck.snapshot"] = tenancy.snapshot
    life = [True]
    unit = _ByName(environ, tenancy, key, life, enter(tenancy.snapshot, life), before)
    lasting = False
    try:
        body = app(environ, start_response)
        kind = type(body)
        if kind is list or kind is environ.get("wsgi.file_wrapper"):
            return body
        lasting = True
        return (_SizedNamed if hasattr(kind, "__len__") else _Named)(body, environ, unit)
    finally:
        if not lasting:
            unit.end()


def _leased(host: Host[Any], environ: Environ) -> tuple[Tenancy[Any], int]:
    """Ask for a snapshot; inside a unit of work of this engine, share the one it has."""
    joined = host.rejoin(environ.get("reloadcheck.snapshot"), environ)
    if joined is not None:
        return joined
    return host.enter(id(environ), environ, door=True), id(environ)


class _ByName:
    """A unit of work that holds its snapshot by name, and gives the environ back what it had."""

    __slots__ = ("_before", "_environ", "_key", "_life", "_tenancy", "_token")

    def __init__(
        self,
        environ: Environ,
        tenancy: Tenancy[Any],
        key: int,
        life: list[bool],
        token: Token[Unit | None],
        before: tuple[Any, Any] | None,
    ) -> None:
        self._environ = environ
        self._tenancy = tenancy
        self._key = key
        self._life = life
        self._token = token
        self._before = before

    def end(self) -> None:
        if not self._life[0]:
            return
        self._life[0] = False
        if self._before is not None:
            self._environ["reloadcheck.config"], self._environ["reloadcheck.snapshot"] = (
                self._before
            )
        leave(self._token)
        self._tenancy.leave(self._key)

    def __del__(self) -> None:
        # Test clients throw responses away unclosed, mostly in the thread that asked for them.
        if self._life[0]:
            self._life[0] = False
            forget(self._life, self._token)
            self._tenancy.leave(self._key)


class _Body:
    """A response body whose unit of work ends with its `close()`, whatever that does."""

    __slots__ = ("_body", "_environ", "_next")

    _body: Iterable[bytes]
    _environ: Environ  # its id may be the key: it must live for as long
    _next: Callable[[], bytes] | None

    def __iter__(self) -> Iterator[bytes]:
        return self  # who iterates holds the unit too, whether he closes or not

    def __next__(self) -> bytes:
        if self._next is None:
            self._next = iter(self._body).__next__
        return self._next()


class _Sized(_Body):
    """A body that has a length: servers set Content-Length from it when it is 1."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


class _Named(_Body):
    """A body whose unit of work holds its snapshot by name."""

    __slots__ = ("_unit",)

    def __init__(self, body: Iterable[bytes], environ: Environ, unit: _ByName) -> None:
        self._body = body
        self._environ = environ
        self._next = None
        self._unit = unit

    def close(self) -> None:
        """Close the wrapped body, then end the unit; the second time does nothing more."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._unit.end()


class _Leased(_Body):
    """A body whose unit of work holds its snapshot by a reference; written out, like the door."""

    __slots__ = ("_hold", "_token", "_unit")

    def __init__(
        self,
        body: Iterable[bytes],
        environ: Environ,
        unit: Unit,
        hold: Hold[Any],
        token: Token[Unit | None],
    ) -> None:
        hold.known[id(environ)] = environ
        self._body = body
        self._environ = environ
        self._next = None
        self._unit = unit
        self._hold: Hold[Any] | None = hold
        self._token = token

    def close(self) -> None:
        """Close the wrapped body, then end the unit; the second time does nothing more."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            hold = self._hold
            if hold is not None:
                self._hold = None
                hold.known.pop(id(self._environ), None)
                self._unit[LIFE] = False
                try:
                    _reset_unit(self._token)
                except ValueError:  # closed in another context than it began in
                    _set_unit(None)
                wake = hold.wake
                hold = None
                if wake is not None:
                    wake()

    def __del__(self) -> None:
        # Test clients throw responses away unclosed, mostly in the thread that asked for them.
        if self._hold is not None:
            self._hold.known.pop(id(self._environ), None)
            self._unit[LIFE] = False
            forget(self._unit, self._token)


class _SizedNamed(_Named, _Sized):
    __slots__ = ()


class _SizedLeased(_Leased, _Sized):
    __slots__ = ()


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

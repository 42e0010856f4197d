"""The WSGI door: each request works on one snapshot from its call to its body's end.

Wraps any WSGI application and changes nothing else about it.
"""

import logging
from collections.abc import Iterable
from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Self, cast

from ._doors.protocols import Environ, StartResponse, WSGIApp
from ._doors.sending import wsgi_sender
from ._doors.unavailable import UNAVAILABLE
from ._doors.watched import watched_wsgi
from ._doors.wsgi_body import ByName, Leased, Named, SizedLeased, SizedNamed, streamed
from ._engine.api import ReloadCheck, engine_of, environ_of
from ._engine.engine import Engine
from ._engine.entrance import Entrance
from ._page.settings import chosen
from ._snapshots.context import enter
from ._snapshots.holders import door
from ._snapshots.pair import Pair
from ._snapshots.tenancy import NamedLease
from ._snapshots.unit import LIFE, Unit, end, unit_of_work
from .exceptions import ReloadCheckError
from .seams.trial import UnitTicket

__all__ = ["Environ", "ReloadCheckMiddleware", "StartResponse", "WSGIApp"]

_logger = logging.getLogger("reloadcheck")
_unit, _set_unit, _reset_unit = unit_of_work.get, unit_of_work.set, unit_of_work.reset


class ReloadCheckMiddleware:
    """Set `environ["reloadcheck.config"]` and `["reloadcheck.snapshot"]` for each request.

    The lease ends at the body's `close()`; for a generator already when it is exhausted; for a body
    that is exactly a `list`, and for a `wsgi.file_wrapper` body, which is passed on untouched, at
    return. The first request starts the engine; while there is no good configuration, requests are
    answered 503 with `Retry-After`.

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
        health_path: str | None = None,
    ) -> Self:
        door: Any = _door(app, live)
        settings = chosen(environ_of(live), status_path, status_token, health_path)
        if settings is not None:
            from ._page.wsgi import with_status_page

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
            health_path: str | None = None,
        ) -> None: ...
        def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]: ...


def _door(app: WSGIApp, live: ReloadCheck[Any]) -> WSGIApp:
    """Make the door. What it does for each request is written out: a call costs as much as all."""
    cell = engine_of(live).cell

    @door
    def reloadcheck(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        hold = cell.fresh
        if hold is None or _unit() is not None:
            hold = None
            return _slowly(app, live, environ, start_response)
        environ["reloadcheck.config"] = hold.config
        environ["reloadcheck.snapshot"] = snapshot = hold.snapshot
        unit: Unit = [snapshot, hold, None, None]
        hold = None  # the lease is the unit's: whoever looks at this frame keeps its variables
        token = _set_unit(unit)
        lasting = False
        try:
            body = app(environ, start_response)
            kind = type(body)
            if kind is list:
                return body
            if kind is GeneratorType:
                lasting = True
                stream = streamed(body, environ, unit, token)
                next(stream)
                return stream
            if kind is environ.get("wsgi.file_wrapper"):
                return body
            lasting = True
            return (SizedLeased if hasattr(kind, "__len__") else Leased)(body, environ, unit, token)
        finally:
            if not lasting:
                wake = unit[1].wake  # what follows is `end`, with numbers for names
                unit[1] = False
                if unit[3] is not None:
                    del unit[4:]
                    unit[1] = False
                _reset_unit(token)
                if wake is not None:
                    wake()

    return reloadcheck


def _slowly(
    app: WSGIApp, live: ReloadCheck[Any], environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Do the same where there is more to it: an edit is tried, or the engine is to be asked."""
    pair = engine_of(live).cell.fresh_pair
    if pair is not None and _unit() is None:
        body = _tried(app, pair, environ, start_response)
        if body is not None:
            return body
    return _asking(app, live, environ, start_response)


@door
def _tried(
    app: WSGIApp, pair: Pair[Any], environ: Environ, start_response: StartResponse
) -> Iterable[bytes] | None:
    """Serve a request while an edit is tried or watched, as the door does; None: ask the engine."""
    admitted = pair.admit(environ)
    if admitted is None:
        return None
    hold, ticket = admitted
    environ["reloadcheck.config"] = hold.config
    environ["reloadcheck.snapshot"] = snapshot = hold.snapshot
    unit: Unit = [snapshot, hold, None, None]
    admitted = hold = None  # type: ignore[assignment]  # the lease is the unit's alone
    token = _set_unit(unit)
    lasting = False
    try:
        body = watched_wsgi(app, ticket, environ, start_response)
        kind = type(body)
        if kind is list or kind is environ.get("wsgi.file_wrapper"):
            return body
        lasting = True
        return (SizedLeased if hasattr(kind, "__len__") else Leased)(body, environ, unit, token)
    finally:
        if not lasting:
            wake = unit[LIFE].wake
            end(unit)
            _reset_unit(token)
            if wake is not None:
                wake()


def _asking(
    app: WSGIApp, live: ReloadCheck[Any], environ: Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Ask the engine, where there is no fresh snapshot, or another unit around."""
    engine = engine_of(live)
    entrance = Entrance(engine)
    if engine.send is None:
        engine.send = wsgi_sender(partial(_slowly, app, live), environ)
    before: tuple[Any, Any] | None = None
    if "reloadcheck.snapshot" in environ:  # another engine's: it is put back afterwards
        before = environ.get("reloadcheck.config"), environ["reloadcheck.snapshot"]
    lease = NamedLease(environ)
    ticket: UnitTicket | None = None
    try:
        live_snapshot = entrance.rejoin(lease, environ.get("reloadcheck.snapshot"))
        if live_snapshot is None:
            current = entrance.enter(lease, door=True)
            live_snapshot, ticket = entrance.drawn(lease, current, environ)
    except ReloadCheckError as error:
        return _unavailable(error, engine, start_response)
    environ["reloadcheck.config"] = live_snapshot.hold.config
    environ["reloadcheck.snapshot"] = live_snapshot.snapshot
    unit = ByName(environ, lease, enter(live_snapshot.snapshot, lease), before)
    lasting = False
    try:
        if ticket is None:
            body = app(environ, start_response)
        else:
            body = watched_wsgi(app, ticket, environ, start_response)
        kind = type(body)
        if kind is list or kind is environ.get("wsgi.file_wrapper"):
            return body
        lasting = True
        return (SizedNamed if hasattr(kind, "__len__") else Named)(body, environ, unit)
    finally:
        if not lasting:
            unit.end()


def _unavailable(
    error: ReloadCheckError, engine: Engine[Any], start_response: StartResponse
) -> list[bytes]:
    """Answer for an application that has no configuration yet; the body does not say why."""
    _logger.debug("no configuration to serve with: %s", error)
    after = str(engine.retry_after())
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Retry-After", after),
        ("Cache-Control", "no-store"),
    ]
    start_response("503 Service Unavailable", headers)
    return [UNAVAILABLE]

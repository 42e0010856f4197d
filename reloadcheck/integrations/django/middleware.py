"""The middleware: gives each request the snapshot that it keeps until its response is closed.

One class for WSGI and ASGI; joins the unit of work of a door around it. Changes no response.
"""

import logging
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from io import BytesIO
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from ..._doors.sending import asgi_sender, wsgi_sender
from ..._engine.api import engine_of, environ_of
from ..._engine.entrance import Entrance
from ..._page.settings import PAGE_OPTIONS, chosen
from ..._runtime.request_words import failure_of
from ..._snapshots.lease import Lease
from ..._snapshots.pair import raised
from ..._snapshots.snapshot import Snapshot
from ...exceptions import ReloadCheckError
from ...seams.trial import UnitTicket
from .engine import ready_engine, site_declared
from .status_page import StatusPage

__all__ = ["LiveRequest", "ReloadCheckMiddleware"]

_logger = logging.getLogger("reloadcheck")


class LiveRequest(HttpRequest):
    """What a request is behind the middleware, for type checkers; subclass it to type `config`."""

    config: Any
    snapshot: Snapshot[Any]


class ReloadCheckMiddleware:
    """Set `request.config` and `request.snapshot`; first in `MIDDLEWARE`, so that all see them.

    A streaming response keeps its snapshot until it is closed. While there is no good
    configuration, requests are answered 503 with `Retry-After`. The status page stands where
    `RELOAD_CHECK["STATUS_PATH"]` or the environment says.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.live = ready_engine()
        self._engine = engine_of(self.live)
        self._entrance = Entrance(self._engine)
        page = site_declared().page
        settings = chosen(environ_of(self.live), *(page[name] for name in PAGE_OPTIONS))
        self._page = None if settings is None else StatusPage(self.live, settings)
        if self._engine.trial is not None:
            got_request_exception.connect(_raised, dispatch_uid="reloadcheck")
        self._is_async = iscoroutinefunction(get_response)  # pyright: ignore[reportDeprecated]
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Serve a request, in the way in which the next one in the chain is called."""
        return self._serve_async(request) if self._is_async else self._serve(request)

    def _serve(self, request: HttpRequest) -> HttpResponseBase:
        if self._page is not None and (page := self._page.answer(request)) is not None:
            return page
        if self._engine.send is None:
            self._engine.send = wsgi_sender(self._asked, request.META)
        lease = Lease[Any](self._entrance, request.path, request.META)
        try:
            snapshot = lease.take()
        except ReloadCheckError as error:
            return self._unavailable(error)
        with _begun(lease, snapshot, request) as unit:
            return _kept(self.get_response(request), request, lease, unit)

    async def _serve_async(self, request: HttpRequest) -> HttpResponseBase:
        if self._page is not None and (page := await self._page.answer_async(request)) is not None:
            return page
        if self._engine.send is None and isinstance(request, ASGIRequest):
            self._engine.send = asgi_sender(self._asked_async, dict(request.scope), {})
        lease = Lease[Any](self._entrance, request.path, request.META)
        try:
            snapshot = await lease.take_async()
        except ReloadCheckError as error:
            return self._unavailable(error)
        with _begun(lease, snapshot, request) as unit:
            return _kept(await self.get_response(request), request, lease, unit)

    def _asked(self, environ: Any, start_response: Any) -> HttpResponseBase:
        """Serve a request that is made up, for a rehearsal or a shadow."""
        response = cast("HttpResponseBase", self(WSGIRequest(environ)))
        start_response(f"{response.status_code} ", list(response.items()))
        return response

    async def _asked_async(self, scope: Any, _: Any, send: Any) -> None:
        """Serve the same behind ASGI; a stream is not read."""
        response = await cast("Awaitable[HttpResponseBase]", self(ASGIRequest(scope, BytesIO())))
        headers = [(a.encode("latin-1"), b.encode("latin-1")) for a, b in response.items()]
        start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
        await send(start)
        if not getattr(response, "streaming", False):
            content = cast("HttpResponse", response).content
            await send({"type": "http.response.body", "body": content})
        response.close()

    def _unavailable(self, error: ReloadCheckError) -> HttpResponse:
        """Answer for a site that has no configuration yet; the body does not say why."""
        _logger.debug("no configuration to serve with: %s", error)
        return HttpResponse(
            "The application has no usable configuration yet; its log says why.\n",
            status=503,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": str(self._engine.retry_after()), "Cache-Control": "no-store"},
        )


def _begun(lease: Lease[Any], snapshot: Snapshot[Any], request: HttpRequest) -> ExitStack:
    """Begin the unit of work; what is given ends it."""
    unit = ExitStack()
    unit.callback(lease.give_back)
    lease.enter()
    unit.callback(lease.leave)
    live = cast("LiveRequest", request)
    live.config, live.snapshot = snapshot.config, snapshot
    return unit


def _told(response: StreamingHttpResponse, fail: Callable[[BaseException], None]) -> None:
    """Let a trial hear of a stream that breaks."""
    content: Any = response.streaming_content

    def told() -> Iterator[Any]:
        try:
            yield from content
        except Exception as error:
            fail(error)
            raise

    async def told_async() -> AsyncIterator[Any]:
        try:
            async for part in content:
                yield part
        except Exception as error:
            fail(error)
            raise

    response.streaming_content = told_async() if response.is_async else told()


def _judged(response: HttpResponseBase, request: HttpRequest, ticket: UnitTicket) -> None:
    """Report an answer to a trial, and let it hear of a stream that breaks."""
    # Bound now: what holds the request holds its snapshot.
    fail = partial(_fail, ticket, str(request.method), request.path_info)
    if ticket.is_bad(response.status_code):
        fail(ticket.raised or response.status_code)
    if getattr(response, "streaming", False) and not hasattr(response, "file_to_stream"):
        _told(cast("Any", response), fail)


def _fail(ticket: UnitTicket, method: str, path: str, failure: BaseException | str | int) -> None:
    ticket.failed(failure_of(method, path, failure))


def _raised(**_: object) -> None:
    """Let a trial know what Django makes a 500 of."""
    raised(sys.exc_info()[1])


def _kept(
    response: HttpResponseBase, request: HttpRequest, lease: Lease[Any], unit: ExitStack
) -> HttpResponseBase:
    """Let the unit of work of a streaming response end with its `close()`."""
    if lease.ticket is not None:
        _judged(response, request, lease.ticket)
        if lease.ticket.repeats:  # which begins when the answer is sent
            cast("Any", response)._resource_closers.append(lease.ticket.sent)
    if getattr(response, "streaming", False):  # a response class of a site's own may not say
        # Django's own way to close what a response was made from.
        cast("Any", response)._resource_closers.append(unit.pop_all().close)
        # One that is dropped instead, as a middleware's that raises, holds nothing for long.
        weakref.finalize(response, lease.drop).atexit = False
    return response

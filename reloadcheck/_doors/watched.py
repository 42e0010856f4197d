"""Tell a trial what became of each answer: runs an application so, while a trial runs only.

Counting is `trial/run`'s; bodies that end a unit of work are `wsgi_body`'s. Changes nothing about
an answer: statuses, exceptions and broken streams are seen as they pass. What fails because the
client went away is no failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .._runtime.request_words import failure_of
from .._snapshots.pair import begin_ticket, end_ticket
from ..seams.trial import UnitTicket
from .protocols import ASGIApp, Environ, Message, Receive, Scope, Send, WSGIApp

_ABNORMAL = 1011
_NO_ANSWER = "no complete answer"


async def watched_asgi(
    app: ASGIApp, ticket: UnitTicket, scope: Scope, receive: Receive, send: Send
) -> None:
    """Run the application for one unit of work, which the ticket stands for."""
    complete = scope["type"] != "http"

    def fail(failure: BaseException | str | int) -> None:
        ticket.failed(failure_of(scope.get("method", "WEBSOCKET"), scope.get("path", ""), failure))

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect":
            ticket.gone()
        return message

    async def sending(message: Message) -> None:
        nonlocal complete
        kind = message["type"]
        if kind == "http.response.start":
            if ticket.is_bad(message["status"]):
                fail(ticket.raised or message["status"])
        elif kind == "http.response.pathsend" or (
            kind == "http.response.body" and not message.get("more_body", False)
        ):
            complete = True
            ticket.answered()
        elif kind == "websocket.close" and message.get("code") == _ABNORMAL:
            fail("closed with 1011")
        try:
            await send(message)
        except OSError:  # so servers say that nobody listens any more
            ticket.gone()
            raise

    token = begin_ticket(ticket)
    try:
        await app(scope, receiving, sending)
        if not complete:
            fail(_NO_ANSWER)
        elif ticket.repeats:
            ticket.sent()
    except Exception as error:
        fail(error)
        raise
    finally:
        end_ticket(token)
        ticket.ended()


def watched_wsgi(
    app: WSGIApp, ticket: UnitTicket, environ: Environ, start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Call the application for one unit of work, which the ticket stands for; return its body."""

    def fail(failure: BaseException | str | int) -> None:
        ticket.failed(
            failure_of(environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""), failure)
        )

    def starting(status: str, *arguments: Any) -> Any:
        if status[:3].isdecimal() and ticket.is_bad(int(status[:3])):
            fail(ticket.raised or int(status[:3]))
        return start_response(status, *arguments)

    token = begin_ticket(ticket)
    try:
        body = app(environ, starting)
    except Exception as error:
        fail(error)
        ticket.ended()
        raise
    except BaseException:
        ticket.ended()
        raise
    finally:
        end_ticket(token)
    kind = type(body)
    if kind is list or kind is environ.get("wsgi.file_wrapper"):
        ticket.ended()
        if kind is not list or not ticket.repeats:
            return body  # else its `close()` has to tell when it is sent
    return (_Sized if hasattr(kind, "__len__") else _Body)(body, ticket, fail)


class _Body:
    """A body whose exceptions count, and whose `close()` ends the unit of work."""

    __slots__ = ("_body", "_fail", "_next", "_ticket")

    def __init__(
        self, body: Iterable[bytes], ticket: UnitTicket, fail: Callable[[BaseException], None]
    ) -> None:
        self._body = body
        self._fail = fail
        self._next: Callable[[], bytes] | None = None
        self._ticket = ticket

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = begin_ticket(self._ticket)
        try:
            if self._next is None:
                self._next = iter(self._body).__next__
            return self._next()
        except StopIteration:
            self._ticket.answered()
            raise
        except Exception as error:
            self._fail(error)
            raise
        finally:
            end_ticket(token)

    def close(self) -> None:
        """Close the wrapped body, then end the unit."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._ticket.ended()
            if self._ticket.repeats:
                self._ticket.sent()

    def __del__(self) -> None:
        self._ticket.ended()  # test clients throw responses away unclosed


class _Sized(_Body):
    """One that has a length: servers set Content-Length from it when it is 1."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]

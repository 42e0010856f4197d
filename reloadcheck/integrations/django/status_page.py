"""The status page by path and token, as the middleware answers with it, in Django's words.

Takes a request, gives the page's response, or None: then the site answers, as if there were none.
The view for staff is in `urls`.
"""

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from ..._engine.api import ReloadCheck
from ..._page import asgi, wsgi
from ..._page.settings import Settings

__all__ = ["StatusPage", "response_of"]


class StatusPage:
    """Answers what is for the page, by path and token, and leaves all else alone."""

    def __init__(self, live: ReloadCheck[Any], settings: Settings) -> None:
        self._sync = wsgi.with_status_page(_nothing, live, settings)
        self._async = asgi.with_status_page(_nothing_async, live, settings)
        self._starts = tuple(path for path in (settings.path, settings.health) if path)

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """Answer in the thread that asks."""
        if not request.path_info.startswith(self._starts):
            return None
        environ = {**request.META, "PATH_INFO": request.path_info}
        environ["wsgi.url_scheme"] = request.scheme
        scope: dict[str, Any] | None = getattr(request, "scope", None)
        if scope is not None:  # a site of sync middlewares under ASGI
            environ["RAW_URI"] = scope.get("raw_path", b"").decode("latin-1") or None
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(line: str, headers: list[tuple[str, str]]) -> None:
            said.append((line, headers))

        body = self._sync(environ, start_response)
        for line, headers in said:
            return response_of(int(line[:3]), headers, b"".join(body))
        return None

    async def answer_async(self, request: HttpRequest) -> HttpResponse | None:
        """Answer without holding up the event loop."""
        if not request.path_info.startswith(self._starts):
            return None
        scope: dict[str, Any] | None = getattr(request, "scope", None)
        if scope is None:  # a site of async middlewares under WSGI
            return await sync_to_async(self.answer, thread_sensitive=False)(request)
        said: list[Any] = []

        async def send(message: Any) -> None:
            said.append(message)

        await self._async({**scope, "scheme": request.scheme}, _never, send)
        if not said:
            return None
        start, body = said
        headers = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        return response_of(start["status"], headers, body["body"])


def response_of(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> HttpResponse:
    """Return an answer of the page's in Django's words."""
    response = HttpResponse(body, status=status, reason=HTTPStatus(status).phrase)
    for name, value in headers:
        response[name.title()] = value
    return response


def _nothing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    return ()


async def _nothing_async(scope: Any, receive: Any, send: Any) -> None:
    return None


_never = cast("Callable[[], Awaitable[Any]]", None)
"""What the page would be told of a body: it never asks."""

"""Ask an application with a status page, through either kind of door, as a server would."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TOKEN = "s3cret-Token~1"
PATH = "/-/reloadcheck"
OWN = b"the application's own answer"

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `own` tells that it is the application's, down to each header."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes

    @property
    def own(self) -> bool:
        """Return whether the application answered."""
        return (
            self.status,
            self.headers,
            self.body,
        ) == (404, (("content-type", "text/x-own"),), OWN)

    def header(self, name: str) -> str | None:
        """Return the one header of a name; None without one."""
        found = [value for key, value in self.headers if key.lower() == name]
        assert len(found) < 2
        return found[0] if found else None


Ask = Callable[..., Answer]


def bearer(token: str | bytes = TOKEN) -> tuple[str, bytes]:
    """Return the header that opens the page."""
    return "authorization", b"Bearer " + (token if isinstance(token, bytes) else token.encode())


async def own_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer 404 in words of its own."""
    headers = [(b"content-type", b"text/x-own")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": OWN})


def own_wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
    """Answer 404 in words of its own."""
    start_response("404 Not Found", [("content-type", "text/x-own")])
    return [OWN]


def ask_asgi(app: Any) -> Ask:
    """Ask an ASGI application in an event loop that stays open until the test is over."""

    def ask(
        path: str = PATH,
        query: str = "",
        *,
        method: str = "GET",
        headers: Headers = (),
        root: str = "",
        scheme: str = "http",
        more: Mapping[str, Any] | None = None,
    ) -> Answer:
        sent: list[Any] = []
        scope = {
            "type": "http",
            "method": method,
            "path": root + path,
            "root_path": root,
            "query_string": query.encode(),
            "headers": [(name.encode(), value) for name, value in headers],
            "scheme": scheme,
            **(more or {}),
        }

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        start, *rest = sent
        given = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        return Answer(start["status"], tuple(given), b"".join(m.get("body", b"") for m in rest))

    return ask


def ask_wsgi(app: Any) -> Ask:
    """Ask a WSGI application; headers of one name are joined, as servers join them."""

    def ask(
        path: str = PATH,
        query: str = "",
        *,
        method: str = "GET",
        headers: Headers = (),
        root: str = "",
        scheme: str = "http",
        more: Mapping[str, Any] | None = None,
    ) -> Answer:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.encode("utf-8").decode("latin-1"),
            "SCRIPT_NAME": root,
            "QUERY_STRING": query,
            "wsgi.url_scheme": scheme,
            **(more or {}),
        }
        for name, value in headers:
            key = "HTTP_" + name.upper().replace("-", "_")
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, given: list[tuple[str, str]]) -> None:
            started.append((status, given))

        data = b"".join(app(environ, start))
        ((status, given),) = started
        return Answer(int(status.split()[0]), tuple(given), data)

    return ask

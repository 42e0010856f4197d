"""Make requests of a trial again, in process, on what serves and on what is tried.

Comparing and judging is `trial/shadow`'s. In a thread of its own for each, which begins once the
answer is sent; an ASGI application is asked in the loop that it was asked in before. What comes of
it is compared, and reaches nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .._runtime.event_loops import running_loop
from .._runtime.threads import daemon
from .._snapshots.tenancy import LiveSnapshot, NamedLease
from ..seams.repeats import Answered, Repeat, Request
from .rehearsal_stage import REQUEST_SECONDS, Send, StageOf

if TYPE_CHECKING:
    from .engine import Engine

MARK: Final = "reloadcheck-shadow"
"""The header of such a request; one that has it is not made again."""

_LEFT_OUT: Final = frozenset({
    "accept-encoding", "connection", "content-length", "content-type", "expect", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive",
    "proxy-connection", "range", "te", "trailer", "upgrade",
})  # fmt: skip
"""What would have an answer without its body, or is of a connection."""


class PinnedLease(NamedLease):
    """The lease of a request that is made again: doors stay on its version."""

    __slots__ = ()


class GoneError(Exception):
    """The version has ended."""


class ShadowStage(StageOf):
    """The stage of one version that may end meanwhile; raises `GoneError` then."""

    def _leased(self) -> NamedLease:
        lease = PinnedLease("a shadow")
        if not self._live_snapshot.enter(lease):
            raise GoneError
        return lease

    def _awaited(self, result: Awaitable[Any], timeout: float) -> Any:
        if self._home is None or self._home.is_closed():  # what it uses lives in that loop alone
            close = getattr(result, "close", None)
            if close is not None:
                close()
            raise GoneError
        return super()._awaited(result, timeout)


class Shadowing:
    """Makes requests again for the trial of one engine."""

    def __init__(self, engine: Engine[Any]) -> None:
        self._engine = engine

    def request(self, scope: Mapping[str, Any]) -> Request | None:
        """Return how to make a request again; None for one with a body, or made again already."""
        found = _of_asgi(scope) if "type" in scope else _of_wsgi(scope)
        names = dict(found.headers)
        if MARK in names or "transfer-encoding" in names:
            return None
        if names.get("content-length", "0") not in ("0", ""):
            return None
        kept = tuple(pair for pair in found.headers if pair[0] not in _LEFT_OUT)
        return replace(found, headers=(*kept, (MARK, "1")), home=running_loop())

    def start(
        self,
        request: Request,
        order: Sequence[bool],
        came: Callable[[Sequence[Answered] | None], None],
    ) -> None:
        """Begin in a thread of its own; raise `GoneError` where there are no two versions."""
        thread, send = self._engine.thread, self._engine.send
        if thread is None or send is None:
            raise GoneError
        candidate, current = thread.serving.candidate, thread.serving.current
        if candidate is None or current is None:
            raise GoneError

        def stage(live_snapshot: LiveSnapshot[Any]) -> ShadowStage:
            return ShadowStage(live_snapshot, request.home, send)

        stages = [stage(candidate if is_new else current) for is_new in order]
        daemon("shadow", _run, request, stages, send, came).start()


def _run(
    request: Request,
    stages: Sequence[ShadowStage],
    send: Send,
    came: Callable[[Sequence[Answered] | None], None],
) -> None:
    answers: Sequence[Answered] | None = None
    try:
        answers = [_answered(stage, request, send) for stage in stages]
    except BaseException:  # the version has gone, or the answer is too large: there is none
        answers = None
    finally:
        came(answers)


def _answered(stage: ShadowStage, request: Request, send: Send) -> Answered:
    repeat = Repeat(request)
    try:
        status = stage.run(lambda: send(request.method, request.target, repeat), REQUEST_SECONDS)
    except (GoneError, OverflowError):
        raise
    except Exception as error:
        return Answered(500, error=type(error).__name__)
    return Answered(int(status), repeat.headers, bytes(repeat.body))


def _of_asgi(scope: Mapping[str, Any]) -> Request:
    path, raw, query = scope["path"], scope.get("raw_path"), scope.get("query_string", b"")
    target = quote(path) if raw is None else raw.partition(b"?")[0].decode("ascii")
    headers = tuple(
        (bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1"))
        for name, value in scope.get("headers", ())
    )
    client = scope.get("client")
    return Request(
        scope["method"],
        path,
        _with_query(target, query.decode("latin-1")),
        scope.get("root_path", ""),
        headers,
        None if client is None else (client[0], client[1]),
    )


def _of_wsgi(environ: Mapping[str, Any]) -> Request:
    root, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    headers = [
        (name[5:].replace("_", "-").lower(), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    headers.append(("content-length", str(environ.get("CONTENT_LENGTH", ""))))
    address = environ.get("REMOTE_ADDR")
    whole, target = root + path, quote(path)
    if "wsgi.version" in environ:  # bytes in disguise; Django's META behind ASGI has text
        whole = whole.encode("latin-1").decode("utf-8", "replace")
        target = quote(path, encoding="latin-1")
    return Request(
        environ["REQUEST_METHOD"],
        whole,
        _with_query(target, environ.get("QUERY_STRING", "")),
        root,
        tuple(headers),
        None if not address else (str(address), 0),
    )


def _with_query(target: str, query: str) -> str:
    return f"{target}?{query}" if query else target

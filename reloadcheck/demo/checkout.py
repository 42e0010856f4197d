"""The application that the demo serves and breaks on purpose: a shop with a rate for each currency.

One order in five is in pounds. An edit that forgets their rate is well-formed, and breaks one
request in five. Served by uvicorn as `asgi_app`, by gunicorn as `wsgi_app`.
"""

import itertools
import json
import os
from collections.abc import Iterable
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware as ASGIMiddleware
from reloadcheck.wsgi import ReloadCheckMiddleware as WSGIMiddleware

CURRENCIES = ("EUR", "USD", "JPY", "CHF", "GBP")

live = ReloadCheck(os.environ["ORDERS_CONFIG"], trial=True)
_orders = itertools.count()


def answer(path: str, snapshot: Any) -> bytes:
    """Return the body for a path; raise `KeyError` where a rate is missing."""
    said: dict[str, Any] = {"worker": os.getpid(), "version": snapshot.version}
    if path == "/status":
        status = live.status()
        reload = {"version": status.version, "digest": status.digest, "code": status.code}
        pools = {"built": 0, "closed": 0}
        return json.dumps(
            {**said, "reload": {**reload, "error": status.error}, "pools": pools}
        ).encode()
    currency = CURRENCIES[next(_orders) % len(CURRENCIES)]
    total = 12 * snapshot.config.rates[currency]
    shown = {"greeting": f"{total:.2f} {currency}", "pool": "", "pool_size": 0, "wanted_size": 0}
    return json.dumps({**said, **shown}).encode()


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer in ASGI."""
    if scope["type"] == "http":
        body = answer(scope["path"], scope["state"]["snapshot"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer in WSGI."""
    body = answer(environ["PATH_INFO"], environ["reloadcheck.snapshot"])
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


asgi_app = ASGIMiddleware(asgi, live)
wsgi_app = WSGIMiddleware(wsgi, live)

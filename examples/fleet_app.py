"""One of the applications of ``reloadcheck demo --fleet``: configuration and store are one etcd.

``uvicorn fleet_app:app`` serves it by ASGI, ``gunicorn fleet_app:wsgi`` by WSGI. ``FLEET_ETCD`` is
the address of the etcd, ``FLEET_APP`` the application's name.
"""

import json
import os
from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from reloadcheck import EtcdSource, ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.stores import EtcdStore
from reloadcheck.trial import Trial
from reloadcheck.wsgi import ReloadCheckMiddleware as WSGIReloadCheckMiddleware

URL = os.environ["FLEET_ETCD"]
live = ReloadCheck(
    EtcdSource(URL, "fleet.yaml"),
    store=EtcdStore(URL, content=True),
    app=os.environ["FLEET_APP"],
    trial=Trial(shares=(0.5,), seconds=1.5, units=20, longest=10.0, watch=0.0),
    window=0.5,
    settle=0.0,
)


def answer(config: Any) -> tuple[int, dict[str, Any]]:
    """Greet, and say which worker does; a broken configuration fails here, and only here."""
    store = live.status().store
    edition = None if store is None else store.edition
    said = {"pid": os.getpid(), "greeting": config.greeting, "edition": edition}
    return (500 if config.broken else 200), said


async def home(request: Request) -> JSONResponse:
    """Answer by ASGI."""
    status, said = answer(request.state.snapshot.config)
    return JSONResponse(said, status)


def front(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer by WSGI."""
    status, said = answer(environ["reloadcheck.config"])
    start_response(f"{status} said", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]


app = ReloadCheckMiddleware(Starlette(routes=[Route("/", home)]), live)
wsgi = WSGIReloadCheckMiddleware(front, live)

"""The WSGI app that real servers run: `gunicorn tests.support.wsgi_app:app`.

Answers at the same paths, and in the same words, as the ASGI app does.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from reloadcheck import FrozenDict, Snapshot
from reloadcheck.wsgi import ReloadCheckMiddleware

from . import stock

live, pool = stock.engine()

StartResponse = Callable[..., Any]


def _app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    path = environ["PATH_INFO"]
    if path == "/stream":
        return _lines(Path(parse_qs(environ["QUERY_STRING"])["gate"][0]), environ)
    if path == "/process":
        return [json.dumps(stock.process(live)).encode()]
    facts = _facts(environ)
    time.sleep(0)
    return [json.dumps({**facts, "again": live.current().config["number"]}).encode()]


def _lines(gate: Path, environ: dict[str, Any]) -> Iterator[bytes]:
    open_for_good = False
    while not open_for_good:
        open_for_good = gate.exists()
        yield json.dumps(_facts(environ)).encode() + b"\n"
        time.sleep(0.02)


def _facts(environ: dict[str, Any]) -> dict[str, Any]:
    snapshot: Snapshot[FrozenDict] = environ["reloadcheck.snapshot"]
    facts = stock.facts(snapshot, pool)
    return {**facts, "number": environ["reloadcheck.config"].number}


app = ReloadCheckMiddleware(_app, live)

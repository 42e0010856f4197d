"""The WSGI app of the soak: `/ask/<resource>?seconds=0.3`, `/status`, and `/wait`."""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from reloadcheck import Snapshot
from reloadcheck.wsgi import ReloadCheckMiddleware

from .asks_sync import SYNC
from .engines import engine, told
from .matrix import Settings

watch, handles = engine("sync", lambda watch, name: watch.factory(SYNC[name].factory))

StartResponse = Callable[..., Any]


def _app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/wait":
        time.sleep(0.5)
    asked = path.startswith("/ask/")
    said = _ask(environ, path.rpartition("/")[2]) if asked else watch.report()
    body = json.dumps(said).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def _ask(environ: dict[str, Any], name: str) -> dict[str, Any]:
    snapshot: Snapshot[Settings] = environ["reloadcheck.snapshot"]
    seconds = float(parse_qs(environ["QUERY_STRING"])["seconds"][0])
    client = snapshot[handles[name]]
    upstream = snapshot.config.upstreams.get(name)
    with watch.using(snapshot.version, name):
        said = SYNC[name].ask(client, seconds, "" if upstream is None else upstream.url)
        return told(watch, snapshot, handles[name], client, said)


app = ReloadCheckMiddleware(_app, watch.live)

"""An application configured over the network: `gunicorn tests.support.network_app:app`.

`NET_KEY` is its key in the etcd at `NET_ETCD`, or else `NET_FILE` its file. What else there is to
say, its store for one, the variables of reloadcheck do.
"""

import json
import os
from collections.abc import Iterable
from typing import Any

from reloadcheck import EtcdSource, FrozenDict, ReloadCheck
from reloadcheck.wsgi import ReloadCheckMiddleware

KEY = os.environ.get("NET_KEY")
live: ReloadCheck[FrozenDict] = ReloadCheck(
    EtcdSource(os.environ["NET_ETCD"], KEY) if KEY else os.environ["NET_FILE"]
)


def _app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    status = live.status()
    store = status.store
    said = {
        "pid": os.getpid(),
        "number": environ["reloadcheck.config"].number,
        "outcome": str(status.outcome),
        "store": None if store is None else store.code,
        "edition": None if store is None else store.edition,
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]


app = ReloadCheckMiddleware(_app, live)

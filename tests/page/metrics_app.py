"""A WSGI app with metrics for several workers: `gunicorn tests.page.metrics_app:app`.

`/metrics` is what a Prometheus server scrapes; `/` tells the worker and the number it serves.
"""

import json
import os
import time
from collections.abc import Iterable
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

from reloadcheck import ReloadCheck
from reloadcheck.integrations.prometheus import instrument
from reloadcheck.wsgi import ReloadCheckMiddleware

_untyped: Any = multiprocess

live = ReloadCheck(os.environ["RIG_CONFIG"])
instrument(live)


@live.resource("number")
def pool(number: int) -> list[int]:
    """Build what depends on the number."""
    return [number]


def _app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/metrics":
        registry = CollectorRegistry()
        _untyped.MultiProcessCollector(registry)
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [generate_latest(registry)]
    time.sleep(0.002)
    start_response("200 OK", [("Content-Type", "application/json")])
    number = environ["reloadcheck.config"].number
    return [json.dumps({"pid": os.getpid(), "number": number}).encode()]


app = ReloadCheckMiddleware(_app, live)


def child_exit(server: Any, worker: Any) -> None:
    """Have gunicorn drop the gauges of a worker that is gone."""
    _untyped.mark_process_dead(worker.pid)

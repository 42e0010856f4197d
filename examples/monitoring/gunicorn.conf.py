"""gunicorn with metrics: `PROMETHEUS_MULTIPROC_DIR=/run/metrics gunicorn -c gunicorn.conf.py app`.

The directory must exist and be empty at the start.
"""

from typing import Any

from prometheus_client import multiprocess

workers = 4

_client: Any = multiprocess


def child_exit(server: object, worker: Any) -> None:
    """Drop the gauges of a worker that has ended; its counters stay in the totals."""
    _client.mark_process_dead(worker.pid)

"""Who speaks in a status: the application, the host, the process and the worker.

The name of a worker in a store is `_state/member_id`'s. Looks at this process:
who has several workers must see which one answered.
"""

import multiprocessing
import os
import socket
import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["Identity", "identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """One process as people recognise it; `worker` is its server's name for it, if it has one.

    `directory` is where it works, below which file names are short.
    """

    application: str
    host: str
    pid: int
    worker: str | None = None
    directory: str = ""

    def __str__(self) -> str:
        worker = "" if self.worker is None else f", worker {self.worker}"
        return f"{self.application} on {self.host}, pid {self.pid}{worker}"


def identity(app: str | None) -> Identity:
    """Return who this process is; without a name it is called as its working directory is."""
    here = _directory()
    name = app or os.path.basename(here) or "application"
    return Identity(name, socket.gethostname(), os.getpid(), _worker(), here)


def _directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed under us
        return ""


def _worker() -> str | None:
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is not None and hasattr(uwsgi, "worker_id"):
        return f"uwsgi-{uwsgi.worker_id()}"
    name = multiprocessing.current_process().name
    return None if name == "MainProcess" else name

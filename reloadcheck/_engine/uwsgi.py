"""uWSGI forks its workers without telling Python, unless it is asked to.

Takes the modules of this process, says one warning at most: an engine's threads may hold what a
worker then waits for, for ever. It must never change anything.
"""

import sys
from collections.abc import Mapping
from typing import Any

from .._runtime.log import WARNING, log

HOOKS = "py-call-uwsgi-fork-hooks"


def warn_before_forks(modules: Mapping[str, Any] = sys.modules) -> None:
    """Warn in a uWSGI process that is going to fork its workers; a worker has a number."""
    uwsgi = modules.get("uwsgi")
    try:
        if uwsgi is None or uwsgi.worker_id() or HOOKS in uwsgi.opt:
            return
        if not uwsgi.masterpid() and uwsgi.numproc <= 1:
            return
    except AttributeError:  # something else of that name
        return
    log(
        WARNING,
        "the engine starts before uWSGI forks its workers, and one may never answer: add "
        "--lazy-apps or --%s, or let the first request start it",
        HOOKS,
    )

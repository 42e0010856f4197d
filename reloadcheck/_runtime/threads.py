"""Daemon threads of ours: they belong to no unit of work, whichever one had them started.

Takes a name and what is to be done, gives a thread that is not started yet. Its context is empty: a
library that hands the context of whoever starts a thread on to it, as tracers do, would make every
later reload a part of that one request.
"""

import threading
from collections.abc import Callable
from contextvars import Context


def daemon(name: str, work: Callable[..., object], *arguments: object) -> threading.Thread:
    """Make a daemon thread that will run `work` in an empty context."""
    return threading.Thread(
        target=Context().run,
        args=(work, *arguments),
        name=f"reloadcheck-{name}",
        daemon=True,
    )

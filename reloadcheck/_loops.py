"""The running event loop, asked for without importing asyncio.

Where nobody has imported it, no loop runs; a WSGI application never needs it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Give the event loop that runs in this thread, if one does."""
    ask = getattr(sys.modules.get("asyncio.events"), "_get_running_loop", None)
    loop: asyncio.AbstractEventLoop | None = None if ask is None else ask()
    return loop

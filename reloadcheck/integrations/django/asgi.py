"""The ASGI application of a site, with the lifespan that Django itself refuses.

Start-up loads the configuration and fails with its cause; shutdown drains and closes.
"""

from typing import Any, cast

from django.core import asgi as django_asgi

from ..._doors.protocols import ASGIApp, Receive, Scope, Send
from ...asgi import ReloadCheckMiddleware
from .engine import ready_engine, site_declared

__all__ = ["WithLifespan", "get_asgi_application"]


def get_asgi_application() -> ASGIApp:
    """Return Django's application behind the door of the site's engine."""
    application = cast("Any", django_asgi.get_asgi_application())
    return ReloadCheckMiddleware(WithLifespan(application), ready_engine(), **site_declared().page)


class WithLifespan:
    """Answer the lifespan for an application that does not know it; pass on all else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

"""Tell people what became of an edit: by a webhook, and by Apprise to whatever they read.

Run it with ``uvicorn app:app`` from here. ``ORDERS_WEBHOOK`` is an address that takes JSON,
``ORDERS_APPRISE`` has addresses of Apprise (``mailto://…``, ``slack://…``), separated by blanks.
"""

import os
import subprocess
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from reloadcheck import Outcome, ReloadCheck, ReloadEvent
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.integrations.webhook import notify

live = ReloadCheck(os.environ.get("ORDERS_CONFIG") or Path(__file__).with_name("config.yaml"))

if os.environ.get("ORDERS_WEBHOOK"):
    notify(live, os.environ["ORDERS_WEBHOOK"], secret=os.environ.get("ORDERS_WEBHOOK_SECRET"))


@live.subscribe
def tell_by_apprise(event: ReloadEvent) -> None:
    """Pass a refusal on; runs in a thread of its own, so that it may take its time."""
    addresses = os.environ.get("ORDERS_APPRISE", "").split()
    if not addresses or event.outcome not in (Outcome.REJECTED, Outcome.UNDONE):
        return
    title = f"orders: edit {event.outcome}"
    body = f"{event.error}\nVersion {event.version} serves on."
    command = ["apprise", "--title", title, "--body", body, "--notification-type", "warning"]
    subprocess.run([*command, *addresses], check=False, timeout=60, stdin=subprocess.DEVNULL)


async def home(request: Request) -> PlainTextResponse:
    """Greet as the file says now."""
    return PlainTextResponse(f"{request.state.snapshot.config.greeting}\n")


app = ReloadCheckMiddleware(Starlette(routes=[Route("/", home)]), live)

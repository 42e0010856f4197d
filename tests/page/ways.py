"""The two ways to ask for the page of an engine: through the ASGI door and the WSGI door."""

from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck._page.settings import Settings, settings_from
from reloadcheck.asgi import ReloadCheckMiddleware as asgi_door
from reloadcheck.wsgi import ReloadCheckMiddleware as wsgi_door
from tests.page.asking import (
    PATH,
    TOKEN,
    Ask,
    ask_asgi,
    ask_wsgi,
    own_asgi,
    own_wsgi,
)

Live = ReloadCheck[Any]


def settings(path: str = PATH, token: str = TOKEN) -> Settings:
    """Return settings with a path and a token."""
    chosen, _ = settings_from(path, token, {})
    assert chosen is not None
    return chosen


def asgi(live: Live) -> Ask:
    """Ask through the ASGI page."""
    door = asgi_door(own_asgi, live, status_path=PATH, status_token=TOKEN)
    return ask_asgi(door)


def wsgi(live: Live) -> Ask:
    """Ask through the WSGI page."""
    return ask_wsgi(wsgi_door(own_wsgi, live, status_path=PATH, status_token=TOKEN))

"""A site in this process: Django is set up once, then each test lays its own settings over that.

Its engine looks at its file before each request, so that an edit is seen by the next one.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from django.urls import clear_url_caches, path
from werkzeug.test import Client

from reloadcheck import ReloadCheck
from reloadcheck._doors.protocols import ASGIApp
from reloadcheck.integrations import django as adapter
from tests.support.calls import ask, body

APP = "reloadcheck.integrations.django"
MIDDLEWARE = f"{APP}.middleware.ReloadCheckMiddleware"
AT_ONCE = {"window": 0, "settle": 0}


def set_up() -> None:
    """Set Django up as bare as can be, unless somebody has done so in this process."""
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="for tests only")
    django.setup()


def write(file: Path, number: int, **more: object) -> None:
    """Make a file say a number; `end` tells one that was cut."""
    lines = [f"{key}: {value}\n" for key, value in more.items()]
    file.write_text(f"number: {number}\n{''.join(lines)}end: {number}\n")


@contextmanager
def declared(file: Path, *views: Any, **given: Any) -> Generator[None]:
    """Run a block with the settings of a site whose views stand at their own names.

    `given` are settings in capitals, and keys of `RELOAD_CHECK` in small letters.
    """
    set_up()
    ours = {key: value for key, value in given.items() if key.islower()}
    theirs = {key: value for key, value in given.items() if key.isupper()}
    urls = type("urls", (), {"urlpatterns": [path(one.__name__, one) for one in views]})
    words: dict[str, Any] = {
        "RELOAD_CHECK": {"sources": [file], **AT_ONCE, **ours},
        "INSTALLED_APPS": [APP],
        "MIDDLEWARE": [MIDDLEWARE],
        "ROOT_URLCONF": urls,
        "ALLOWED_HOSTS": ["*"],
        **theirs,
    }
    apps = override_settings(INSTALLED_APPS=words.pop("INSTALLED_APPS"))
    with override_settings(**words), apps:  # in this order, for the apps read the settings
        clear_url_caches()
        yield
    clear_url_caches()


@contextmanager
def site(file: Path, *views: Any, **given: Any) -> Generator[ReloadCheck[Any]]:
    """Do as `declared`, with the site's engine, which is closed at the end."""
    with declared(file, *views, **given):
        live = adapter.live
        try:
            yield live
        finally:
            if live.status().state != "idle":
                live.close()


def held(live: ReloadCheck[Any]) -> int:
    """Count the units of work that hold a snapshot."""
    return sum(live.status().leases.values())


def loaded(live: ReloadCheck[Any], version: int) -> None:
    """Have an edit loaded, unless the engine has done so by itself."""
    live.check()
    assert version == live.snapshot.version


def rejected(live: ReloadCheck[Any]) -> str:
    """Have an edit looked at that cannot be used; give what is said of it."""
    live.check()
    error = live.status().error
    assert error is not None
    return error


def get(path: str) -> str:
    """Ask the site through WSGI; give status and body."""
    with Client(get_wsgi_application()).get(path) as response:
        return f"{response.status_code} {response.get_data(as_text=True)}"


def get_async(path: str) -> str:
    """Ask the site through ASGI; give status and body."""
    application = cast("ASGIApp", get_asgi_application())

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        plain, _, query = scope["path"].partition("?")
        await application({**scope, "path": plain, "query_string": query.encode()}, receive, send)

    sent = asyncio.run(ask(asked, path))
    return f"{sent[0]['status']} {body(sent).decode()}"

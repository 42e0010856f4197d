"""The site that real servers run, in one module: `tests.integrations_django.served:wsgi`, `:asgi`.

Set up by environment variables, because each server process imports it anew: RIG_CONFIG is the
file, SITE_FOLLOWS says what follows it: `databases`, `caches` or both.
`/` asks the database as what it was connected, `/cache` the cache; both answer in the rig's words.
"""

import asyncio
import json
import logging
import os
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

APP = "reloadcheck.integrations.django"
FOLLOWS = os.environ["SITE_FOLLOWS"].split()
REDIS = "django.core.cache.backends.redis.RedisCache"

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[APP],
    MIDDLEWARE=[f"{APP}.middleware.ReloadCheckMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
    CACHES={"default": {"BACKEND": REDIS, "LOCATION": "redis://127.0.0.1:1/0"}},
    USE_TZ=True,
    LOGGING_CONFIG=None,
    RELOAD_CHECK={
        "SOURCES": [os.environ["RIG_CONFIG"]],
        "DATABASES": {"default": "database"} if "databases" in FOLLOWS else {},
        "CACHES": {"default": "cache"} if "caches" in FOLLOWS else {},
    },
)


def connected_as() -> tuple[int, str]:
    """Ask the database for the number of the server process and the name that we gave."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_setting('application_name')")
        row: tuple[int, str] = cursor.fetchone()
    return row


def database(request: HttpRequest) -> HttpResponse:
    """Ask twice, as a view with two queries does."""
    backend, name = connected_as()
    again, _ = connected_as()
    return answer(request, name, backend=backend, same=backend == again)


async def database_async(request: HttpRequest) -> HttpResponse:
    """Do the same from an async view."""
    backend, name = await sync_to_async(connected_as)()
    await asyncio.sleep(0)
    again, _ = await sync_to_async(connected_as)()
    return answer(request, name, backend=backend, same=backend == again)


def cached(request: HttpRequest) -> HttpResponse:
    """Set and get; each database of the cache server holds its own number."""
    found = cache.get("number")
    if found is None:
        live: Any = request
        cache.set("number", found := live.config.number)
    return answer(request, f"site-{found}")


def answer(request: HttpRequest, name: str, **more: object) -> HttpResponse:
    """Tell the number of the configuration, and the one that the connection has in its name."""
    live: Any = request
    config = live.config
    numbers = {"number": config.number, "again": live.snapshot.config.number, "end": config.end}
    facts = {"pid": os.getpid(), "pool": int(name.rpartition("-")[2]), "closed": False, **more}
    return HttpResponse(json.dumps(numbers | facts), content_type="application/json")


urlpatterns = [
    path("", database),
    path("async", database_async),
    path("cache", cached),
]
wsgi = get_wsgi_application()

from reloadcheck.integrations.django.asgi import get_asgi_application  # noqa: E402 - needs settings

asgi = get_asgi_application()

"""The site that real servers run, in one module: `tests.integrations_django.served:wsgi`, `:asgi`.

Set up by environment variables, because each server process imports it anew: RIG_CONFIG is the
file, SITE_FOLLOWS what follows it: `databases` or `caches`. `/` asks the one that follows, and
answers in the rig's words.
"""

import json
import logging
import os
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

APP = "reloadcheck.integrations.django"
FOLLOWS = os.environ["SITE_FOLLOWS"]
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
        "DATABASES": {"default": "database"} if FOLLOWS == "databases" else {},
        "CACHES": {"default": "cache"} if FOLLOWS == "caches" else {},
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


urlpatterns = [path("", database if FOLLOWS == "databases" else cached)]
wsgi = get_wsgi_application()

from reloadcheck.integrations.django.asgi import get_asgi_application  # noqa: E402 - needs settings

asgi = get_asgi_application()

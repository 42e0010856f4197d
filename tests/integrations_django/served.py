"""The site that real servers run, in one module: `tests.integrations_django.served:wsgi`, `:asgi`.

Set up by environment variables, because each server process imports it anew: RIG_CONFIG is the
file, SITE_FOLLOWS what follows it: `databases` or `caches`. `/` asks the one that follows, and
answers in the rig's words. It has what most sites have: accounts, sessions, an admin, a model.
"""

import json
import logging
import os
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

APP = "reloadcheck.integrations.django"
FOLLOWS = os.environ["SITE_FOLLOWS"]
REDIS = "django.core.cache.backends.redis.RedisCache"

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
settings.configure(
    SECRET_KEY="for tests only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "tests.integrations_django.shop",
        APP,  # the last one, for a site need not know that order could matter
    ],
    MIDDLEWARE=[
        f"{APP}.middleware.ReloadCheckMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # many log in
    STATIC_URL="static/",
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
wsgi = get_wsgi_application()

from django.contrib import admin  # noqa: E402 - needs settings

from reloadcheck.integrations.django.asgi import get_asgi_application  # noqa: E402

from .shop.models import Order  # noqa: E402

asgi = get_asgi_application()


def connected_as() -> tuple[int, str]:
    """Ask the database for the number of the server process and the name that we gave."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_setting('application_name')")
        row: tuple[int, str] = cursor.fetchone()
    return row


def database(request: HttpRequest) -> HttpResponse:
    """Ask twice, as a view with two queries does; write an order and a session."""
    live: Any = request
    backend, name = connected_as()
    with transaction.atomic():
        order = Order.objects.create(number=live.config.number)
    live.session["order"] = order.pk
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


urlpatterns = [
    path("", database if FOLLOWS == "databases" else cached),
    path("admin/", admin.site.urls),
]

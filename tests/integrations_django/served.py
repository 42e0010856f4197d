"""The site that real servers run, in one module: `tests.integrations_django.served:wsgi`, `:asgi`.

Set up by environment variables, because each server process imports it anew: see its settings. `/`
asks the database or the cache, whichever follows, and answers in the rig's words.
"""

import json
import logging
import os
from typing import Any

from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.integrations_django.served_settings")
wsgi = get_wsgi_application()

from django.contrib import admin  # noqa: E402 - needs settings

from reloadcheck.integrations.django.asgi import get_asgi_application  # noqa: E402

from .served_settings import FOLLOWS  # noqa: E402
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
    """Return the number of the configuration, and the one that the connection has in its name."""
    live: Any = request
    config = live.config
    numbers = {"number": config.number, "again": live.snapshot.config.number, "end": config.end}
    facts = {"pid": os.getpid(), "pool": int(name.rpartition("-")[2]), "closed": False, **more}
    return HttpResponse(json.dumps(numbers | facts), content_type="application/json")


urlpatterns = [
    path("", database if FOLLOWS == "databases" else cached),
    path("admin/", admin.site.urls),
]

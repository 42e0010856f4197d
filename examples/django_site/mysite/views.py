"""The views; a sync one and an async one see the same snapshot in the same way."""

import os

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from reloadcheck import Snapshot

from .config import Settings
from .models import Visit
from .resources import api


class Request(HttpRequest):
    """What a view gets from the middleware, typed."""

    config: Settings
    snapshot: Snapshot[Settings]


async def home(request: Request) -> HttpResponse:
    """Greet as the file says now."""
    return HttpResponse(f"{request.config.greeting}\n", content_type="text/plain")


def visits(request: Request) -> JsonResponse:
    """Write a visit down and count them, in the database that the file names now."""
    Visit.objects.create(greeting=request.config.greeting)
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse({"worker": os.getpid(), "visits": Visit.objects.count()})


def facts(request: Request) -> HttpResponse:
    """Show that configuration, database and client are of one version."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse(
        {
            "worker": os.getpid(),
            "version": request.snapshot.version,
            "database": connection.settings_dict["NAME"],
            "upstream": str(request.snapshot[api].base_url),
        }
    )

"""What is done outside of requests, on the same configuration and the same database."""

from reloadcheck.integrations.django import live

from .celery import app
from .models import Visit


@app.task
def count() -> dict[str, object]:
    """Count the visits; greeting and database are of one version, to the end of the task."""
    return {"greeting": live.current().config.greeting, "visits": Visit.objects.count()}

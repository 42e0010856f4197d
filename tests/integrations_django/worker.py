"""The tasks of that site: `celery -A tests.integrations_django.worker worker`.

Laid out as Django's projects lay it out: Celery itself sets Django up, when the worker starts.
RIG_BROKER is the address of a Valkey.
"""

import logging
import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.integrations_django.served_settings")

from reloadcheck.integrations.celery import CeleryReloadCheck
from reloadcheck.integrations.django import live

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
app = Celery("site", broker=os.environ["RIG_BROKER"], backend=os.environ["RIG_BROKER"])
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)
CeleryReloadCheck(live, app)


@app.task
def order() -> dict[str, Any]:
    """Write an order down; tell what configuration and connection that was done with."""
    from django.db import connection

    from .shop.models import Order

    config = live.current().config
    Order.objects.create(number=config.number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('application_name')")
        name: str = cursor.fetchone()[0]
    return {"pid": os.getpid(), "number": config.number, "pool": int(name.rpartition("-")[2])}

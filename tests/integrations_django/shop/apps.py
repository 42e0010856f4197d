"""The application, which stands above ours in INSTALLED_APPS and so is ready before it."""

import asyncio
import os

from django.apps import AppConfig
from django.db import connection


class ShopConfig(AppConfig):
    """Connects in `ready`, as applications do that look something up when they start."""

    name = "tests.integrations_django.shop"
    label = "shop"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect with what the configuration says, though nobody has prepared that yet."""
        if os.environ["SITE_FOLLOWS"] == "databases" and not _in_an_event_loop():
            connection.ensure_connection()
            connection.close()


def _in_an_event_loop() -> bool:
    """Return whether a server imports the site in its loop, where Django forbids queries."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

"""The one engine of a site: made of its settings at first use, shared by all that asks for it.

Making it opens no file and starts no thread; its first unit of work does.
"""

import threading
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..._engine.api import ReloadCheck
from .settings import Declared, declared

__all__ = ["APP", "LABEL", "ready_engine", "site_declared", "site_engine"]

APP = "reloadcheck.integrations.django"
LABEL = "reloadcheck"

_lock = threading.RLock()
_made: tuple[object, Declared, ReloadCheck[Any]] | None = None
_making = False


def site_engine() -> ReloadCheck[Any]:
    """Give the site's engine; raises `ImproperlyConfigured`, or what is wrong with the schema."""
    return _site()[2]


def ready_engine() -> ReloadCheck[Any]:
    """Give the site's engine with all that follows it; raise what is wrong with the settings."""
    if not apps.is_installed(APP):
        raise ImproperlyConfigured(f"add '{APP}' to INSTALLED_APPS: reloadcheck needs it")
    problem: Exception | None = getattr(apps.get_app_config(LABEL), "problem", None)
    if problem is not None:
        raise problem
    return site_engine()


def site_declared() -> Declared:
    """Give what the site's engine was made of."""
    return _site()[1]


def _site() -> tuple[object, Declared, ReloadCheck[Any]]:
    """Make the engine once for each value of the setting, which only tests ever replace."""
    global _made, _making
    given = getattr(settings, "RELOAD_CHECK", None)
    made = _made
    if made is not None and made[0] is given:
        return made
    with _lock:
        if _made is not None and _made[0] is given:
            return _made
        if _making:
            raise ImproperlyConfigured(
                "the module that RELOAD_CHECK['SCHEMA'] names imports `live`, which is made of "
                "that schema: move the schema to a module of its own"
            )
        _making = True
        try:
            site = declared(given)
            live = ReloadCheck[Any](*site.sources, schema=site.schema, **site.options)
        finally:
            _making = False
        _made = given, site, live
        return _made

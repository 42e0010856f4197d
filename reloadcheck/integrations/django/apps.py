"""The app to name in `INSTALLED_APPS`: registers what follows the configuration, starts nothing."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from ..._engine.api import ReloadCheck
from ...exceptions import UsageError
from . import caches
from .connections import install
from .engine import APP, LABEL, Site, prepared_site, site_engine
from .generations import Following

__all__ = ["ReloadCheckConfig"]


class ReloadCheckConfig(AppConfig):
    """Brings the system checks, `manage.py reloadcheck` and the resources of a site.

    Django makes these objects before it imports any model, and a model asks for its connection
    while it is imported: so what connections and caches are is said here, and what they follow is
    looked up when they are first used.
    """

    name = APP
    label = LABEL
    verbose_name = "reloadcheck"

    problem: Exception | None = None
    """What was wrong with the settings; the checks tell it, and the middleware raises it."""

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        install(_aliases("DATABASES"), _followed_database, connections)
        caches.install(_aliases("CACHES"), _followed_cache)

    def ready(self) -> None:
        """Register the site's resources, and Django's own connections as some of them."""
        from . import checks

        checks.register_all()
        try:
            site_engine()
        except (ImproperlyConfigured, UsageError) as error:
            self.problem = error
            return
        self.problem = prepared_site().problem


def _aliases(setting: str) -> list[str]:
    """Return the aliases that are said to follow; what is wrong with them, the checks tell."""
    given: object = getattr(settings, "RELOAD_CHECK", None)
    if not isinstance(given, Mapping):
        return []
    words = {str(key).lower(): value for key, value in cast("Mapping[object, Any]", given).items()}
    named: object = words.get(setting.lower())
    known: Mapping[str, Any] = getattr(settings, setting)
    return [alias for alias in known if isinstance(named, Mapping) and alias in named]


def _followed_database(alias: str) -> Following | None:
    site = _site()
    return None if site is None else site.databases.get(alias)


def _followed_cache(alias: str) -> ReloadCheck[Any] | None:
    site = _site()
    return site.live if site is not None and alias in site.declared.caches else None


def _site() -> Site | None:
    """Return the site that connections follow; None before it can be, and where it cannot be."""
    if not apps.models_ready:  # a schema or a resource may import a model
        return None
    try:
        site_engine()
    except (ImproperlyConfigured, UsageError):
        return None
    site = prepared_site()
    return site if site.problem is None else None

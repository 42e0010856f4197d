"""The app to name in `INSTALLED_APPS`: registers what follows the configuration, starts nothing."""

import weakref
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured

from ..._engine.api import ReloadCheck
from ...exceptions import UsageError
from . import caches, databases
from .engine import APP, LABEL, site_declared, site_engine

__all__ = ["ReloadCheckConfig"]

_prepared: "weakref.WeakSet[ReloadCheck[Any]]" = weakref.WeakSet()
"""The engines that have it all: Django calls `ready` again where tests change INSTALLED_APPS."""


class ReloadCheckConfig(AppConfig):
    """Brings the system checks, `manage.py reloadcheck` and the resources of a site."""

    name = APP
    label = LABEL
    verbose_name = "reloadcheck"

    problem: Exception | None = None
    """What was wrong with the settings; the checks tell it, and the middleware raises it."""

    def ready(self) -> None:
        """Register the site's resources, and Django's own connections as some of them."""
        from . import checks

        checks.register_all()
        try:
            live, site = site_engine(), site_declared()
            if live in _prepared:
                return
            databases.follow(live, site.databases)
            caches.follow(live, site.caches)
        except (ImproperlyConfigured, UsageError) as error:
            self.problem = error
            return
        _prepared.add(live)
        for module in site.resources:
            _import(module)


def _import(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):  # what the module itself imports
            raise
        raise ImproperlyConfigured(
            f"RELOAD_CHECK['RESOURCES'] names {module!r}: there is no module {error.name}"
        ) from error

"""The one engine of a site: made of its settings at first use, shared by all that asks for it.

Making it opens no file and starts no thread; its first unit of work does.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..._engine.api import ReloadCheck
from ...exceptions import UsageError
from . import caches, databases
from .generations import Following
from .settings import Declared, declared

__all__ = ["APP", "LABEL", "Site", "prepared_site", "ready_engine", "site_declared", "site_engine"]

APP = "reloadcheck.integrations.django"
LABEL = "reloadcheck"

_lock = threading.RLock()
_made: "Site | None" = None
_making = False


@dataclass(slots=True, eq=False)
class Site:
    """A site's engine, what it was made of, and what prepared it for its work."""

    given: object
    declared: Declared
    live: ReloadCheck[Any]
    prepared: bool = False
    problem: Exception | None = None
    databases: Mapping[str, Following] = field(default_factory=dict[str, Following])


def site_engine() -> ReloadCheck[Any]:
    """Return the site's engine; raise `ImproperlyConfigured`, or what is wrong with the schema."""
    return _site().live


def ready_engine() -> ReloadCheck[Any]:
    """Return the site's engine with all that follows it; raise what is wrong with the settings."""
    if not apps.is_installed(APP):
        raise ImproperlyConfigured(f"add '{APP}' to INSTALLED_APPS: reloadcheck needs it")
    problem: Exception | None = getattr(apps.get_app_config(LABEL), "problem", None)
    if problem is not None:
        raise problem
    return site_engine()


def site_declared() -> Declared:
    """Return what the site's engine was made of."""
    return _site().declared


def prepared_site() -> Site:
    """Return the site with all that it declares registered, once for each engine.

    Whoever comes first has it done: `ready`, or a connection that an application above ours uses in
    its own. What cannot be registered is its `problem`; what cannot be imported raises.
    """
    with _lock:
        site = _site()
        if not site.prepared:
            site.prepared = True  # first: the modules below may use a connection themselves
            try:
                site.databases = databases.follow(site.live, site.declared.databases)
                caches.follow(site.live, site.declared.caches)
            except (ImproperlyConfigured, UsageError) as error:
                site.problem = error
                return site
            for module in site.declared.resources:
                _import(module)
        return site


def _import(module: str) -> None:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):  # what the module itself imports
            raise
        raise ImproperlyConfigured(
            f"RELOAD_CHECK['RESOURCES'] names {module!r}: there is no module {error.name}"
        ) from error


def _site() -> Site:
    """Make the engine once for each value of the setting, which only tests ever replace."""
    global _made, _making
    given = getattr(settings, "RELOAD_CHECK", None)
    made = _made
    if made is not None and made.given is given:
        return made
    with _lock:
        if _made is not None and _made.given is given:
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
        _made = Site(given, site, live)
        return _made

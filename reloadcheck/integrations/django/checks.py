"""System checks: what `manage.py check` says of a site's use of us, with the line to change.

They look at the settings and at whether the files are there; they start nothing and load nothing.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

from ..._page.settings import PAGE_OPTIONS, settings_from
from ..._resources.registry import as_key_path
from ..._schema.schema import schema_of
from ...exceptions import OptionError, SchemaClassError, SourceError
from ...sources import source_of
from .caches import FollowingCache
from .connections import follows
from .engine import APP, site_engine
from .middleware import ReloadCheckMiddleware
from .settings import EXAMPLE, Declared, Part, SchemaPathError, declared

__all__ = ["check", "register_all"]

MIDDLEWARE = f"{ReloadCheckMiddleware.__module__}.{ReloadCheckMiddleware.__qualname__}"


def register_all() -> None:
    """Make the checks known to Django; doing it twice changes nothing."""
    register(check, "reloadcheck")


def check(**_: Any) -> Sequence[CheckMessage]:
    """Return all that is wrong with the settings."""
    return [*_middlewares(), *_declarations()]


def _error(number: int, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"reloadcheck.E{number:03}")


def _declarations() -> Iterator[CheckMessage]:
    try:
        site = declared(getattr(settings, "RELOAD_CHECK", None))
    except SchemaPathError as error:
        yield _error(4, str(error), 'name a class: "SCHEMA": "mysite.config.Settings"')
        return
    except ImproperlyConfigured as error:
        yield _error(5, str(error), f"in the settings: {EXAMPLE}")
        return
    problems = [*_schema(site), *_sources(site)]
    if not any(problem.id == "reloadcheck.E004" for problem in problems):
        problems += _aliases("DATABASES", site.databases, site)
        problems += _aliases("CACHES", site.caches, site)
    yield from problems or [*_engine(), *_page(site), *_connections(site), *_caches(site)]


def _schema(site: Declared) -> Iterator[CheckMessage]:
    try:
        schema_of(site.schema)
    except SchemaClassError as error:
        hint = "freeze the class that RELOAD_CHECK['SCHEMA'] names: "
        yield _error(4, str(error), hint + "@dataclass(frozen=True), or class …(…, frozen=True)")


def _sources(site: Declared) -> Iterator[CheckMessage]:
    for given in site.sources:
        try:
            source_of(given).stamp()
        except SourceError as error:
            yield _error(1, str(error), "create it, or change RELOAD_CHECK['SOURCES']")
        except OptionError as error:
            yield _error(5, str(error), "change RELOAD_CHECK['SOURCES']")


def _engine() -> Iterator[CheckMessage]:
    try:
        site_engine()
    except (ImproperlyConfigured, OptionError) as error:
        yield _error(5, str(error), "change RELOAD_CHECK in the settings, or that variable")


def _aliases(setting: str, parts: Mapping[str, Part], site: Declared) -> Iterator[CheckMessage]:
    known = getattr(settings, setting, {})
    schema = schema_of(site.schema)
    for alias, part in parts.items():
        if alias not in known:
            line = f'add "{alias}": {{…}} to {setting}, or take it out of RELOAD_CHECK'
            yield _error(7, f"RELOAD_CHECK['{setting}'] names {alias!r}: not in {setting}", line)
        if schema.field(as_key_path(part.path)) is False:
            line = f'change "{alias}": "{part.path}" in RELOAD_CHECK[\'{setting}\']'
            yield _error(7, f"RELOAD_CHECK['{setting}']: the schema has no field {part.path}", line)


def _page(site: Declared) -> Iterator[CheckMessage]:
    path, token, health = (site.page[name] for name in PAGE_OPTIONS)
    line = "change RELOAD_CHECK in the settings, or that variable"
    try:
        _, remark = settings_from(path, token, os.environ, health)
    except OptionError as error:
        yield _error(5, str(error), line)
        return
    if remark is not None:
        yield Warning(remark, hint=line, id="reloadcheck.W001")


def _connections(site: Declared) -> Iterator[CheckMessage]:
    """Look at what this thread uses, and at what the next one will be given."""
    for alias in site.databases:
        for made in (connections[alias], connections.create_connection(alias)):
            if not follows(made):
                yield _replaced("DATABASES", alias, f"connections[{alias!r}]", made)
                break


def _caches(site: Declared) -> Iterator[CheckMessage]:
    for alias in site.caches:
        for made in (caches[alias], caches.create_connection(alias)):
            if not issubclass(type(made), FollowingCache):
                yield _replaced("CACHES", alias, f"caches[{alias!r}]", made)
                break


def _replaced(setting: str, alias: str, name: str, made: object) -> CheckMessage:
    kind = f"{type(made).__module__}.{type(made).__qualname__}"
    told = f"RELOAD_CHECK['{setting}'] names {alias!r}, but {name} does not follow: it is a {kind}"
    line = f"let nothing replace {name}, or create_connection, once {APP!r} is installed"
    return _error(8, told, line)


def _middlewares() -> Iterator[CheckMessage]:
    paths = list(settings.MIDDLEWARE)
    ours = [place for place, path in enumerate(paths) if _is_ours(path)]
    if not ours:
        line = f"make {MIDDLEWARE!r} the first of MIDDLEWARE"
        yield _error(6, "requests get no configuration: ReloadCheckMiddleware is missing", line)
    for place in ours[1:]:
        line = f"take {paths[place]!r} out of MIDDLEWARE, where it is number {place + 1}"
        yield _error(3, "ReloadCheckMiddleware is in MIDDLEWARE twice", line)
    if ours and ours[0] > 0:
        line = f"move {paths[ours[0]]!r} to the top of MIDDLEWARE, above {paths[0]!r}"
        yield _error(2, "middlewares above ReloadCheckMiddleware get no configuration", line)


def _is_ours(path: str) -> bool:
    if path == MIDDLEWARE:
        return True
    try:
        found = import_string(path)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, ReloadCheckMiddleware)

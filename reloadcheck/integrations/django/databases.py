"""Django's database connections, following the configuration.

Each alias is a resource of the engine: one version's parameters, tried once, and the pool opened
with them, which closes after its last user. Must never change an alias that was not named.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import connections as django_connections
from django.db.utils import ConnectionHandler, load_backend

from ..._engine.api import ReloadCheck
from .connections import copied
from .generations import Following, Generation
from .parameters import known, laid_over
from .settings import Part

__all__ = ["follow", "resource_name"]

_KNOWN = frozenset(
    {"USER", "PASSWORD", "HOST", "PORT", "NAME", "OPTIONS", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS"}
)


def resource_name(alias: str) -> str:
    """Return the name under which an alias is a resource."""
    return f"django.databases.{alias}"


def follow(
    live: ReloadCheck[Any],
    parts: Mapping[str, Part],
    handler: ConnectionHandler = django_connections,
) -> Mapping[str, Following]:
    """Register each alias, with the part beside it, and return what its connections follow.

    Opens nothing. Raises `ImproperlyConfigured` for an alias, `RegistrationError` for a path that
    is not there.
    """
    following: dict[str, Following] = {}
    for alias in known("DATABASES", parts, handler.settings):
        one = Following(live, resource_name(alias), copied(handler.settings[alias]))
        live.resource(parts[alias].path, name=one.name)(_factory(alias, one.declared, parts[alias]))
        following[alias] = one
    return following


def _factory(
    alias: str, declared: Mapping[str, Any], part: Part
) -> Callable[[object], Iterator[Generation]]:
    def database(value: object) -> Iterator[Generation]:
        parameters = laid_over(declared, part.read(value), _KNOWN)
        wrapper = load_backend(parameters["ENGINE"]).DatabaseWrapper
        _try(wrapper, alias, parameters)
        generation = Generation(parameters)
        if parameters["OPTIONS"].get("pool"):
            template = wrapper(parameters, alias)
            template._connection_pools = generation.pools  # instead of the class's
            template.pool.open()
        try:
            yield generation
        finally:
            for pool in list(generation.pools.values()):
                pool.close()

    return database


def _try(wrapper: Any, alias: str, parameters: Mapping[str, Any]) -> None:
    """Connect once, past any pool, which would go on trying for long."""
    options = {key: one for key, one in parameters["OPTIONS"].items() if key != "pool"}
    connection = wrapper({**parameters, "OPTIONS": options}, alias)
    try:
        connection.ensure_connection()
    finally:
        connection.close()

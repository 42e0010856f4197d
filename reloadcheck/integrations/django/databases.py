"""Django's database connections, following the configuration.

Each alias is a resource of the engine: one version's parameters, tried once, and the pool opened
with them. A connection uses those of the request it serves, and is closed at the end of the last
request that uses it. Must never change an alias that was not named.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.db import connections as django_connections
from django.db.utils import ConnectionHandler, OperationalError, load_backend

from ..._engine import ReloadCheck
from ...exceptions import NoSnapshotError, NotStartedError, ResourceClosedError
from .parameters import known, laid_over
from .settings import Part

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
else:
    BaseDatabaseWrapper = object

__all__ = ["Generation", "follow", "resource_name"]

_CREDENTIALS = frozenset({"USER", "PASSWORD"})
_KNOWN = _CREDENTIALS | {
    *("HOST", "PORT", "NAME", "OPTIONS"),
    *("CONN_MAX_AGE", "CONN_HEALTH_CHECKS"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One version's parameters of an alias, and the pools that Django opened with them."""

    parameters: Mapping[str, Any] = field(repr=False)
    pools: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def replaces(self, old: "Generation") -> bool:
        """Tell whether it is the same database by other credentials."""
        return all(
            self.parameters[key] == old.parameters.get(key)
            for key in self.parameters.keys() - _CREDENTIALS
        )


@dataclass(frozen=True, slots=True)
class Following:
    """How an alias finds its generation; `declared` is what the settings say of it."""

    live: ReloadCheck[Any]
    name: str
    declared: Mapping[str, Any] = field(repr=False)

    def of_unit(self) -> Generation | None:
        """Give the generation of the unit of work around this code, if there is one."""
        try:
            return self._of(self.live.current().resources)
        except (NoSnapshotError, ResourceClosedError):
            return None

    def here(self) -> Generation:
        """Give the generation of the unit of work around this code; outside one, the newest."""
        found = self.of_unit()
        if found is not None:
            return found
        with self.live.lease() as snapshot:
            return self._of(snapshot.resources)

    def is_newest(self, generation: Generation | None) -> bool:
        """Tell whether no newer one has come; also where the engine is closed."""
        try:
            return self.newest() is generation
        except NotStartedError:
            return True

    def newest(self) -> Generation:
        """Give what the next unit of work would get."""
        return self._of(self.live.snapshot.resources)

    def _of(self, resources: Mapping[str, Any]) -> Generation:
        generation: Generation = resources[self.name]
        return generation


def resource_name(alias: str) -> str:
    """Give the name under which an alias is a resource."""
    return f"django.databases.{alias}"


def follow(
    live: ReloadCheck[Any],
    parts: Mapping[str, Part],
    handler: ConnectionHandler = django_connections,
) -> None:
    """Have each alias take its parameters from the part beside it; opens nothing.

    Raises `ImproperlyConfigured` for an alias, `RegistrationError` for a path that is not there.
    """
    following: dict[str, Following] = {}
    for alias in known("DATABASES", parts, handler.settings):
        one = Following(live, resource_name(alias), laid_over(handler.settings[alias], {}, _KNOWN))
        live.resource(parts[alias].path, name=one.name)(_factory(alias, one.declared, parts[alias]))
        following[alias] = one
    _install(following, handler)


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
            for pool in generation.pools.values():
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


# ----------------------------------------------------------------------- Django's side


def _install(following: Mapping[str, Following], handler: ConnectionHandler) -> None:
    """Have Django make those aliases' connections of a class that follows."""
    plainly = type(handler).create_connection

    def create_connection(alias: str) -> Any:
        one = following.get(alias)
        if one is None:
            return plainly(handler, alias)
        base = load_backend(handler.settings[alias]["ENGINE"]).DatabaseWrapper
        made = _following_class(base)(laid_over(handler.settings[alias], {}, _KNOWN), alias)
        made.following = one
        return made

    handler.create_connection = create_connection  # type: ignore[method-assign]


@cache
def _following_class(base: type[Any]) -> type[Any]:
    names = {"__module__": base.__module__, "__qualname__": base.__qualname__}
    return type(base.__name__, (FollowingConnection, base), names)


class FollowingConnection(BaseDatabaseWrapper):
    """What is laid over a backend's own connection class; without `following` it does nothing.

    Django's test runner puts other names into `settings_dict`: a value that somebody else changed
    is left alone, and then no pool of ours is used.
    """

    following: Following | None = None
    _generation: Generation | None = None  # whose parameters were last taken
    _instead_of: Generation | None = None  # whose credentials are refused by now
    _settings: dict[str, Any]

    def _parameters(self) -> dict[str, Any]:
        """Give the parameters; while no connection is open, those of the unit of work here."""
        if self.following is not None and self.connection is None:
            here = self.following.here()
            if here is not self._instead_of:
                self._take(here)
        return self._settings

    def _set_parameters(self, value: dict[str, Any]) -> None:
        self._settings = value

    settings_dict: Any = property(_parameters, _set_parameters)

    @property
    def _connection_pools(self) -> dict[str, Any]:
        generation = self._generation
        if generation is None or self._settings != generation.parameters:
            pools: dict[str, Any] = cast("Any", super())._connection_pools
            return pools
        return generation.pools

    def ensure_connection(self) -> None:
        """Connect, also where the open connection is of another version than this unit of work.

        A transaction keeps its connection, and so does code outside any unit of work. Where
        credentials were changed in the server first, it connects by the ones that follow in the
        configuration, if all else is the same: then it is the database that was meant.
        """
        following = self.following
        if following is not None and self._is_free():
            wanted = following.of_unit()
            if wanted not in (None, self._generation, self._instead_of):
                self.close()
        try:
            super().ensure_connection()
        except OperationalError:
            if following is None or not self._renewed(following):
                raise
            super().ensure_connection()

    def close_if_unusable_or_obsolete(self) -> None:
        """Close, at either end of a request, also what a newer version has replaced."""
        following = None if self.connection is None else self.following
        if following is not None and not following.is_newest(self._generation):
            self.close()
        super().close_if_unusable_or_obsolete()

    def _is_free(self) -> bool:
        """Tell whether there is a connection, and nothing would be lost with it."""
        return self.connection is not None and self.autocommit and not self.in_atomic_block

    def _renewed(self, following: Following) -> bool:
        following.live.check()
        newest, refused = following.newest(), self._generation
        if refused is None or newest is refused or not newest.replaces(refused):
            return False
        self._take(newest)
        self._instead_of = refused
        return True

    def _take(self, generation: Generation) -> None:
        if generation is self._generation or self.following is None:
            return
        held = self._generation
        before = self.following.declared if held is None else held.parameters
        for key, value in generation.parameters.items():
            if self._settings.get(key) == before.get(key):
                self._settings[key] = value
        self._generation, self._instead_of = generation, None

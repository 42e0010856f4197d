"""Django's caches, following the configuration.

Each alias is a resource of the engine: one version's parameters, tried once. What `caches[alias]`
gives stands for a backend made with those of the request it serves, and lets go of it at the end
of the last request that uses it.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, cast

from django.core.cache import CacheHandler
from django.core.cache import caches as django_caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.redis import RedisCache
from django.utils.module_loading import import_string

from ..._engine.api import ReloadCheck
from ...exceptions import NoSnapshotError, OutsideWorkError, ResourceClosedError
from .parameters import known, laid_over
from .settings import Part

__all__ = ["FollowingCache", "Generation", "follow", "install", "resource_name"]

_KNOWN = frozenset({"LOCATION", "TIMEOUT", "KEY_PREFIX", "VERSION", "OPTIONS"})


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One version's parameters of an alias, and the backends made with them."""

    parameters: Mapping[str, Any] = field(repr=False)
    backends: "weakref.WeakSet[Any]" = field(default_factory=weakref.WeakSet[Any], repr=False)
    shared: list[Any] = field(default_factory=list[Any], repr=False)

    def backend(self) -> Any:
        """Return a backend for one of Django's contexts.

        Django's Redis client is safe for threads: all contexts share one, and so its connections,
        where Django itself connects anew in each request under ASGI.
        """
        return self.shared[0] if self.shared else self.make()

    def make(self) -> Any:
        """Make a backend, as Django does."""
        words = dict(self.parameters)
        made = import_string(words.pop("BACKEND"))(words.pop("LOCATION", ""), words)
        self.backends.add(made)
        return made

    def release(self, backend: Any) -> None:
        """Take a backend back from a context."""
        if backend not in self.shared:
            _disconnect(backend)


def resource_name(alias: str) -> str:
    """Return the name under which an alias is a resource."""
    return f"django.caches.{alias}"


Find: TypeAlias = Callable[[str], "ReloadCheck[Any] | None"]
"""The engine that an alias follows; None as long as nobody can know."""


def follow(
    live: ReloadCheck[Any], parts: Mapping[str, Part], handler: CacheHandler = django_caches
) -> None:
    """Register each alias, with the part beside it; opens nothing.

    Raises `ImproperlyConfigured` for an alias, `RegistrationError` for a path that is not there.
    """
    for alias in known("CACHES", parts, handler.settings):
        name = resource_name(alias)
        live.resource(parts[alias].path, name=name)(_factory(handler.settings[alias], parts[alias]))


def install(aliases: Iterable[str], find: Find, handler: CacheHandler = django_caches) -> None:
    """Let Django give, for those aliases, what follows the engine that `find` names.

    Also instead of what it has made already in this thread: models ask for caches when imported.
    Where a test overrides CACHES, that stands.
    """
    chosen = {alias: handler.settings[alias] for alias in aliases}
    plainly = type(handler).create_connection

    def create_connection(alias: str) -> Any:
        if chosen.get(alias) == handler.settings[alias]:
            kind = import_string(handler.settings[alias]["BACKEND"])
            return FollowingCache(alias, kind, find, partial(plainly, handler, alias))
        return plainly(handler, alias)

    setattr(handler, "create_connection", create_connection)  # noqa: B010 - it is a method
    before: Any = vars(handler)["_connections"]  # which of them there are, nothing else tells
    for alias in chosen:
        if hasattr(before, alias):
            _disconnect(handler[alias])
            handler[alias] = create_connection(alias)


def _factory(declared: Mapping[str, Any], part: Part) -> Callable[[object], Iterator[Generation]]:
    def cache(value: object) -> Iterator[Generation]:
        generation = Generation(laid_over(declared, part.read(value), _KNOWN))
        backend = generation.make()
        if not isinstance(backend, BaseDatabaseCache):  # that is a table of the site's own database
            backend.get("reloadcheck")  # what does not answer raises here
        if isinstance(backend, RedisCache):
            generation.shared.append(backend)
        else:
            _disconnect(backend)
        try:
            yield generation
        finally:
            for one in list(generation.backends):
                _disconnect(one)

    return cache


class FollowingCache:
    """Stands for a cache backend, as Django's own `cache` does.

    As long as there is no engine to follow, it stands for the one that `make` makes.
    """

    def __init__(self, alias: str, kind: type, find: Find, make: Callable[[], Any]) -> None:
        self.__dict__.update(_alias=alias, _kind=kind, _find=find, _make=make)
        self.__dict__.update(_live=None, _generation=None, _backend=None)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The backend's class, which `createcachetable` asks for, and which no edit changes."""
        return self.__dict__["_kind"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._here(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._here(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._here(), name)

    def __contains__(self, key: object) -> bool:
        return key in self._here()

    def close(self, **arguments: Any) -> None:
        """Close as the backend does, and let go of it once a newer version has replaced it."""
        held = self.__dict__
        if held["_backend"] is None:
            return
        held["_backend"].close(**arguments)
        if held["_generation"] is None:
            return
        try:
            newest = held["_live"].snapshot.resources[resource_name(held["_alias"])]
        except NoSnapshotError:
            return
        if newest is not held["_generation"]:
            self._hold(None)

    def _here(self) -> Any:
        """Return a backend of the unit of work around this code; outside one, of the newest."""
        held = self.__dict__
        live = held["_live"]
        if live is None:
            live = held["_live"] = held["_find"](held["_alias"])
        if live is None:
            if held["_backend"] is None:
                held["_backend"] = held["_make"]()
            return held["_backend"]
        name = resource_name(held["_alias"])
        try:
            generation = live.current().resources[name]
        except (OutsideWorkError, ResourceClosedError):
            with live.lease() as snapshot:
                generation = snapshot.resources[name]
        if generation is not held["_generation"]:
            self._hold(generation)
        return held["_backend"]

    def _hold(self, generation: Generation | None) -> None:
        held = self.__dict__
        before: Generation | None = held["_generation"]
        if before is not None:
            before.release(held["_backend"])
        elif held["_backend"] is not None:
            _disconnect(held["_backend"])
        backend = None if generation is None else generation.backend()
        held.update(_generation=generation, _backend=backend)


def _disconnect(backend: Any) -> None:
    """Close a backend, and the connection pools of Django's Redis client, which it keeps open."""
    backend.close()
    made = cast("dict[str, Any]", vars(backend))  # reading `_cache` itself would make a client
    pools: dict[object, Any] = getattr(made.get("_cache"), "_pools", None) or {}
    for pool in pools.values():
        pool.disconnect()

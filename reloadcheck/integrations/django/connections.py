"""A backend's connection class that follows the configuration, and how Django comes to use it.

A connection is of the version of the unit of work that it serves. It is closed at the end of the
last request that uses it, and never taken from under a transaction.
"""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.db.utils import ConnectionHandler, OperationalError, load_backend

from .generations import Following, Generation

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
else:
    BaseDatabaseWrapper = object

__all__ = ["FollowingConnection", "copied", "install"]


def install(following: Mapping[str, Following], handler: ConnectionHandler) -> None:
    """Have Django make those aliases' connections of a class that follows."""
    plainly = type(handler).create_connection

    def create_connection(alias: str) -> Any:
        one = following.get(alias)
        if one is None:
            return plainly(handler, alias)
        base = load_backend(handler.settings[alias]["ENGINE"]).DatabaseWrapper
        made = _following_class(base)(copied(handler.settings[alias]), alias)
        made.following = one
        return made

    handler.create_connection = create_connection  # type: ignore[method-assign]


def copied(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the settings say of an alias as a dict of one's own."""
    return {**declared, "OPTIONS": dict(declared.get("OPTIONS") or {})}


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
        if following is None or self.connection is not None:
            super().ensure_connection()
            return
        try:
            super().ensure_connection()
        except OperationalError:
            if not self._renewed(following):
                raise
            super().ensure_connection()
        if self._generation is not None:
            self._generation.refused.clear()

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
        refused = self._generation
        newer = None if refused is None else following.successor(refused)
        if newer is None:
            return False
        self._take(newer)
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

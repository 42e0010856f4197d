"""A backend's connection class that follows the configuration, and how Django comes to use it.

A connection is of the version of the unit of work that it serves. It is closed at the end of the
last request that uses it, and never taken from under a transaction.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from django.db.utils import ConnectionHandler, OperationalError, load_backend

from .generations import Following, Generation

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
else:
    BaseDatabaseWrapper = object

__all__ = ["Find", "FollowingConnection", "copied", "follows", "install"]


Find: TypeAlias = Callable[[str], Following | None]
"""What an alias follows; None as long as nobody can know."""


def install(aliases: Iterable[str], find: Find, handler: ConnectionHandler) -> None:
    """Let Django make those aliases' connections of a class that follows what `find` gives.

    A connection that this thread has already is made one too, where it is: a model's metaclass asks
    for the connection while the model is imported, and any application may before us.
    """
    chosen = frozenset(aliases)
    plainly = type(handler).create_connection

    def create_connection(alias: str) -> Any:
        if alias not in chosen:
            return plainly(handler, alias)
        base = load_backend(handler.settings[alias]["ENGINE"]).DatabaseWrapper
        made = _following_class(base)(copied(handler.settings[alias]), alias)
        made.find = find
        return made

    handler.create_connection = create_connection  # type: ignore[method-assign]
    for made in handler.all(initialized_only=True):
        if made.alias in chosen:
            _adopt(made, find)


def follows(connection: Any) -> bool:
    """Return whether a connection is one of ours, and knows where to look."""
    return isinstance(connection, FollowingConnection) and connection.find is not None


def _adopt(made: Any, find: Find) -> None:
    """Make a connection object follow, whoever holds it; what it has open goes with its version."""
    if not isinstance(made, FollowingConnection):
        declared: dict[str, Any] = vars(cast("object", made)).pop("settings_dict")
        made.__class__ = _following_class(cast("Any", type(made)))
        made.settings_dict = copied(declared)
    made.find, made.following = find, None


def copied(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the settings say of an alias as a dict of one's own."""
    return {**declared, "OPTIONS": dict(declared.get("OPTIONS") or {})}


@cache
def _following_class(base: type[Any]) -> type[Any]:
    names = {"__module__": base.__module__, "__qualname__": base.__qualname__}
    return type(base.__name__, (FollowingConnection, base), names)


class FollowingConnection(BaseDatabaseWrapper):
    """What is laid over a backend's own connection class; what finds nothing to follow is plain.

    Django's test runner puts other names into `settings_dict`: a value that somebody else changed
    is left alone, and then no pool of ours is used.
    """

    find: Find | None = None  # of a copy, as Django makes them for threads of tests, there is none
    following: Following | None = None  # what it found
    _generation: Generation | None = None  # whose parameters were last taken
    _instead_of: Generation | None = None  # whose credentials are refused by now
    _settings: dict[str, Any]
    _closing: bool = False

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters; while no connection is open, those of the unit of work here."""
        kept = self.connection is not None or self._closing
        following = None if kept else self._followed()
        if following is not None:
            here = following.here()
            if here is not self._instead_of:
                self._take(here)
        return self._settings

    def _followed(self) -> Following | None:
        if self.following is None and self.find is not None:
            self.following = self.find(self.alias)
        return self.following

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
        following = self._followed()
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

    def close(self) -> None:
        """Close; SQLite asks what it was, and nobody what it would be next."""
        self._closing = True
        try:
            super().close()
        finally:
            self._closing = False

    def close_if_unusable_or_obsolete(self) -> None:
        """Close, at either end of a request, also what a newer version has replaced."""
        following = None if self.connection is None else self._followed()
        if following is not None and not following.is_newest(self._generation):
            self.close()
        super().close_if_unusable_or_obsolete()

    def _is_free(self) -> bool:
        """Return whether there is a connection, and nothing would be lost with it."""
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

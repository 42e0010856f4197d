"""Snapshots and the leases on them.

A snapshot is what a unit of work sees: immutable, swapped by one assignment. A `LiveSnapshot` is
the engine's side of it: who holds it, and whether it may still be handed out. Entering and leaving
take no lock: a reference or a dict operation and one flag, ordered so that either the one who
enters sees that the snapshot is retired, or the one who retires sees the one who entered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from .._resources.instance import Instance
from .._resources.registry import Resource
from ..exceptions import UnknownResourceError

if TYPE_CHECKING:
    pass


C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
T = TypeVar("T")


class Resources(Mapping[str, Any]):
    """The resources of a snapshot by name; reading one checks that it may be used here and now."""

    __slots__ = ("_instances",)

    def __init__(self, instances: Mapping[str, Instance]) -> None:
        self._instances = dict(instances)

    def __getitem__(self, name: str) -> Any:
        instance = self._instances.get(name)
        if instance is None:
            known = ", ".join(self._instances) or "none"
            raise UnknownResourceError(f"there is no resource {name!r}; registered are: {known}")
        return instance.read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._instances)

    def __len__(self) -> int:
        return len(self._instances)

    def __contains__(self, name: object) -> bool:
        return name in self._instances

    def __repr__(self) -> str:
        return f"Resources({', '.join(self._instances)})"

    def find(self, resource: Resource[Any]) -> Any:
        """Read by handle; `UnknownResourceError` for anything else."""
        instance = self._instances.get(getattr(resource, "name", ""))
        if instance is None or instance.resource is not resource:
            raise UnknownResourceError(
                "snapshot[…] takes the handle that this engine's live.resource(…) returned; "
                'by name it is snapshot.resources["…"]'
            )
        return instance.read()


class Snapshot(Generic[C_co]):
    """One version of the configuration with the resources that were built from it; immutable.

    `version` counts up from 1 in each process, `digest` is the same in all workers with equal
    content, `loaded_at` is the wall-clock time of the swap, in UTC.
    """

    __slots__ = ("__weakref__", "config", "digest", "engine", "loaded_at", "resources", "version")

    config: C_co
    version: int
    digest: str
    loaded_at: datetime
    resources: Resources
    engine: object

    def __init__(
        self,
        config: C_co,
        version: int,
        digest: str,
        loaded_at: datetime,
        resources: Resources,
        engine: object,
    ) -> None:
        values = (config, version, digest, loaded_at, resources, engine)
        names = ("config", "version", "digest", "loaded_at", "resources", "engine")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a snapshot is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a snapshot is immutable: {name} cannot be deleted")

    def __getitem__(self, resource: Resource[T]) -> T:
        """Give the object of a resource by its handle, typed.

        Raises `WrongLoopError` for an async resource in a loop other than its own, and
        `ResourceClosedError` after the drain deadline.
        """
        found: T = self.resources.find(resource)
        return found

    def __repr__(self) -> str:
        return f"<Snapshot version {self.version}, digest {self.digest[:12]}>"

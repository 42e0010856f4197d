"""Snapshots and the leases on them.

A snapshot is what a unit of work sees: immutable, swapped by one assignment. A `Tenancy` is the
engine's side of it: who holds it, and whether it may still be handed out. Entering and leaving take
no lock: single dict operations and one flag, ordered so that either the one who enters sees that
the snapshot is retired, or the one who retires sees the one who entered.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, NoReturn, TypeVar

from ._instances import Instance
from ._resources import Resource
from .exceptions import UnknownResourceError

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


_serial = itertools.count(1)


def own_key() -> int:
    """Give a key for a lease that has no object of its own to be known by; never an id."""
    return -next(_serial)


class Tenancy(Generic[C]):
    """The leases on one snapshot: `held` maps the key of each unit of work to what to call it.

    The key is the id of an object that lives for at least as long, or a number of its own.

    `home` is the loop that its async resources live in. `retired` is set once, by the swap. Whoever
    enters puts itself into `held` first and looks at `retired` second; if it is set, it leaves
    again and takes the current one.
    """

    __slots__ = (
        "config",
        "held",
        "home",
        "instances",
        "released",
        "retired",
        "retired_at",
        "snapshot",
    )

    def __init__(
        self,
        snapshot: Snapshot[C],
        instances: tuple[Instance, ...],
        home: asyncio.AbstractEventLoop | None,
        released: Callable[[], None],
    ) -> None:
        self.snapshot = snapshot
        self.config = snapshot.config
        self.held: dict[int, str] = {}
        self.retired = False
        self.retired_at = 0.0
        self.instances = instances
        self.home = home
        self.released = released

    def enter(self, key: int, label: str) -> bool:
        """Take a lease; False if the snapshot is retired, and then nothing is held."""
        self.held[key] = label
        if self.retired:
            self.leave(key)
            return False
        return True

    def leave(self, key: int) -> None:
        """Give the lease back; the last one to leave a retired snapshot wakes the engine."""
        self.held.pop(key, None)
        if self.retired and not self.held:
            self.released()


class Cell(Generic[C]):
    """The one place that units of work read: a fresh snapshot's tenancy, or None to ask.

    It is written by the engine thread alone, save in a forked child, which starts with None.
    """

    __slots__ = ("fresh",)

    def __init__(self) -> None:
        self.fresh: Tenancy[C] | None = None

"""What a unit of work sees: version, digest, configuration and resources, immutable.

Swapped by one assignment. Who holds it, and whether it may still be handed out, is on the engine's
side of it, in `tenancy`; which unit sees it is `context`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NoReturn, TypeVar

from .._resources.instance import Instance
from .._resources.registry import Resource
from .._runtime.refcounts import counts_references
from ..exceptions import CopyError, OutsideWorkError, ReloadCheckError, UnknownResourceError
from .unit import drop, hold, release, unit_of_work, unit_on

COUNTS_REFERENCES = counts_references()

_unit = unit_of_work.get

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
T = TypeVar("T")


def unnumbered(version: int) -> None:
    """Return nothing: there is no store that numbers versions."""
    del version


def _nobody() -> None:
    """Return nothing: it was made without an engine."""


class Resources(Mapping[str, Any]):
    """The resources of a snapshot by name; reading one checks that it may be used here and now.

    Who reads one holds it until its unit of work ends. Of whom that cannot be told which unit it
    belongs to, a thread without the request's context for example, `read_by_others` keeps the name:
    then every unit of work on the snapshot counts as one that holds the resource.
    """

    __slots__ = ("_instances", "read_by_others")

    def __init__(self, instances: Mapping[str, Instance]) -> None:
        self._instances = dict(instances)
        self.read_by_others: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        instance = self._instances.get(name)
        if instance is None:
            known = ", ".join(self._instances) or "none"
            raise UnknownResourceError(f"there is no resource {name!r}; registered are: {known}")
        return self._read(instance)

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
        return self._read(instance)

    def _read(self, instance: Instance) -> Any:
        """Hold it first and look second whether it is closed; who closes does the reverse."""
        unit = _unit()
        if unit is not None:
            if unit[-1] is instance.hold:  # what a door's unit has read last
                return instance.read()
            if unit[0].resources is not self:
                unit = unit_on(self)
        if unit is None or not COUNTS_REFERENCES or not hold(unit, instance.hold):
            self.read_by_others.add(instance.resource.name)
        try:
            return instance.read()
        except ReloadCheckError:
            if unit is not None:
                drop(unit, instance.hold)
            raise


class Snapshot(Generic[C_co]):
    """One version of the configuration with the resources that were built from it; immutable.

    `version` counts up from 1 in each process, `digest` is the same in all workers with equal
    content, `loaded_at` is the wall-clock time of the swap, in seconds since the epoch.
    """

    __slots__ = (
        "__weakref__",
        "_edition",
        "_owner",
        "config",
        "digest",
        "loaded_at",
        "resources",
        "version",
    )

    config: C_co
    version: int
    digest: str
    loaded_at: float
    resources: Resources
    _owner: object
    _edition: Callable[[int], int | None]

    def __init__(
        self,
        config: C_co,
        version: int,
        digest: str,
        loaded_at: float,
        resources: Resources,
        owner: object,
        edition: Callable[[int], int | None] = unnumbered,
    ) -> None:
        values = (config, version, digest, loaded_at, resources, owner, edition)
        names = ("config", "version", "digest", "loaded_at", "resources", "_owner", "_edition")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    @property
    def engine(self) -> object:
        """Return the `ReloadCheck` that it is of; None once nobody holds that any more."""
        face: Callable[[], object] = getattr(self._owner, "face", _nobody)
        return face()

    @property
    def edition(self) -> int | None:
        """Return the store's number of this version; None without a store, or before it has one.

        A moment passes between the swap and the number: the store is written to behind it.
        """
        number: int | None = self._edition(self.version)
        return number

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a snapshot is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a snapshot is immutable: {name} cannot be deleted")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise CopyError(
            "a snapshot cannot be pickled or copied, its resources belong to this process: pass "
            "its config, or what the other process needs of it"
        )

    def __getitem__(self, resource: Resource[T]) -> T:
        """Return the object of a resource by its handle, typed.

        Raises `WrongLoopError` for an async resource in a loop other than its own, and
        `ResourceClosedError` after the drain deadline.
        """
        found: T = self.resources.find(resource)
        return found

    def release(self) -> None:
        """Need the resources no more in the unit of work that this code runs in: they may close.

        The configuration stays. For sockets and streams that live for hours: release, then take
        `live.lease()` for each message, which is of the newest version. Raises `OutsideWorkError`
        where no unit of work of this snapshot is around; does nothing after its end.
        """
        unit = unit_on(self.resources)
        if unit is None:
            raise OutsideWorkError(
                "no unit of work of this snapshot here: release() is called by the code that the "
                "snapshot was given to, in its own thread or task"
            )
        release(unit)

    def __repr__(self) -> str:
        return f"<Snapshot version {self.version}, digest {self.digest[:12]}>"

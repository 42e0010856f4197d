"""Build the resources that an edit changed, all or nothing.

Which they are is `plan`'s, how one is opened and closed `instance`'s. Takes a configuration and the
instances that serve, gives the instances that the new snapshot will have: carried over where
nothing they were built from changed, built and probed where it did. On any failure what was built
is left to the drain to close, in reverse. Never touches what serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .._load.hidden import Hidden
from .._load.problems import at, located
from .._runtime.jobs import Job
from ..exceptions import (
    FactoryError,
    ProbeError,
    RegistrationError,
    ResourceError,
    ResourceTimeoutError,
)
from ..seams.feed import Loaded
from ..types import Origin, Problem
from .instance import Instance
from .registry import Registry, Resource

if TYPE_CHECKING:
    import asyncio
from .._runtime.foreign import described
from ..exceptions import StillRunningError
from .inventory import Inventory
from .plan import needs_of, parts_of, rebuilt

T = TypeVar("T")

MOST_INSTANCES = 2
"""How many instances of a resource may be open at a time: the one that serves and one more."""


class Waiting(Protocol):
    """How the engine thread waits for a job and steps meanwhile."""

    def __call__(self, job: Job[Any], deadline: float) -> bool:
        """Wait until `deadline` (monotonic seconds); False when the job was abandoned."""
        ...

    def after(self, seconds: float) -> float:
        """Return the deadline of what begins now."""
        ...

    @property
    def on_done(self) -> Callable[[], None]:
        """Return what a job calls when it is done."""
        ...


class WaitForDrainError(Exception):
    """Building now would make a third instance of a resource."""

    def __init__(self, resource: Resource[Any], inventory: Inventory) -> None:
        super().__init__(resource.name)
        self.resource = resource.name
        self.wanted = resource
        self._inventory = inventory

    def may_build(self) -> bool:
        """Return whether that has changed meanwhile."""
        return len(self._inventory.of(self.wanted)) < MOST_INSTANCES


@dataclass(frozen=True, slots=True)
class Built:
    """The instances of a new snapshot, and those of them that were built for it."""

    instances: tuple[Instance, ...]
    fresh: tuple[Instance, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of what was built."""
        return tuple(one.resource.name for one in self.fresh)


class Builder:
    """Builds for one engine; runs in the engine thread."""

    def __init__(
        self,
        registry: Registry,
        inventory: Inventory,
        wait: Waiting,
        gone: Callable[[Instance], None],
        hidden: Hidden,
        about: Callable[[Resource[Any], Loaded[Any], str], tuple[str, Origin | None]],
    ) -> None:
        self._hidden = hidden
        self._about = about
        self._registry = registry
        self._inventory = inventory
        self._wait = wait
        self._gone = gone

    def build(
        self,
        loaded: Loaded[Any],
        running: Sequence[Instance],
        loop: asyncio.AbstractEventLoop | None,
    ) -> Built:
        """Return all instances for the configuration, and say which were built for it.

        Raises `ResourceError` or `SchemaError` for the edit, `RegistrationError` for an async
        factory where there is no event loop, and `WaitForDrainError`.
        """
        old = {instance.resource.name: instance for instance in running}
        chosen: dict[str, Instance] = {}
        built: list[Instance] = []
        try:
            planned = {resource.name for resource in self._plan(loaded, old)}
            for resource in self._registry:
                if resource.name not in planned:
                    chosen[resource.name] = old[resource.name]
                    continue
                parts = parts_of(resource, loaded.config, loaded.layers)
                needs = needs_of(resource, chosen)
                instance = Instance(resource, parts, needs, loop, self._gone, self._wait)
                self._open(instance, loaded, loop)
                built.append(instance)
                chosen[resource.name] = instance
                self._probe(instance, loaded)
        except BaseException:
            for instance in built:
                instance.closable = True  # nobody holds them: the drain closes the newest first
            raise
        return Built(tuple(chosen.values()), tuple(built))

    def planned(self, loaded: Loaded[Any], running: Sequence[Instance]) -> tuple[str, ...]:
        """Return the names of what would be built; raise `SchemaError`."""
        old = {instance.resource.name: instance for instance in running}
        return tuple(one.name for one in rebuilt(self._registry, loaded, old))

    def _plan(self, loaded: Loaded[Any], old: Mapping[str, Instance]) -> Sequence[Resource[Any]]:
        """Check, before anything is built, that what must be built may be; return that."""
        planned = rebuilt(self._registry, loaded, old)
        for resource in planned:
            if len(self._inventory.of(resource)) >= MOST_INSTANCES:
                raise WaitForDrainError(resource, self._inventory)
            if self._inventory.is_stuck(resource.name):
                reason = "an earlier call of its factory, probe or closer has not returned yet"
                raise self._error(StillRunningError, resource, loaded, reason)
        return planned

    def _open(
        self, instance: Instance, loaded: Loaded[Any], loop: asyncio.AbstractEventLoop | None
    ) -> None:
        resource = instance.resource
        if resource.needs_loop and loop is None:
            library = self._registry.library
            if library is not None:
                raise RegistrationError(
                    f"resource {resource.name!r} needs an event loop of asyncio, and this app runs "
                    f"under {library}: serve it under asyncio (`hypercorn -k asyncio`, uvicorn), "
                    "or register a sync factory and probe"
                )
            what, one = ("is", "factory") if resource.is_async else ("has a probe that is", "probe")
            raise RegistrationError(
                f"resource {resource.name!r} {what} async and there is no event loop: serve the "
                f"app through ASGI, use `await live.astart()`, or register a sync {one}"
            )
        self._inventory.instances.append(instance)
        deadline = self._wait.after(resource.timeout)
        job = instance.open(self._wait.on_done)
        try:
            self._finish(instance, job, deadline, loaded, FactoryError, "factory")
        except BaseException:
            self._inventory.remove(instance)
            raise

    def _probe(self, instance: Instance, loaded: Loaded[Any]) -> None:
        deadline = self._wait.after(instance.resource.timeout)
        job = instance.probe(self._wait.on_done)
        self._finish(instance, job, deadline, loaded, ProbeError, "probe")
        if job.result() is False:
            raise self._error(ProbeError, instance.resource, loaded, "its probe returned False")

    def _finish(
        self,
        instance: Instance,
        job: Job[Any],
        deadline: float,
        loaded: Loaded[Any],
        kind: type[ResourceError],
        what: str,
    ) -> None:
        resource = instance.resource
        try:
            in_time = self._wait(job, deadline)
        except BaseException:
            instance.cancel()  # the engine closes: a close would wait behind it in its task
            raise
        if not in_time:
            instance.cancel()
            self._inventory.keep_stuck(resource.name, job)
            reason = f"its {what} did not return within {resource.timeout:g} s"
            raise self._error(ResourceTimeoutError, resource, loaded, reason)
        if job.error is not None:
            reason = f"its {what} raised {described(job.error, self._hidden.mask(loaded=loaded))}"
            quoted = described(job.error, str)
            raise self._error(kind, resource, loaded, reason, quoted)

    def _error(
        self,
        kind: type[ResourceError],
        resource: Resource[Any],
        loaded: Loaded[Any],
        reason: str,
        quoted: str = "",
    ) -> ResourceError:
        path = resource.paths[0] if resource.paths else ()
        reason = f"resource {resource.name!r} cannot be built: {reason}"
        about, place = self._about(resource, loaded, quoted)
        problem = Problem(reason + about, key_path=path)
        error = located(kind(problem, resource=resource.name), loaded.layers)
        if place is None:
            return error
        return kind(at(problem, place), resource=resource.name)  # of the part, and not of another

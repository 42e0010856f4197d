"""Build what an edit changed, all or nothing.

Takes a configuration and the instances that serve, gives the instances that the new snapshot will
have: carried over where nothing they were built from changed, built and probed where it did. On any
failure what was built is left to the drain to close, in reverse. Never touches what serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from . import _loader
from ._calls import Job
from ._instances import FactoryMisuseError, Instance
from ._loader import Loaded
from ._redact import placed, scrub
from ._resources import Registry, Resource
from ._schema import lookup
from .exceptions import (
    FactoryError,
    ProbeError,
    RegistrationError,
    ResourceError,
    ResourceTimeoutError,
    SchemaError,
)
from .types import KeyPath, Problem

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

MOST_INSTANCES = 2
"""How many instances of a resource may be open at a time: the one that serves and one more."""


class Waiting(Protocol):
    """How the engine thread waits for a job while it goes on turning."""

    def __call__(self, job: Job[Any], deadline: float) -> bool:
        """Wait until `deadline` (monotonic seconds); False when the job was abandoned."""
        ...

    def after(self, seconds: float) -> float:
        """Give the deadline of what begins now."""
        ...

    @property
    def settled(self) -> Callable[[], None]:
        """Give what a job calls when it is done."""
        ...


class StillRunningError(ResourceTimeoutError):
    """An earlier, abandoned call for this resource has not returned; it is not called again."""


class WaitForDrainError(Exception):
    """Building now would make a third instance of a resource."""

    def __init__(self, resource: Resource[Any], roster: Roster) -> None:
        super().__init__(resource.name)
        self.resource = resource.name
        self._resource = resource
        self._roster = roster

    def may_build(self) -> bool:
        """Tell whether that has changed meanwhile."""
        return len(self._roster.of(self._resource)) < MOST_INSTANCES


class Roster:
    """All instances that are not closed yet, in the order in which they were built.

    Also the abandoned jobs that still run: while a resource has one, it is not called again.
    """

    def __init__(self) -> None:
        self.instances: list[Instance] = []
        self._stuck: dict[str, list[Job[Any]]] = {}

    def of(self, resource: Resource[Any]) -> list[Instance]:
        """Give the open instances of a resource."""
        return [one for one in self.instances if one.resource is resource]

    def remove(self, instance: Instance) -> None:
        """Strike an instance that is closed, and let go of what it held."""
        instance.closed = True
        instance.value, instance.parts = None, ()  # contexts of old requests may keep the instance
        if instance in self.instances:
            self.instances.remove(instance)

    def keep_stuck(self, name: str, job: Job[Any]) -> None:
        """Remember an abandoned job."""
        self._stuck.setdefault(name, []).append(job)

    def is_stuck(self, name: str) -> bool:
        """Tell whether foreign code of that name still runs, abandoned."""
        running = [job for job in self._stuck.get(name, ()) if job.running]
        self._stuck[name] = running
        return bool(running)


@dataclass(frozen=True, slots=True)
class Built:
    """The instances of a new snapshot, and the names of those that were built for it."""

    instances: tuple[Instance, ...]
    names: tuple[str, ...]


class Builder:
    """Builds for one engine; runs in the engine thread."""

    def __init__(
        self,
        registry: Registry,
        roster: Roster,
        wait: Waiting,
        gone: Callable[[Instance], None],
    ) -> None:
        self._registry = registry
        self._roster = roster
        self._wait = wait
        self._gone = gone

    def build(
        self,
        loaded: Loaded[Any],
        running: Sequence[Instance],
        loop: asyncio.AbstractEventLoop | None,
    ) -> Built:
        """Give all instances for the configuration, and say which were built for it.

        Raises `ResourceError` or `SchemaError` for the edit, `RegistrationError` for an async
        factory where there is no event loop, and `WaitForDrainError`.
        """
        old = {instance.resource.name: instance for instance in running}
        chosen: dict[str, Instance] = {}
        built: list[Instance] = []
        try:
            for resource in self._plan(loaded, old):
                parts, needs = _parts(resource, loaded), _needs(resource, chosen)
                kept = old.get(resource.name)
                if kept is not None and _unchanged(kept, parts, needs):
                    chosen[resource.name] = kept
                    continue
                instance = Instance(resource, parts, needs, loop, self._gone, self._wait)
                self._open(instance, loaded, loop)
                built.append(instance)
                chosen[resource.name] = instance
                self._probe(instance, loaded)
        except BaseException:
            for instance in built:
                instance.closable = True  # nobody holds them: the drain closes the newest first
            raise
        return Built(tuple(chosen.values()), tuple(one.resource.name for one in built))

    def _plan(self, loaded: Loaded[Any], old: Mapping[str, Instance]) -> list[Resource[Any]]:
        """Check, before anything is built, that what must be built may be."""
        rebuilt: set[str] = set()
        for resource in self._registry:
            parts = _parts(resource, loaded)
            kept = old.get(resource.name)
            same = kept is not None and _unchanged(kept, parts, kept.needs)
            if same and not any(need.name in rebuilt for need in resource.needs):
                continue
            rebuilt.add(resource.name)
            if len(self._roster.of(resource)) >= MOST_INSTANCES:
                raise WaitForDrainError(resource, self._roster)
            if self._roster.is_stuck(resource.name):
                reason = "an earlier call of its factory, probe or closer has not returned yet"
                raise _error(StillRunningError, resource, loaded, reason)
        return list(self._registry)

    def _open(
        self, instance: Instance, loaded: Loaded[Any], loop: asyncio.AbstractEventLoop | None
    ) -> None:
        resource = instance.resource
        if resource.needs_loop and loop is None:
            what, one = ("is", "factory") if resource.is_async else ("has a probe that is", "probe")
            raise RegistrationError(
                f"resource {resource.name!r} {what} async and there is no event loop: serve the "
                f"app through ASGI, use `await live.astart()`, or register a sync {one}"
            )
        self._roster.instances.append(instance)
        deadline = self._wait.after(resource.timeout)
        job = instance.open(self._wait.settled)
        try:
            self._finish(instance, job, deadline, loaded, FactoryError, "factory")
        except BaseException:
            self._roster.remove(instance)
            raise

    def _probe(self, instance: Instance, loaded: Loaded[Any]) -> None:
        deadline = self._wait.after(instance.resource.timeout)
        job = instance.probe(self._wait.settled)
        self._finish(instance, job, deadline, loaded, ProbeError, "probe")
        if job.result() is False:
            raise _error(ProbeError, instance.resource, loaded, "its probe returned False")

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
            self._roster.keep_stuck(resource.name, job)
            reason = f"its {what} did not return within {resource.timeout:g} s"
            raise _error(ResourceTimeoutError, resource, loaded, reason)
        if job.error is not None:
            reason = f"its {what} raised {described(job.error, loaded.config)}"
            raise _error(kind, resource, loaded, reason)


def described(error: BaseException, config: object) -> str:
    """Say what was raised and where, with every value of the configuration masked."""
    text = scrub(_text(error), config)
    return placed(error) + (f": {text}" if text else "")


def raised(error: BaseException) -> str:
    """Say the same without its words, which may quote a value of any version, unless ours."""
    return placed(error) + (f": {error}" if isinstance(error, FactoryMisuseError) else "")


def _text(error: BaseException) -> str:
    """Give what the error says of itself, if that does not raise in turn."""
    try:
        return str(error)
    except BaseException:
        return "its text cannot be had"


def causes(error: BaseException, config: object) -> str:
    """Say the same of an error that may be a group of others."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return ", ".join(causes(one, config) for one in group.exceptions)
    return described(error, config)


def _unchanged(instance: Instance, parts: tuple[object, ...], needs: tuple[Instance, ...]) -> bool:
    if instance.dropped or instance.closed or len(parts) != len(instance.parts):
        return False
    same_parts = all(new is old for new, old in zip(parts, instance.parts, strict=True))
    return same_parts and all(a is b for a, b in zip(needs, instance.needs, strict=True))


def _needs(resource: Resource[Any], chosen: Mapping[str, Instance]) -> tuple[Instance, ...]:
    return tuple(chosen[need.name] for need in resource.needs)


def _parts(resource: Resource[Any], loaded: Loaded[Any]) -> tuple[object, ...]:
    if not resource.paths:
        return (loaded.config,)
    return tuple(_part(resource, path, loaded) for path in resource.paths)


def _part(resource: Resource[Any], path: KeyPath, loaded: Loaded[Any]) -> object:
    try:
        return lookup(loaded.config, path)
    except KeyError:
        reason = f"is missing, and resource {resource.name!r} is built from it"
        raise _loader.located(SchemaError(Problem(reason, key_path=path)), loaded.layers) from None


def _error(
    kind: type[ResourceError], resource: Resource[Any], loaded: Loaded[Any], reason: str
) -> ResourceError:
    path = resource.paths[0] if resource.paths else ()
    problem = Problem(f"resource {resource.name!r} cannot be built: {reason}", key_path=path)
    return _loader.located(kind(problem, resource=resource.name), loaded.layers)

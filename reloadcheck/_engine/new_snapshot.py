"""Make a snapshot of a good configuration, which nobody is served yet; or say why it cannot be.

Building is `_resources/build`'s, swapping `reloader`'s. Has what an edit changed built, and keeps
count of it; leaves failures to whoever asked. Resources whose event loop has ended are dropped
here, and built anew with the next configuration or loop.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

from .._load.failed_build import changes_since, made_of
from .._load.hidden import Hidden
from .._resources.build import Builder, Built, WaitForDrainError
from .._resources.instance import Instance
from .._resources.registry import Registry, Resource
from .._runtime.foreign import causes
from .._runtime.log import log
from .._snapshots.snapshot import Resources, Snapshot
from .._snapshots.tenancy import LiveSnapshot
from ..exceptions import ConfigError, ResourceError
from ..seams.feed import Loaded
from ..types import Code, Origin
from .checker import Checker
from .phases import Phases, timed
from .scheduler import Scheduler

C = TypeVar("C")


class Making(Generic[C]):
    """What one engine builds. `builds`, `failed_builds` and `built_for` count it by resource.

    `owner` is what snapshots name as their engine, `edition` gives the store's number of a version.
    """

    def __init__(
        self,
        scheduler: Scheduler[C],
        checker: Checker[C],
        registry: Registry,
        owner: object,
        versions: Iterator[int],
        edition: Callable[[int], int | None],
    ) -> None:
        self.builds: dict[str, int] = {}
        self.failed_builds: dict[str, int] = {}
        self.built_for: dict[str, int] = {}
        self.needs_loop = registry.needs_loop
        self.versions = versions
        self._scheduler = scheduler
        self._admission = scheduler.admission
        self._serving = scheduler.serving
        self._checker = checker
        self._clock = scheduler.clock
        self._owner, self._edition = owner, edition
        options = scheduler.options
        self.hidden = Hidden(
            options.secrets, options.public, lambda: checker.places, lambda: checker.running
        )
        scheduler.probing.mask_of = self.hidden.mask
        self._builder = Builder(
            registry, scheduler.inventory, scheduler, self._gone, self.hidden, self._about
        )
        self._ended: dict[str, tuple[asyncio.AbstractEventLoop | None, BaseException]] = {}

    @property
    def running(self) -> tuple[Instance, ...]:
        """Return the instances of what serves."""
        current = self._serving.current
        return () if current is None else current.instances

    def plan(self, loaded: Loaded[C]) -> tuple[str, ...]:
        """Return the names of what would be built; none where the build will say what is wrong."""
        try:
            return self._builder.planned(loaded, self.running)
        except ConfigError:
            return ()

    def build(self, loaded: Loaded[C], phases: Phases, tell: Callable[[str], None]) -> Built:
        """Build what the configuration needs; raise what `Builder.build` raises.

        `tell` hears what is waited for, where an old resource has to close first.
        """
        self._tell_ended()
        try:
            build = partial(self._builder.build, loaded, self.running, self._admission.home)
            return timed("build", build, phases, self._clock)()
        except WaitForDrainError as wait:
            if not self._scheduler.let_close(wait.wanted, wait.may_build, tell):
                raise
        except ResourceError as error:
            self.failed_builds[error.resource] = self.failed_builds.get(error.resource, 0) + 1
            raise
        return self.build(loaded, phases, tell)

    def snapshot(
        self, loaded: Loaded[C], built: Built, version: int | None = None
    ) -> LiveSnapshot[C]:
        """Return a snapshot of what was built, which nobody is served yet."""
        version = next(self.versions) if version is None else version
        resources = Resources({one.resource.name: one for one in built.instances})
        loaded_at = self._clock.wall()
        snapshot = Snapshot(
            loaded.config, version, loaded.digest, loaded_at, resources, self._owner, self._edition
        )
        home = self._admission.home if self.needs_loop else None
        live_snapshot = LiveSnapshot(snapshot, built.instances, home, self._scheduler.on_done)
        for name in built.names:
            self.builds[name] = self.builds.get(name, 0) + 1
            self.built_for[name] = version
        self._admission.built_in = home
        return live_snapshot

    def rehearsed(self, loaded: Loaded[C], built: Built, version: int) -> LiveSnapshot[C]:
        """Return a snapshot for a rehearsal alone, under the number that the edit would have."""
        resources = Resources({one.resource.name: one for one in built.instances})
        loaded_at = self._clock.wall()
        snapshot = Snapshot(
            loaded.config, version, loaded.digest, loaded_at, resources, self._owner
        )
        home = self._admission.home if self.needs_loop else None
        return LiveSnapshot(snapshot, built.instances, home, self._scheduler.on_done)

    def drop_elsewhere(self, loop: asyncio.AbstractEventLoop) -> None:
        """Drop what lives in another event loop than the one given, which has ended."""
        for instance in self.running:
            if instance.home is not None and instance.home is not loop:
                self._drop(instance)

    def _about(
        self, resource: Resource[Any], loaded: Loaded[Any], quoted: str
    ) -> tuple[str, Origin | None]:
        """Say what an edit changes of a resource's parts, and where; else what they are made of.

        `quoted` is what its factory raised, as it was.
        """
        running, current = self._checker.running, self._serving.current
        if not resource.config:
            return "", None
        if running is not None and current is not None:
            told, at = changes_since(running, loaded, resource.paths)
            if told:
                return f"; changed since version {current.snapshot.version}: {told}", at
        told, at = made_of(loaded, resource.paths, quoted)
        return f"; made of {told}" if told else "", at

    def _gone(self, instance: Instance) -> None:
        """Hear, in the home loop's thread, that an async resource's task has ended."""

        def gone() -> None:
            error = instance.take_error()
            if not instance.closed and instance in self._scheduler.inventory.instances:
                if error is not None:
                    self._ended[instance.resource.name] = (instance.home, error)
                self._drop(instance)
                self._admission.built_in = None
                self._serving.withdraw()

        self._admission.post(gone)

    def _tell_ended(self) -> None:
        """Say why resources are built anew that ended by themselves, not with their event loop."""
        ended, self._ended = self._ended, {}
        for name, (home, error) in ended.items():
            if home is self._admission.home and home is not None and not home.is_closed():
                log(
                    logging.WARNING,
                    "resource %s ended by itself with %s and is built anew",
                    name,
                    causes(error, self.hidden.mask()),
                    code=str(Code.RESOURCE),
                )

    def _drop(self, instance: Instance) -> None:
        instance.dropped = True
        self._scheduler.inventory.remove(instance)

"""All instances that are not closed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._runtime.jobs import Job
from .instance import Instance
from .registry import Resource

if TYPE_CHECKING:
    pass


class Inventory:
    """All instances that are not closed yet, in the order in which they were built.

    Also the abandoned jobs that still run: while a resource has one, it is not called again.
    """

    def __init__(self) -> None:
        self.instances: list[Instance] = []
        self._stuck: dict[str, list[Job[Any]]] = {}

    def of(self, resource: Resource[Any]) -> list[Instance]:
        """Return the open instances of a resource."""
        return [one for one in self.instances if one.resource is resource]

    def by_resource(self) -> dict[Resource[Any], list[Instance]]:
        """Return the open instances of all resources, in one look; from any thread."""
        found: dict[Resource[Any], list[Instance]] = {}
        for one in tuple(self.instances):
            found.setdefault(one.resource, []).append(one)
        return found

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
        """Return whether foreign code of that name still runs, abandoned."""
        running = [job for job in self._stuck.get(name, ()) if job.running]
        self._stuck[name] = running
        return bool(running)

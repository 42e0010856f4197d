"""Celery: each task is one unit of work, and each worker process has an engine of its own.

Takes a Celery app and an engine; translates Celery's signals into starts, leases and closes. It
must never leave an engine open in the process that forks the workers of a prefork pool.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from .._engine.api import ReloadCheck, engine_of
from .._resources.registry import Resource
from .._snapshots.lease import Lease
from ..exceptions import ReloadCheckError
from ._dialect import config_getter, resource_getter
from ._extras import missing

try:
    from celery import Celery, Task, signals
except ModuleNotFoundError as error:
    raise missing(error, "reloadcheck[celery]") from None

__all__ = ["CeleryReloadCheck", "config_of", "resource_of"]

C = TypeVar("C")
T = TypeVar("T")

_LINE = "CeleryReloadCheck(live, app)"


def config_of(live: ReloadCheck[C]) -> Callable[[], C]:
    """Return what gives the configuration of the task, typed: `config = config_of(live)`."""
    return config_getter(live, _LINE)


def resource_of(resource: Resource[T]) -> Callable[[], T]:
    """Return what gives a resource of the task: `pool = resource_of(db)`, then `pool()` in it."""
    return resource_getter(resource, _LINE)


class CeleryReloadCheck:
    """Each task of `app` is one unit of work of `live`: say so before the tasks are declared.

    A worker refuses to start on a bad configuration, with its sentence. Each process of a prefork
    pool opens the engine for itself; other pools share the worker's. A task keeps one snapshot up
    to and including its `after_return`; a retry is a task of its own and takes a new one. A process
    that finds no good configuration, because the file went bad before it was forked, fails its
    tasks with the cause before their first line.
    """

    def __init__(self, live: ReloadCheck[Any], app: Celery) -> None:
        engine_of(live)  # which says what is no engine
        self.live = live
        self._app = app
        self._held: dict[int, Lease[Any]] = {}
        setattr(app, "Task", self._failing_first(app.Task))  # noqa: B010 - stubs say read-only
        for signal, receiver in (
            (signals.worker_init, self._check),
            (signals.worker_before_create_process, self._close),
            (signals.worker_process_init, self._open),
            (signals.worker_process_shutdown, self._close),
            (signals.worker_shutdown, self._close),
            (signals.task_prerun, self._begin),
            (signals.task_postrun, self._end),
        ):
            signal.connect(receiver, weak=False)

    def _check(self, sender: Any, **_: object) -> None:
        """Refuse to start the worker on a bad configuration."""
        if sender.app is self._app:
            try:
                self.live.start()
            except ReloadCheckError as error:
                raise SystemExit(str(error)) from None  # Celery swallows every `Exception`

    def _open(self, **_: object) -> None:
        """Start in a process of the pool; what is wrong is in the log, and each task tries anew."""
        if self.live.status().state != "serving":  # the solo pool is the process that checked
            with suppress(ReloadCheckError):
                self.live.start()

    def _close(self, **_: object) -> None:
        """Close what this process has open: also the one that checked, before it forks."""
        self.live.close()

    def _begin(self, sender: "Task[..., Any]", **_: object) -> None:
        """Take the lease before anything else of a task; raising here would not stop it."""
        if sender.app is self._app:
            with suppress(ReloadCheckError):
                self._hold(sender)

    def _end(self, sender: "Task[..., Any]", **_: object) -> None:
        """Release the lease."""
        lease = self._held.pop(id(sender.request), None)
        if lease is not None:
            lease.__exit__(None, None, None)

    def _failing_first(self, base: "type[Task[..., Any]]") -> "type[Task[..., Any]]":
        """Make a task class that fails instead of running without a configuration."""
        hold = self._hold

        class LiveTask(base):  # type: ignore[misc, valid-type]
            abstract = True

            def before_start(
                self, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]
            ) -> None:
                """Raise what is wrong, where Celery lets it fail the task."""
                hold(self)
                super().before_start(task_id, args, kwargs)

        return LiveTask

    def _hold(self, task: "Task[..., Any]") -> None:
        key = id(task.request)  # it lives until after postrun; one task id may run twice at once
        if key not in self._held:
            lease = self.live.lease(name=f"task {task.name}")
            lease.__enter__()
            self._held[key] = lease

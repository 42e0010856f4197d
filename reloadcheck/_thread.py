"""The engine thread: one a process, it alone decides.

It sleeps until a unit of work asks for a check or a timer runs out, then looks, builds and swaps,
and drains what was retired. While it waits for foreign code it goes on turning. It must never run
foreign code or touch a file itself.
"""

import logging
import random
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from ._build import Builder, Roster, WaitForDrainError
from ._calls import Job, Reader, call
from ._check import Bad, Checker, Good, OverdueError, Same, Settling, Unusable
from ._clock import Clock
from ._desk import Conclusion, Desk
from ._diff import Diff, diff
from ._drain import Drain
from ._events import ReloadEvent
from ._instances import Instance
from ._listeners import Listeners
from ._loader import Loaded
from ._options import Options
from ._resources import Registry
from ._schema import Schema
from ._snapshot import Cell, Resources, Snapshot, Tenancy
from .exceptions import (
    ConfigError,
    NotStartedError,
    ReloadCheckError,
    SourceError,
    UsageError,
)
from .types import Outcome, Problem, Source, key_path_text

C = TypeVar("C")
T = TypeVar("T")
_logger = logging.getLogger("reloadcheck")

READER_SECONDS = 0.1
"""Seconds that closing waits for the reader thread to end."""

BACK_OFF_FIRST, BACK_OFF_MOST = 1.0, 60.0
"""Seconds before a failed build is tried again: the first time, and at most; both jittered."""


class _StoppingError(Exception):
    """The engine closes; what was under way is given up."""


class EngineThread(Generic[C]):
    """Everything that one engine has in one process, from its start to its close."""

    def __init__(
        self,
        owner: object,
        sources: Sequence[Source],
        schema: Schema[C],
        registry: Registry,
        options: Options,
        clock: Clock,
        cell: Cell[C],
        listeners: Listeners,
        versions: Iterator[int],
    ) -> None:
        self.desk: Desk[C] = Desk(clock, options, needs_loop=registry.needs_loop)
        self.roster = Roster()
        self.drain = Drain(self.roster, clock, options.drain, self.settled)
        self.checker: Checker[C] = Checker(sources, schema, options, clock, self)
        self.ended = threading.Event()
        self._at_end: list[Callable[[], object]] = []
        self.closing = False
        self.checks = self.reloads = 0
        self.builds: dict[str, int] = {}
        self._owner = owner
        self._options = options
        self._clock = clock
        self._cell = cell
        self._needs_loop = registry.needs_loop
        self._listeners = listeners
        self._versions = versions
        self._builder = Builder(registry, self.roster, self, self._gone)
        self._reader = Reader()
        self._stop_after: float | None = None
        self._building = False
        self._look_at: float | None = None
        self._fresh_until: float | None = None
        self._deferred_since: float | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._failure: ConfigError | None = None
        self._complaint: str | None = None
        self._drained = -1
        self._swapped_at = 0.0
        self._thread = threading.Thread(target=self._run, name="reloadcheck-engine", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def on_end(self, callback: Callable[[], object]) -> None:
        """Have `callback` called in this thread when all is closed; at once when it is already."""

        self._at_end.append(callback)
        if self.ended.is_set():
            callback()

    def join(self) -> None:
        """Wait until all is closed and the thread has ended."""
        self.ended.wait()
        self._thread.join()

    def stop(self, drain: float) -> None:
        """Have the thread drain for at most `drain` seconds, close everything and end."""

        self._stop_after = drain
        self.closing = True
        self.desk.post(_wake)

    def age(self) -> float:
        """Give the seconds since the present version was swapped in."""
        return self._clock.monotonic() - self._swapped_at

    # ------------------------------------------------------------ waiting for others

    def settled(self) -> None:
        """Wake the thread: a job is done, or the last lease of a retired snapshot is back."""
        self.desk.post(_wake)

    def after(self, seconds: float) -> float:
        """Give the deadline of what begins now."""
        return self._clock.monotonic() + seconds

    def __call__(self, job: Job[Any], deadline: float | None) -> bool:
        """Wait for a job while turning; False when it took longer and was abandoned."""
        return self._wait(job, deadline, job.abandon)

    def read(self, work: Callable[[], T]) -> T:
        """Have the reader thread do it; raise `OverdueError` after `patience`."""
        return self._have_read(work, self.after(self._options.patience))

    def load(self, work: Callable[[], T]) -> T:
        """Have the reader thread do it, for as long as it takes."""
        return self._have_read(work, None)

    def call(self, name: str, work: Callable[[], T], timeout: float) -> T:
        """Have a call thread do it; raise `OverdueError` after `timeout`."""
        if self.roster.is_stuck(name):
            raise OverdueError
        deadline = self.after(timeout)
        job = Job[T](self.settled)
        call(name, work, job)
        try:
            if not self._wait(job, deadline, job.abandon):
                raise OverdueError
        finally:
            if job.abandoned:
                self.roster.keep_stuck(name, job)
        return job.result()

    def _have_read(self, work: Callable[[], T], deadline: float | None) -> T:
        if self._reader.stuck:
            raise OverdueError
        job = Job[T](self.settled)
        self._reader.submit(work, job)
        if not self._wait(job, deadline, lambda: self._reader.abandon(job)):
            raise OverdueError
        return job.result()

    def _wait(self, job: Job[Any], deadline: float | None, abandon: Callable[[], bool]) -> bool:
        while not job.done:
            late = deadline is not None and self._clock.monotonic() >= deadline
            if (late or self.closing) and abandon():
                if self.closing:
                    raise _StoppingError
                return False
            self._turn(deadline, requests=False)
        return True

    # ------------------------------------------------------------------- the thread

    def _run(self) -> None:
        while not self.closing:
            try:
                if self._is_due():
                    self._pass()
                else:
                    self._turn(self._look_at, requests=True)
            except _StoppingError:
                break
            except BaseException as error:
                _failed_inside(error)
        self._end()

    def _is_due(self) -> bool:
        if self.desk.wanted:
            return True
        if 0 <= self._drained < self.drain.closed:
            self._drained, self._look_at = -1, self._clock.monotonic()
        return self._look_at is not None and self._clock.monotonic() >= self._look_at

    def _turn(self, until: float | None, *, requests: bool) -> None:
        """Let one thing happen: a post, a timer, a step of the drain, or the time `until`."""
        times = [until, self.drain.step(), self.desk.expire(self._building), self._lower_flag()]
        if self.closing and self.drain.idle:
            return
        if 0 <= self._drained < self.drain.closed and requests:
            return
        post = self.desk.take(
            min((at for at in times if at is not None), default=None), requests=requests
        )
        if post is not None:
            post()

    def _lower_flag(self) -> float | None:
        """Make units of work ask, once the window has run out."""
        if self._fresh_until is None:
            return None
        if self._clock.monotonic() >= self._fresh_until:
            self._cell.fresh, self._fresh_until = None, None
        return self._fresh_until

    def _raise_flag(self, until: float | None) -> None:
        """Let units of work go on without asking, until the time given."""
        if self.desk.armed and self._options.window > 0:
            self._cell.fresh, self._fresh_until = self.desk.current, until

    # -------------------------------------------------------------------- one check

    def _pass(self) -> None:
        self._look_at = None
        busy, eager = self.desk.begin()
        if busy:
            self._raise_flag(None)
        if eager:
            self._retry_at = 0.0
        self.checks += 1
        try:
            conclusion = self._check()
        except _StoppingError:
            raise
        except UsageError as error:
            self._complain(error)
            conclusion = Conclusion(Outcome.REJECTED, error)
        except BaseException as error:
            _failed_inside(error)
            problem = Problem(f"reloadcheck failed inside with {type(error).__name__}")
            conclusion = Conclusion(Outcome.REJECTED, ConfigError(problem))
        finally:
            self._building = False
        self._conclude(conclusion)

    def _conclude(self, conclusion: Conclusion) -> None:
        now = self._clock.monotonic()
        if conclusion.outcome is not Outcome.DEFERRED:
            self._deferred_since = None
        elif self._deferred_since is None:
            self._deferred_since = now
        since = self._deferred_since
        tired = since is not None and now - since >= self._options.patience
        self.desk.conclude(conclusion, tired=tired)
        _logger.debug("check %d: %s", self.checks, conclusion.outcome)
        if self.desk.current is not None:
            self._raise_flag(now + self._options.window if self._options.enabled else None)

    def _check(self) -> Conclusion:
        if self.desk.current is not None:
            moved = self._move_home()
            if moved is not None or not self._options.enabled:
                return moved or Conclusion(Outcome.UNCHANGED)
        verdict = self.checker.look()
        match verdict:
            case Settling(error):
                self._look_at = self._look_again()
                return Conclusion(Outcome.DEFERRED, error, settling=True)
            case Unusable(error):
                self._complain(error)
                return Conclusion(Outcome.DEFERRED, error)
            case Bad(error):
                self._complain(error)
                return Conclusion(Outcome.REJECTED, error)
            case Same():
                self._forget_failure()
                return Conclusion(Outcome.UNCHANGED)
            case Good(loaded, new):
                return self._adopt(loaded, new)

    def _look_again(self) -> float:
        """Say when an unsettled file is looked at again, so that P2 holds for any window."""
        settle, window = self._options.settle, self._options.window
        now, quiet_at = self._clock.monotonic(), self.checker.quiet_at
        at = now + max(min(settle, window), settle / 8, 0.001)
        return min(at, quiet_at) if quiet_at > now else at

    def _adopt(self, loaded: Loaded[C], new: bool) -> Conclusion:
        now = self._clock.monotonic()
        if new:
            self._failures, self._retry_at, self._failure = 0, 0.0, None
        if now < self._retry_at:
            self._look_at = None if self._retry_at == float("inf") else self._retry_at
            return Conclusion(Outcome.DEFERRED, self._failure)
        current = self.desk.current
        changes = self._changes(loaded)  # first, so that nothing can fail between build and swap
        self._building = True
        begun = time.perf_counter()
        try:
            instances, built = self._builder.build(
                loaded, () if current is None else current.instances, self.desk.home
            )
        except WaitForDrainError as wait:
            return self._wait_for_drain(wait.resource)
        except ConfigError as error:
            return self._fail(error)
        self.checker.seconds["build"] = time.perf_counter() - begun
        self.checker.adopt(loaded)
        self._swap(loaded, instances, built, next(self._versions))
        self._report(loaded, changes, built)
        self._look_at = self._clock.monotonic()  # what changed meanwhile gets one more pass
        return Conclusion(Outcome.RELOADED)

    def _swap(
        self, loaded: Loaded[C], instances: Sequence[Instance], built: Sequence[str], version: int
    ) -> None:
        resources = Resources({one.resource.name: one for one in instances})
        loaded_at = datetime.fromtimestamp(self._clock.wall(), UTC)
        snapshot = Snapshot(
            loaded.config, version, loaded.digest, loaded_at, resources, self._owner
        )
        home = self.desk.home if self._needs_loop else None
        tenancy = Tenancy(snapshot, tuple(instances), home, self.settled)
        for instance in instances:
            instance.holders.add(tenancy)
            instance.closable = True
        for name in built:
            self.builds[name] = self.builds.get(name, 0) + 1
        old = self.desk.current
        self.desk.current = tenancy
        self.desk.built_in = home
        if self._cell.fresh is not None:
            self._cell.fresh = tenancy
        if old is not None:
            self.drain.retire(old)
        self._forget_failure()
        self._swapped_at = self._clock.monotonic()
        self.reloads += 1

    # --------------------------------------------------------------------- failures

    def _fail(self, error: ConfigError) -> Conclusion:
        self._failures += 1
        most = min(BACK_OFF_MOST, BACK_OFF_FIRST * 2.0 ** (self._failures - 1))
        self._retry_at = self._clock.monotonic() + most * random.uniform(0.5, 1.0)
        self._look_at, self._failure = self._retry_at, error
        self._complain(error)
        return Conclusion(Outcome.REJECTED, error)

    def _wait_for_drain(self, resource: str) -> Conclusion:
        self._drained = self.drain.closed
        reason = f"resource {resource!r} has two instances; the edit waits for the oldest to drain"
        self._failure = SourceError(Problem(reason))
        if self._complaint != str(self._failure):
            self._complaint = str(self._failure)
            _logger.info("configuration deferred: %s", self._failure)
        return Conclusion(Outcome.DEFERRED, self._failure)

    def _forget_failure(self) -> None:
        self._failures, self._retry_at, self._failure, self._complaint = 0, 0.0, None, None

    def _complain(self, error: ReloadCheckError) -> None:
        """Warn once of each cause, until there is another or none."""
        if str(error) == self._complaint:
            return
        self._complaint = str(error)
        outcome = Outcome.DEFERRED if isinstance(error, SourceError) else Outcome.REJECTED
        held = (
            "nothing is loaded yet" if self.desk.current is None else "the last good one serves on"
        )
        _logger.warning("configuration %s, %s: %s", outcome, held, error)
        if isinstance(error, ConfigError) and not isinstance(error, SourceError):
            self._tell(ReloadEvent(Outcome.REJECTED, *self._identity(), Diff(), error=error))

    # ------------------------------------------------------------------ what is told

    def _changes(self, loaded: Loaded[C]) -> Diff:
        running = self.checker.running
        return Diff() if running is None else self.load(lambda: diff(running.tree, loaded.tree))

    def _report(self, loaded: Loaded[C], changes: Diff, built: Sequence[str]) -> None:
        paths = [*changes.changed, *changes.added, *changes.removed]
        version, seconds = self._version(), tuple(self.checker.seconds.items())
        _logger.info(
            "configuration version %d is live, digest %s; changed: %s; built: %s",
            version,
            loaded.digest[:12],
            ", ".join(key_path_text(path) for path in paths[:20]) or "-",
            ", ".join(built) or "-",
        )
        self._tell(
            ReloadEvent(
                Outcome.RELOADED, version, loaded.digest, changes, tuple(built), None, seconds
            )
        )

    def _tell(self, event: ReloadEvent) -> None:
        self._listeners.tell(event, self.desk.home, self.desk.post)

    def _version(self) -> int:
        current = self.desk.current
        return 0 if current is None else current.snapshot.version

    def _identity(self) -> tuple[int | None, str | None]:
        current = self.desk.current
        if current is None:
            return None, None
        return current.snapshot.version, current.snapshot.digest

    # -------------------------------------------------------------------- event loops

    def _move_home(self) -> Conclusion | None:
        """Build the async resources anew in the home loop, if they are not there; same version."""
        current, loaded, loop = self.desk.current, self.checker.running, self.desk.home
        if not self._needs_loop or loop is None or self.desk.built_in is loop:
            return None
        if current is None or loaded is None:
            return None
        if self._clock.monotonic() < self._retry_at:
            return Conclusion(Outcome.DEFERRED, self._failure)
        for instance in current.instances:
            if instance.home is not None and instance.home is not loop:
                self._drop(instance)
        self._building = True
        try:
            instances, built = self._builder.build(loaded, current.instances, loop)
        except WaitForDrainError as wait:
            return self._wait_for_drain(wait.resource)
        except ConfigError as error:
            return self._fail(error)
        self._swap(loaded, instances, built, current.snapshot.version)
        return Conclusion(Outcome.UNCHANGED)

    def _gone(self, instance: Instance) -> None:
        """Called in the home loop's thread when an async resource's task has ended."""

        def gone() -> None:
            if not instance.closed and instance in self.roster.instances:
                self._drop(instance)
                self.desk.built_in = None
                self._cell.fresh = None

        self.desk.post(gone)

    def _drop(self, instance: Instance) -> None:
        instance.dropped = True
        self.roster.remove(instance)

    # ------------------------------------------------------------------------ the end

    def _end(self) -> None:
        drain = self._options.drain if self._stop_after is None else self._stop_after
        self.closing = True
        current, self.desk.current = self.desk.current, None
        if (
            self._cell.fresh is current
        ):  # a thread that was started meanwhile may have its own there
            self._cell.fresh = None
        self._fresh_until = None
        if current is not None:
            self.drain.retire(current)
        self.drain.hurry(self._clock.monotonic() + drain)
        self.desk.close(Conclusion(Outcome.DEFERRED, NotStartedError("the engine is closed")))
        while not self.drain.idle:
            self._turn(None, requests=False)
        self._reader.close(READER_SECONDS)
        self.ended.set()
        for callback in self._at_end:
            with suppress(RuntimeError):  # its event loop is closed: nobody waits any more
                callback()


def _failed_inside(error: BaseException) -> None:
    """Report a mistake of our own, without its text, which might quote a value."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    name = f"{type(error).__name__} at {where.filename}:{where.lineno}"
    _logger.error("reloadcheck failed inside with %s; the last good configuration serves on", name)


def _wake() -> None:
    """Do nothing: having been posted is enough."""

"""From a verdict on the sources to what serves: build, swap, or hold the last good.

One check at a time, in the engine thread. Everything before the swap may fail and leaves nothing
behind but its record; the swap cannot fail.
"""

import asyncio
import logging
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Generic, TypeVar

from .._config.diff import diff
from .._load.changes import changes_since
from .._load.hidden import Hidden
from .._load.problems import located
from .._resources.build import Builder, Built, WaitForDrainError
from .._resources.instance import Instance
from .._resources.registry import Registry, Resource
from .._runtime.foreign import causes
from .._runtime.log import log
from .._runtime.pause import nap
from .._schema.schema import Schema
from .._snapshots.snapshot import Resources, Snapshot
from .._snapshots.tenancy import LiveSnapshot
from ..exceptions import (
    ConfigError,
    DrainError,
    RefusedError,
    ResourceError,
    SourceError,
    StillRunningError,
    UnsettledError,
)
from ..seams import GO, Go, Keep, Loaded, Proposal, Reject, Share, Wait
from ..types import TIMER, Code, Diff, KeyPath, Outcome, Problem, Trigger
from .backoff import BackOff
from .checker import Bad, Checker, Good, Same, Settling, Unusable, forget_frames
from .gates import Gates, Seams, refused
from .permit import Permit, Prepared, look_after
from .phases import timed
from .reporter import Report
from .scheduler import Scheduler
from .trying import Trying
from .waiter import Conclusion

C = TypeVar("C")

GATES_SECONDS: Final = 10.0
"""Seconds between two looks at what the gates have read, a contract for example."""

SUPERSEDED: Final = Wait("superseded", "the sources hold something else now")


class Reload(Generic[C]):
    """What one engine knows about its configuration. `look_at` is when to look without being asked.

    `owner` is what snapshots name as their engine.
    """

    def __init__(
        self,
        scheduler: Scheduler[C],
        owner: object,
        seams: Seams,
        schema: Schema[C],
        registry: Registry,
        versions: Iterator[int],
    ) -> None:
        self.checker: Checker[C] = Checker(
            seams.feed, schema, scheduler.options, scheduler.clock, scheduler
        )
        self.report = Report(scheduler.admission, seams.listeners, scheduler.clock)
        self.report.sources = tuple(one.name for one in seams.feed.sources)
        self.look_at: float | None = None
        self.builds: dict[str, int] = {}
        self.failed_builds: dict[str, int] = {}
        self.built_for: dict[str, int] = {}
        self._turning = scheduler
        self._desk = scheduler.admission
        self._serving = scheduler.serving
        self._options = scheduler.options
        self._clock = scheduler.clock
        self._owner = owner
        self._needs_loop = registry.needs_loop
        self._versions = versions
        options, checker = scheduler.options, self.checker
        self._hidden = Hidden(
            options.secrets, options.public, lambda: checker.places, lambda: checker.running
        )
        scheduler.probing.mask_of = self._hidden.mask
        self._builder = Builder(
            registry, scheduler.inventory, scheduler, self._gone, self._hidden, self._edited
        )
        self._gates = Gates(seams.gates, scheduler)
        self._hide = seams.hide
        self._open, self._gates_at = False, -math.inf
        self.permit: Permit[C] = Permit()
        self.trying: Trying[C] = Trying(self._serving, self._poke)
        self._verdict, self._watched_until = GO, 0.0
        self._back_off = BackOff()
        self._failed_in: asyncio.AbstractEventLoop | None = None
        self._failure: ConfigError | None = None
        self._standing: ConfigError | None = None
        self._unsettled_since = math.inf
        self._ended: dict[str, tuple[asyncio.AbstractEventLoop | None, BaseException]] = {}

    def check(self, *, eager: bool, trigger: Trigger = TIMER) -> Conclusion:
        """Look, and do what there is to do. `eager`: try again at once what had failed."""
        conclusion = self._checked(eager, trigger)
        if self.trying.is_watching:
            self.look_at = min(self.look_at or math.inf, self._watched_until)
        return conclusion

    def _checked(self, eager: bool, trigger: Trigger) -> Conclusion:
        self.look_at = None
        self._turning.phases = self.checker.phases = self.report.begin(trigger)
        if eager:
            self._back_off.hurry()
        if self._serving.current is not None:
            moved = self._move_home()
            if moved is not None and moved.outcome is not Outcome.UNCHANGED:
                return moved
            if not self._options.enabled:
                return Conclusion(Outcome.UNCHANGED)
        watched = self._watch()
        if watched is not None:
            return watched
        shut = self._open_gates()
        if shut is not None:
            return shut
        verdict = self.checker.look()
        if not isinstance(verdict, Settling):
            self._unsettled_since = math.inf
        match verdict:
            case Settling(error):
                self.look_at = self._look_again()
                return Conclusion(Outcome.DEFERRED, self._unsettled(error), settling=True)
            case Unusable(error):
                self._standing = error
                self.report.complain(error)
                return Conclusion(Outcome.DEFERRED, error)
            case Bad(error, new, outcome):
                self.abandon()
                self._standing = error
                if outcome is Outcome.REJECTED:  # what was undone was told when it was
                    self.report.complain(error, again=new)
                return Conclusion(outcome, error)
            case Same():
                self.abandon()
                self.report.heal()
                self._forget_failure()
                return Conclusion(Outcome.UNCHANGED)
            case Good(loaded, new):
                return self._adopt(loaded, new)

    def forget_refusal(self) -> None:
        """Judge anew, at the next look, what was refused before."""
        self._back_off.reset()
        self.checker.forget_refusal()

    def _poke(self) -> None:
        """Have the gates asked at once; called in any thread."""

        def poked() -> None:
            self.look_at = self._clock.monotonic()

        self._desk.post(poked)

    def _open_gates(self) -> Conclusion | None:
        """Have the gates read what is theirs once, then see now and then whether it changed."""
        now = self._clock.monotonic()
        if not self._gates or now < self._gates_at:
            return None
        if self._open:
            self.permit.of_gates = self._gates.pending()
        else:
            try:
                names = self._gates.open()
                self._hide(names)
                self._hidden.add(names)
            except ConfigError as error:
                self._standing = error
                self.report.complain(error)
                return Conclusion(Outcome.REJECTED, error)
            self._open = True
        self._gates_at = now + GATES_SECONDS
        return None

    def _look_again(self) -> float:
        """Say when an unsettled file is looked at again, so that P2 holds for any window."""
        now, quiet_at = self._clock.monotonic(), self.checker.quiet_at
        at = now + self._desk.freshness.look_after(self._options.settle)
        return min(at, quiet_at) if quiet_at > now else at

    def _adopt(self, loaded: Loaded[C], new: bool) -> Conclusion:
        self._standing = None
        if new:
            self.abandon()
            self.trying.settle()  # a newer edit ends the watch first: two instances, never three
            self._back_off.reset()
            self._failure = None
            self.report.forget()
        if self._clock.monotonic() < self._back_off.retry_at:
            self.look_at = self._back_off.retry_at
            return Conclusion(Outcome.DEFERRED, self._failure)
        prepared = self._prepared(loaded)
        if isinstance(prepared, Conclusion):
            return prepared
        before = self.checker.running
        first = before is None
        loaded, changes, built = prepared.loaded, prepared.changes, prepared.built
        self.permit.prepared = None
        self.permit.decided(loaded.source_digest)
        self.checker.adopt(loaded)
        tried = self.trying.candidate
        if tried is None:
            snapshot = self._swap(loaded, built, next(self._versions))
        else:
            snapshot = tried.snapshot
            self.trying.promote(before, self._verdict)
            self._forget_failure()
        newest = self.checker.newest_ns
        self.report.announce(snapshot, changes, built.names, first=first, newest_ns=newest)
        self.look_at = self._clock.monotonic()  # what changed meanwhile gets one more pass
        return Conclusion(Outcome.RELOADED)

    def _prepared(self, read: Loaded[C]) -> Prepared[C] | Conclusion:
        """Have built what the gates allow, or say what the edit came to instead."""
        prepared = self.permit.prepared
        if prepared is None or prepared.read is not read or not prepared.is_whole:
            self.permit.let_go()
            loaded = self._allowed(read)
            if isinstance(loaded, Conclusion):
                return loaded
            # The differences first, so that nothing can fail between build and swap.
            changes = self._changes(loaded)
            built = self._build(loaded)
            if isinstance(built, Conclusion):
                return built
            prepared = self.permit.prepared = Prepared(read, loaded, changes, built)
        if not self._gates:
            return prepared
        proposal = self._proposal(prepared.loaded, prepared.changes, prepared.built.names)
        match self._gates.now(proposal):
            case Reject() as answer:
                if self.trying.candidate is not None:
                    return self._undo(answer, read)
                self.permit.let_go()
                return self._refuse(answer, read)
            case Wait() as answer:
                if self.trying.candidate is not None:
                    self._end_trial(answer)
                return self._hold_back(answer, read)
            case Share() as answer:
                return self._try(prepared, answer, proposal)
            case Go() as answer:
                self._verdict = answer
                return prepared
            case Keep():
                return prepared

    def _try(self, prepared: Prepared[C], answer: Share, proposal: Proposal) -> Conclusion:
        """Serve the edit to some units of work; ask again soon."""
        candidate = self.trying.candidate
        first = candidate is None
        if candidate is None:
            candidate = self._live(prepared.loaded, prepared.built, next(self._versions))
        self.trying.give(candidate, answer, proposal)
        if first:
            self.report.attempt(candidate.snapshot, prepared.changes)
        self.look_at = self._clock.monotonic() + answer.look
        return Conclusion(Outcome.TRYING)

    def _undo(self, answer: Reject, read: Loaded[C]) -> Conclusion:
        """Take back what was tried or watched; its content is refused from now on."""
        _, before = self.trying.undo()
        if before is not None:
            self.checker.adopt(before)
        self.permit.prepared = None
        self.permit.decided()
        error = refused(answer)
        self.checker.refuse(error, read, Outcome.UNDONE)
        self._standing = error
        self.report.undone(error)
        return Conclusion(Outcome.UNDONE, error)

    def _end_trial(self, answer: Wait) -> None:
        """End a trial without a verdict: another edit came, or everything is in trouble."""
        number, _ = self.trying.undo()
        self.permit.prepared = None
        self.report.withdrawn(number, answer)

    def _watch(self) -> Conclusion | None:
        """Ask first about what is tried, or was promoted while the one before is kept ready."""
        proposal = self.trying.proposal
        if proposal is None:
            return None
        if self.trying.candidate is not None:
            answer = self._gates.now(proposal)
            return self._undo(answer, proposal.new) if isinstance(answer, Reject) else None
        match self._gates.after(proposal):
            case Reject() as answer:
                return self._undo(answer, proposal.new)
            case Wait() as answer:
                self._watched_until = self._clock.monotonic() + answer.look
            case _:
                self.trying.settle()
        return None

    def _allowed(self, read: Loaded[C]) -> Loaded[C] | Conclusion:
        """Ask whether the edit may go on; return what of it may."""
        if not self._gates:
            return read
        match self._gates.may(self._proposal(read, self._changes(read), self._plan(read))):
            case Reject() as answer:
                return self._refuse(answer, read)
            case Wait() as answer:
                return self._hold_back(answer, read)
            case Keep(paths, remarks):
                self.permit.remarks = remarks
                return self._kept(read, paths)
            case Go(remarks):
                self.permit.remarks = remarks
                return read
            case _:
                return read

    def _proposal(self, loaded: Loaded[C], changes: Diff, plan: tuple[str, ...]) -> Proposal:
        running, trigger = self.checker.running, self.report.trigger
        current = self._serving.current
        number = 0 if current is None else current.snapshot.version
        tried = self.trying.candidate
        ahead = number + 1 if tried is None else tried.snapshot.version
        wall, versions = self._clock.wall(), (ahead, number)
        return Proposal(running, loaded, changes, plan, trigger, wall, versions)

    def _plan(self, loaded: Loaded[C]) -> tuple[str, ...]:
        try:
            return self._builder.planned(loaded, self._running)
        except ConfigError:
            return ()  # the build says so, with its place

    def _kept(self, read: Loaded[C], paths: tuple[KeyPath, ...]) -> Loaded[C] | Conclusion:
        """Let the edit through but for what waits for a restart."""
        try:
            loaded = self.checker.keep(read, paths)
        except ConfigError as error:
            self.checker.refuse(error)
            self._standing = error
            self.report.complain(error, again=True)
            return Conclusion(Outcome.REJECTED, error)
        news = not self.permit.is_pending_in(read.source_digest)
        self.permit.keep(read.source_digest, paths)
        running = self.checker.running
        if running is None or loaded.config is not running.config:
            return loaded
        self.checker.adopt(loaded)
        self._forget_failure()
        if news:
            self.report.pend(self.permit.pending_restart)
        return Conclusion(Outcome.UNCHANGED)

    def _refuse(self, answer: Reject, read: Loaded[C]) -> Conclusion:
        """Reject the edit until the sources hold something else."""
        self.permit.decided()
        error = located(refused(answer), read.layers)
        if answer.code == Code.INTERNAL:  # the gate failed, and may not the next time
            self._failure = error
            self.look_at = self._back_off.fail(self._clock.monotonic())
        else:
            self.checker.refuse(error)
        self._standing = error
        self.report.complain(error, again=True)
        return Conclusion(Outcome.REJECTED, error)

    def _hold_back(self, answer: Wait, read: Loaded[C]) -> Conclusion:
        """Hold back an edit that is good and not yet allowed; ask again when it may be."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        news = self.permit.wait(answer, read.digest, wall)
        problems = [Problem(answer.why, key_path=path) for path in answer.keys[:1] or ((),)]
        error = located(RefusedError(*problems, code=answer.code), read.layers)
        if news:
            self.report.wait(error)
        self.look_at = now + look_after(answer, wall)
        return Conclusion(Outcome.WAITING, error)

    def abandon(self) -> None:
        """Give up an edit that waits or is tried: there is another one, or none any more."""
        if self.trying.candidate is not None:
            self._end_trial(SUPERSEDED)
        self.permit.let_go()
        running = self.checker.running
        self.permit.decided(None if running is None else running.source_digest)

    @property
    def _running(self) -> tuple[Instance, ...]:
        current = self._serving.current
        return () if current is None else current.instances

    def _build(self, loaded: Loaded[C]) -> Built | Conclusion:
        running = self._running
        self._tell_ended()
        try:
            home = self._desk.home
            build = partial(self._builder.build, loaded, running, home)
            return timed("build", build, self.report.phases, self._clock)()
        except WaitForDrainError as wait:
            if self._turning.let_close(wait.wanted, wait.may_build):
                return self._build(loaded)
            return self._wait_for_drain(wait.resource)
        except ConfigError as error:
            forget_frames(error)  # they hold values, and listeners get the error
            self._failed_in = home = self._desk.home
            if self._needs_loop and home is not None and home.is_closed():
                self.report.defer(error)  # the loop ended meanwhile, and the next one builds it
                return Conclusion(Outcome.DEFERRED, error)
            if self._failure is None or not isinstance(error, StillRunningError):
                self._failure = error  # else what made it hang says more
            if isinstance(error, ResourceError):
                failed = self.failed_builds.get(error.resource, 0)
                self.failed_builds[error.resource] = failed + 1
            self.look_at = self._back_off.fail(self._clock.monotonic())
            self.report.complain(self._failure)
            return Conclusion(Outcome.REJECTED, self._failure)

    def _wait_for_drain(self, resource: str) -> Conclusion:
        self._turning.awaited = self._turning.drain.closing.closed
        reason = f"resource {resource!r} has two instances; the edit waits for the oldest to drain"
        self._failure = DrainError(Problem(reason))
        self.report.defer(self._failure)
        return Conclusion(Outcome.DEFERRED, self._failure)

    def _edited(self, resource: Resource[Any], loaded: Loaded[Any]) -> str:
        """Say what an edit changes of a resource's parts, with places; empty at the first load."""
        running, current = self.checker.running, self._serving.current
        if running is None or current is None:
            return ""
        told = changes_since(running, loaded, resource.paths)
        return f"; changed since version {current.snapshot.version}: {told}" if told else ""

    def _swap(self, loaded: Loaded[C], built: Built, version: int) -> Snapshot[C]:
        live_snapshot = self._live(loaded, built, version)
        self._serving.swap(live_snapshot)
        self._forget_failure()
        return live_snapshot.snapshot

    def _live(self, loaded: Loaded[C], built: Built, version: int) -> LiveSnapshot[C]:
        """Return a snapshot of what was built, which nobody is served yet."""
        resources = Resources({one.resource.name: one for one in built.instances})
        loaded_at = datetime.fromtimestamp(self._clock.wall(), UTC)
        snapshot = Snapshot(
            loaded.config, version, loaded.digest, loaded_at, resources, self._owner
        )
        home = self._desk.home if self._needs_loop else None
        live_snapshot = LiveSnapshot(snapshot, built.instances, home, self._turning.settled)
        for name in built.names:
            self.builds[name] = self.builds.get(name, 0) + 1
            self.built_for[name] = version
        self._desk.built_in = home
        return live_snapshot

    def _unsettled(self, error: SourceError | None) -> ConfigError | None:
        """Say what is wrong while a file is not quiet: what was before, or that it never is."""
        now = self._clock.monotonic()
        self._unsettled_since = min(self._unsettled_since, now)
        if now - self._unsettled_since < self._options.patience:
            return error or self._standing
        names = ", ".join(self.checker.moving) or None
        reason = f"keeps changing: it is read once it has been quiet for {self._options.settle:g} s"
        restless = UnsettledError(Problem(reason, names))
        self.report.complain(restless)
        return restless

    def _forget_failure(self) -> None:
        self._back_off.reset()
        self._failure, self._standing, self._turning.awaited = None, None, None
        self.report.forget()

    def _changes(self, loaded: Loaded[C]) -> Diff:
        running = self.checker.running
        if running is None:
            return Diff()
        return self._turning.load(lambda: diff(running.tree, loaded.tree, nap))

    # -------------------------------------------------------------------- event loops

    def _move_home(self) -> Conclusion | None:
        """Build the async resources anew in the home loop, if they are not there; same version."""
        current, loaded, loop = self._serving.current, self.checker.running, self._desk.home
        if not self._needs_loop or loop is None or self._desk.built_in is loop:
            return None
        if current is None or loaded is None:
            return None
        if self._failed_in is not loop:
            self._back_off.hurry()  # what failed in a loop that ended may work in this one
        if self._clock.monotonic() < self._back_off.retry_at:
            return Conclusion(Outcome.DEFERRED, self._failure)
        for instance in current.instances:
            if instance.home is not None and instance.home is not loop:
                self._drop(instance)
        built = self._build(loaded)
        if isinstance(built, Conclusion):
            return built
        self._swap(loaded, built, current.snapshot.version)
        return Conclusion(Outcome.UNCHANGED)

    def _gone(self, instance: Instance) -> None:
        """Called in the home loop's thread when an async resource's task has ended."""

        def gone() -> None:
            error = instance.take_error()
            if not instance.closed and instance in self._turning.inventory.instances:
                if error is not None:
                    self._ended[instance.resource.name] = (instance.home, error)
                self._drop(instance)
                self._desk.built_in = None
                self._serving.withdraw()

        self._desk.post(gone)

    def _tell_ended(self) -> None:
        """Say why resources are built anew that ended by themselves, not with their event loop."""
        ended, self._ended = self._ended, {}
        for name, (home, error) in ended.items():
            if home is self._desk.home and home is not None and not home.is_closed():
                log(
                    logging.WARNING,
                    "resource %s ended by itself with %s and is built anew",
                    name,
                    causes(error, self._hidden.mask()),
                    code=str(Code.RESOURCE),
                )

    def _drop(self, instance: Instance) -> None:
        instance.dropped = True
        self._turning.inventory.remove(instance)

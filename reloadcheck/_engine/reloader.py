"""From a verdict on the sources to what serves: build, swap, hold the last good, or go back.

One check at a time, in the engine thread. Everything before the swap may fail and leaves nothing
behind but its record; the swap cannot fail.

Long because whatever may change what serves is one after another here: an edit, a resource that is
due, an event loop that ended, the way back.
"""

import math
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, TypeVar

from .._config.diff import diff
from .._resources.build import Built, WaitForDrainError
from .._resources.registry import Registry, Resource
from .._runtime.pause import nap
from .._schema.schema import Schema
from .._snapshots.snapshot import Snapshot
from .._snapshots.tenancy import LiveSnapshot
from ..exceptions import (
    ConfigError,
    DrainError,
    SourceError,
    StillRunningError,
    UnsettledError,
)
from ..seams.feed import Loaded
from ..types import TIMER, Diff, KeyPath, Outcome, Problem, Trigger
from .between_checks import Course
from .checker import Bad, Checker, Good, Same, Settling, Unusable
from .gates import Seams
from .loading import forget_frames
from .new_snapshot import Making
from .permission import Permission, pending
from .probes import Probes
from .renewal import Renewal
from .reporter import Report
from .scheduler import Scheduler
from .waiter import Conclusion

C = TypeVar("C")


class Reload(Generic[C]):
    """What one engine knows about its configuration; `owner` is what snapshots name as it.

    `forgets` is set by whoever wants judged anew, at the next check, what was refused before.
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
        self._course = Course()
        self._scheduler = scheduler
        self._admission = scheduler.admission
        self._serving = scheduler.serving
        self._options = scheduler.options
        self._clock = scheduler.clock
        self.making: Making[C] = Making(
            scheduler, self.checker, registry, owner, versions, seams.edition
        )
        self.renewal = Renewal(self._probe, self._poke)
        self.way_back = self._course.way_back
        self._kept: tuple[KeyPath, ...] = ()
        self.forgets = False
        self.permission: Permission[C] = Permission(
            scheduler, seams, self.checker, self.making, self.report, self._course, self
        )

    @property
    def look_at(self) -> float | None:
        """Return when to look without being asked, in monotonic seconds."""
        return self._course.look_at

    @look_at.setter
    def look_at(self, at: float | None) -> None:
        self._course.look_at = at

    def check(self, *, eager: bool, trigger: Trigger = TIMER) -> Conclusion:
        """Look, and do what there is to do. `eager`: try again at once what had failed."""
        conclusion = self._checked(eager, trigger)
        self.permission.look_on()
        renewal_at = self.renewal.next()
        if renewal_at is not None:
            self.look_at = min(self.look_at or math.inf, renewal_at)
        return conclusion

    def _checked(self, eager: bool, trigger: Trigger) -> Conclusion:
        self._course.look_at = None
        phases = self._scheduler.phases = self.report.begin(trigger)
        self.checker.tell_steps(phases)
        if eager:
            self._course.back_off.hurry()
        if self.forgets:
            self.forgets = False
            self._course.back_off.reset()
            self.checker.forget_refusal()
        if self._serving.current is not None:
            moved = self._move_home()
            if moved is not None and moved.outcome is not Outcome.UNCHANGED:
                return moved
            renewed = self._renew()
            if renewed is not None:
                return renewed
            if not self._options.enabled:
                return self._unchanged()
        watched = self.permission.watch()
        if watched is not None:
            return watched
        if self.way_back.is_wanted and (gone_back := self._go_back()) is not None:
            return gone_back
        shut = self.permission.open()
        if shut is not None:
            return shut
        verdict = self.checker.look()
        if not isinstance(verdict, Settling):
            self._course.unsettled_since = math.inf
        match verdict:
            case Settling(error):
                self._course.look_at = self._look_again()
                return Conclusion(Outcome.DEFERRED, self._unsettled(error), settling=True)
            case Unusable(error):
                self._course.standing = error
                self.report.complain(error)
                return Conclusion(Outcome.DEFERRED, error)
            case Bad(error, new, outcome):
                self.permission.abandon()
                self._course.standing = error
                if outcome is Outcome.REJECTED:  # what was undone was told when it was
                    self.report.complain(error, again=new)
                return Conclusion(outcome, error)
            case Same():
                self.permission.abandon()
                return self._unchanged()
            case Good(loaded, new):
                return self._adopt(loaded, new)

    def _look_again(self) -> float:
        """Say when an unsettled file is looked at again, so that P2 holds for any window."""
        now, quiet_at = self._clock.monotonic(), self.checker.quiet_at
        at = now + self._admission.freshness.look_after(self._options.settle)
        return min(at, quiet_at) if quiet_at > now else at

    def _adopt(self, loaded: Loaded[C], new: bool) -> Conclusion:
        self._course.standing = None
        if new:
            self.permission.give_up()  # the watch too: two instances, never three
            self._course.back_off.reset()
            self._course.failure = None
            self.report.forget()
        if self._clock.monotonic() < self._course.back_off.retry_at:
            self._course.look_at = self._course.back_off.retry_at
            return Conclusion(Outcome.DEFERRED, self._course.failure)
        prepared = self.permission.prepared(loaded)
        if isinstance(prepared, Conclusion):
            return prepared
        before = self.checker.running
        first = before is None
        loaded, changes, built = prepared.loaded, prepared.changes, prepared.built
        self.permission.permit.prepared = None
        self.permission.permit.decided(loaded.source_digest)
        current, read = self._serving.current, self.checker.running_read
        if current is None or read is None:
            self.way_back.forget()
        else:
            self.way_back.remember(read, self._kept, current.snapshot.version)
        kept_before = self._kept
        self._kept = () if loaded is prepared.read else self.permission.kept
        self.checker.adopt(loaded)
        tried = self.permission.trying.candidate
        if tried is None:
            snapshot = self._swap(self.making.snapshot(loaded, built))
        else:
            snapshot = tried.snapshot
            self.permission.trying.promote(before, self.permission.verdict)
            self.forget_failure()
        self.permission.serves(prepared.read, loaded)
        newest = self.checker.newest_ns
        leave, why = self.permission.permit.leave, self.permission.verdict.reason
        self.report.announce(
            snapshot, changes, built.names, first=first, newest_ns=newest, leave=leave, why=why
        )
        if self._kept not in ((), kept_before):
            self.report.pend_rest(pending(self._kept, prepared.read.layers))
        self._course.look_at = self._clock.monotonic()  # what changed meanwhile gets one more pass
        return Conclusion(Outcome.RELOADED)

    def _go_back(self) -> Conclusion | None:
        """Serve what served before the present version, whose content is refused from now on."""
        current, bad, earlier = self._serving.current, self.checker.running, self.way_back.earlier
        if current is None or bad is None or earlier is None:
            return None
        self.permission.give_up()
        read, kept, version = earlier
        try:
            loaded = self.checker.load_again(read, kept)
        except ConfigError as failed:
            self.way_back.forget()
            return Conclusion(Outcome.REJECTED, failed)
        built = self.build(loaded, is_edit=False)
        if isinstance(built, Conclusion):
            self.way_back.is_wanted = built.outcome is Outcome.DEFERRED
            return built
        self._swap(self.making.snapshot(loaded, built, version))
        self.checker.adopt(loaded)
        error = self.way_back.error(current.snapshot.version, version)
        self._kept = kept
        self.way_back.forget()
        self.permission.taken_back(error, bad)
        return Conclusion(Outcome.UNDONE, error)

    def _swap(self, live_snapshot: LiveSnapshot[C]) -> Snapshot[C]:
        self._serving.swap(live_snapshot)
        self.forget_failure()
        return live_snapshot.snapshot

    def build(self, loaded: Loaded[C], *, is_edit: bool = True) -> Built | Conclusion:
        """Let it be built, or say what came in between."""
        try:
            tell = partial(self._tell_drain, is_edit=is_edit)
            return self.making.build(loaded, self.report.phases, tell)
        except WaitForDrainError as wait:
            return self._wait_for_drain(wait.wanted, is_edit=is_edit)
        except ConfigError as error:
            forget_frames(error)  # they hold values, and listeners get the error
            self._course.failed_in = home = self._admission.home
            if self.making.needs_loop and home is not None and home.is_closed():
                # the loop ended meanwhile, and the next one builds it
                self.report.defer(error, is_edit=is_edit)
                return Conclusion(Outcome.DEFERRED, error)
            if self._course.failure is None or not isinstance(error, StillRunningError):
                self._course.failure = error  # else what made it hang says more
            self._course.look_at = self._course.back_off.fail(self._clock.monotonic())
            self.report.complain(self._course.failure, is_edit=is_edit)
            return Conclusion(Outcome.REJECTED, self._course.failure)

    def _wait_for_drain(self, resource: Resource[Any], *, is_edit: bool) -> Conclusion:
        self._scheduler.awaited = self._scheduler.drain.closing.closed
        if not isinstance(self._course.failure, DrainError):  # else it was said, with who held on
            self._course.failure = DrainError(Problem(self._scheduler.drain.awaited(resource)))
        self.report.defer(self._course.failure, is_edit=is_edit)
        return Conclusion(Outcome.DEFERRED, self._course.failure)

    def _tell_drain(self, waits: str, *, is_edit: bool) -> None:
        """Say which old resource is to close before it can be built, while it waits."""
        if not isinstance(self._course.failure, DrainError):
            self.report.defer(DrainError(Problem(waits)), is_edit=is_edit)

    def _unsettled(self, error: SourceError | None) -> ConfigError | None:
        """Say what is wrong while a file is not quiet: what was before, or that it never is."""
        now = self._clock.monotonic()
        self._course.unsettled_since = min(self._course.unsettled_since, now)
        if now - self._course.unsettled_since < self._options.patience:
            return error or self._course.standing
        names = ", ".join(self.checker.moving) or None
        reason = f"keeps changing: it is read once it has been quiet for {self._options.settle:g} s"
        restless = UnsettledError(Problem(reason, names))
        self.report.complain(restless)
        return restless

    def forget_failure(self) -> None:
        """Take note that nothing is wrong any more."""
        self._course.back_off.reset()
        self._course.failure, self._course.standing, self._scheduler.awaited = None, None, None
        self.report.forget()

    def changes(self, loaded: Loaded[C]) -> Diff:
        """Return what an edit changes of what is running."""
        running = self.checker.running
        if running is None:
            return Diff()
        return self._scheduler.load(lambda: diff(running.tree, loaded.tree, nap))

    # ------------------------------------------------------------------------ renewal

    def _renew(self) -> Conclusion | None:
        """Build anew what is due without an edit, under the same version.

        None where nothing is, or where it cannot be built now: then the sources are looked at all
        the same, for an edit may be what mends it.
        """
        current, loaded, now = self._serving.current, self.checker.running, self._clock.monotonic()
        if current is None or loaded is None or self._serving.candidate is not None:
            return None
        check = self._scheduler.admission.begun
        stale = self.renewal.mark(current.instances, now, check)
        if not stale:
            return None
        if now < self._course.back_off.retry_at:
            self.look_at = self._course.back_off.retry_at
            return None
        self.permission.trying.settle()  # what is watched has an instance of its own, too
        built = self.build(loaded, is_edit=False)
        if isinstance(built, Conclusion):
            return None
        self._swap(self.making.snapshot(loaded, built, current.snapshot.version))
        self.renewal.mark(built.instances, now, check)
        self.report.rebuilt(built.names, {one.resource.name: one.stale or "" for one in stale})
        self.look_at = now  # the sources have not been looked at
        return Conclusion(Outcome.REBUILT)

    def _unchanged(self) -> Conclusion:
        """Conclude that there is no edit; what cannot be built anew is still told."""
        current, failure = self._serving.current, self._course.failure
        if current is not None and any(one.stale is not None for one in current.instances):
            outcome = Outcome.DEFERRED if isinstance(failure, SourceError) else Outcome.REJECTED
            return Conclusion(outcome, failure, is_edit=False)
        self.report.heal()
        self.forget_failure()
        return Conclusion(Outcome.UNCHANGED)

    def _probe(self, names: frozenset[str]) -> "Future[Probes]":
        answer = self._scheduler.probing.asked()
        self._scheduler.probing.begin(self._serving.current, answer, names)
        return answer

    def _poke(self) -> None:
        self.look_at = self._clock.monotonic()

    # -------------------------------------------------------------------- event loops

    def _move_home(self) -> Conclusion | None:
        """Build the async resources anew in the home loop, if they are not there; same version."""
        current, loaded, loop = self._serving.current, self.checker.running, self._admission.home
        if not self.making.needs_loop or loop is None or self._admission.built_in is loop:
            return None
        if current is None or loaded is None:
            return None
        if self._course.failed_in is not loop:
            self._course.back_off.hurry()  # what failed in a loop that ended may work in this one
        if self._clock.monotonic() < self._course.back_off.retry_at:
            return Conclusion(Outcome.DEFERRED, self._course.failure)
        self.permission.give_up()  # what is tried or watched lives in the loop that ended
        self.making.drop_elsewhere(loop)
        built = self.build(loaded)
        if isinstance(built, Conclusion):
            return built
        self._swap(self.making.snapshot(loaded, built, current.snapshot.version))
        return Conclusion(Outcome.UNCHANGED)

"""Carry out what the gates answer: reject, hold back, put off, keep keys, share, take back.

Asking them is `gates`', remembering what they said `gate_answers`'. Between a good configuration
and the swap: before the build, after the probes, while a version is tried and while the one before
is kept ready. Decides nothing itself, and never swaps.

Long because each answer at each of these points is carried out here, and nowhere else.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Generic, Protocol, TypeVar

from .._load.problems import located
from .._resources.build import Built
from .._runtime.clock import Clock
from .._runtime.jobs import OverdueError
from .._snapshots.serving import Serving
from .._snapshots.tenancy import LiveSnapshot
from ..exceptions import ConfigError, HangingError, RefusedError
from ..seams.feed import Loaded
from ..seams.gates import GO, Defer, Go, Keep, Proposal, Reject, Share, Wait
from ..types import Code, Diff, KeyPath, Layer, Outcome, Problem, key_path_text
from .between_checks import Course
from .candidate import Trying
from .checker import Checker
from .gate_answers import Permit, Prepared, look_after
from .gates import Gates, Seams, refused
from .new_snapshot import Making
from .rehearsal_stage import StageOf
from .reporter import Report
from .scheduler import Scheduler
from .waiter import Conclusion

C = TypeVar("C")

GATES_SECONDS: Final = 10.0
"""Seconds between two looks at what the gates have read, a contract for example."""

REMEMBERED: Final = 100
"""Digests of what served in this process that are remembered."""

NEEDS_RESTART: Final = "needs a restart; the running value serves until then"

SUPERSEDED: Final = Wait("superseded", "the sources hold something else now")


class Steps(Protocol[C]):
    """What has an edit compared and built."""

    def changes(self, loaded: Loaded[C]) -> Diff:
        """Return what an edit changes of what is running."""
        ...

    def build(self, loaded: Loaded[C]) -> Built | Conclusion:
        """Let it built, or say what came in between."""
        ...

    def forget_failure(self) -> None:
        """Take note that nothing is wrong any more."""
        ...


class Permission(Generic[C]):
    """The way of edits past the gates of one engine. `permit` is what they have said."""

    def __init__(
        self,
        scheduler: Scheduler[C],
        seams: Seams,
        checker: Checker[C],
        making: Making[C],
        report: Report,
        course: Course,
        steps: Steps[C],
    ) -> None:
        self.permit: Permit[C] = Permit()
        self.trying: Trying[C] = Trying(scheduler.serving, self._poke)
        self.verdict = GO
        self.kept: tuple[KeyPath, ...] = ()
        self._watched_until = 0.0
        self._held_back: Loaded[C] | None = None
        self._served: deque[str] = deque(maxlen=REMEMBERED)
        self._gates = Gates(seams.gates, scheduler)
        self._hide: Callable[[frozenset[str]], None] = seams.hide
        self._open, self._gates_at = False, -math.inf
        self._post = scheduler.admission.post
        self._admission, self._send = scheduler.admission, seams.send
        self._serving: Serving[C] = scheduler.serving
        self._clock: Clock = scheduler.clock
        self._checker, self._making, self._report = checker, making, report
        self._course, self._steps = course, steps

    def _poke(self) -> None:
        """Let the gates asked at once; called in any thread."""

        def poked() -> None:
            self._course.look_at = self._clock.monotonic()

        self._post(poked)

    def look_on(self) -> None:
        """See to it that a watch goes on, whatever the check came to."""
        if self.trying.is_watching:
            self._course.look_at = min(self._course.look_at or math.inf, self._watched_until)

    def open(self) -> Conclusion | None:
        """Let the gates read what is theirs once, then see now and then whether it changed."""
        now = self._clock.monotonic()
        if not self._gates or now < self._gates_at:
            return None
        if self._open:
            with suppress(OverdueError):  # the reader hangs, which the check tells
                self.permit.of_gates = self._gates.pending()
        else:
            try:
                names = self._gates.open()
                self._hide(names)
                self._making.hidden.add(names)
            except ConfigError as error:
                self._course.standing = error
                self._report.complain(error)
                return Conclusion(Outcome.REJECTED, error)
            except OverdueError:  # nothing goes live that a gate has not been asked about
                hanging = HangingError(Problem("reading has not returned; is its disk hanging?"))
                return Conclusion(Outcome.DEFERRED, hanging)
            self._open = True
        self._gates_at = now + GATES_SECONDS
        return None

    def watch(self) -> Conclusion | None:
        """Ask first about what is tried, or was promoted while the one before is kept ready."""
        proposal = self.trying.proposal
        if proposal is None:
            return None
        if self.trying.candidate is not None:
            answer = self._gates.now(proposal, is_tried=True)
            return self._undo(answer, proposal.new) if isinstance(answer, Reject) else None
        match self._gates.after(proposal):
            case Reject() as answer:
                return self._undo(answer, proposal.new)
            case Wait() as answer:
                self._watched_until = self._clock.monotonic() + answer.look
            case _:
                self.trying.settle()
        return None

    def prepared(self, read: Loaded[C]) -> Prepared[C] | Conclusion:
        """Build what the gates allow, or say what the edit came to instead."""
        prepared = self.permit.prepared
        if prepared is None or prepared.read is not read or not prepared.is_whole:
            self.permit.let_go()
            loaded = self._allowed(read)
            if isinstance(loaded, Conclusion):
                return loaded
            # The differences first, so that nothing can fail between build and swap.
            changes = self._steps.changes(loaded)
            built = self._steps.build(loaded)
            if isinstance(built, Conclusion):
                return built
            prepared = self.permit.prepared = Prepared(read, loaded, changes, built)
        if not self._gates:
            return prepared
        if not prepared.is_rehearsed:
            refused_by = self._rehearse(prepared)
            if refused_by is not None:
                return refused_by
            prepared = self.permit.prepared = replace(prepared, is_rehearsed=True)
        proposal = self._proposal(prepared.loaded, prepared.changes, prepared.built.names)
        leave = self.permit.leave
        if leave is not None:
            proposal = replace(
                proposal,
                overridden=leave.is_override,
                actor=leave.actor,
                reason=leave.reason,
            )
        proposal = replace(proposal, phases=tuple(self._report.phases))
        match self._gates.now(proposal, is_tried=self.trying.candidate is not None):
            case Reject() as answer:
                if self.trying.candidate is not None:
                    return self._undo(answer, read)
                self.permit.let_go()
                return self._refuse(answer, read)
            case Wait() as answer:
                tried = self.trying.candidate is not None
                if tried:
                    self._end_trial(answer)
                return self._hold_back(answer, read, is_told=tried)
            case Defer() as answer:
                return self._put_off(answer)
            case Share() as answer:
                return self._try(prepared, answer, proposal)
            case Go() as answer:
                self.verdict = answer
                return prepared
            case Keep():
                return prepared

    def _rehearse(self, prepared: Prepared[C]) -> Conclusion | None:
        """Let the edit be tried by the application itself; return what it came to if not good."""
        current = self._serving.current
        if current is None or not self._gates.rehearse_something:
            return None
        proposal = self._proposal(prepared.loaded, prepared.changes, prepared.built.names)
        staged = self._making.rehearsed(prepared.loaded, prepared.built, proposal.versions[0])
        self._serving.stage(staged)
        try:
            answer = self._gates.rehearse(proposal, self._stage(staged), self._stage(current))
        finally:
            self._serving.unstage()
        match answer:
            case Reject():
                self.permit.let_go()
                return self._refuse(answer, prepared.read)
            case Wait():
                return self._hold_back(answer, prepared.read)
            case Go() if answer.remarks:
                self.permit.remarks = (*self.permit.remarks, *answer.remarks)
            case _:
                pass
        return None

    def _stage(self, live_snapshot: LiveSnapshot[C]) -> StageOf:
        return StageOf(live_snapshot, self._admission.home, self._send())

    def _allowed(self, read: Loaded[C]) -> Loaded[C] | Conclusion:
        """Ask whether the edit may go on; return what of it may."""
        if not self._gates:
            return read
        proposal = self._proposal(read, self._steps.changes(read), self._making.plan(read))
        again = self._held_back is read
        answer = self._gates.may(replace(proposal, again=again))
        if again and not isinstance(answer, Wait | Defer):
            answer = self._gates.may(proposal)  # what is taken up is judged anew
        self._held_back = read if isinstance(answer, Wait | Defer) else None
        match answer:
            case Reject() as answer:
                return self._refuse(answer, read)
            case Wait() as answer:
                return self._hold_back(answer, read)
            case Defer() as answer:
                return self._put_off(answer)
            case Keep() as answer:
                self.permit.let_through(answer)
                return self._kept(read, answer.paths, answer.values)
            case Go() as answer:
                self.permit.let_through(answer)
                return read
            case _:
                return read

    def _kept(
        self, read: Loaded[C], paths: tuple[KeyPath, ...], values: Mapping[str, Any] | None
    ) -> Loaded[C] | Conclusion:
        """Let the edit through but for what waits for a restart."""
        try:
            loaded = self._checker.keep(read, paths, values)
        except ConfigError as error:
            self._checker.refuse(error)
            self._course.standing = error
            self._report.complain(error, again=True)
            return Conclusion(Outcome.REJECTED, error)
        self.kept = paths
        news = not self.permit.is_pending_in(read.source_digest)
        self.permit.keep(read.source_digest, paths)
        running = self._checker.running
        if running is None or loaded.config is not running.config:
            return loaded
        self._checker.adopt(loaded)
        self._steps.forget_failure()
        if news:
            self._report.pend(pending(paths, read.layers))
        return Conclusion(Outcome.UNCHANGED)

    def _refuse(self, answer: Reject, read: Loaded[C]) -> Conclusion:
        """Reject the edit until the sources hold something else."""
        self.permit.decided()
        error = located(refused(answer), read.layers)
        if answer.code == Code.INTERNAL:  # the gate failed, and may not the next time
            self._course.failure = error
            self._course.look_at = self._course.back_off.fail(self._clock.monotonic())
        else:
            self._checker.refuse(error, outcome=answer.outcome)
        self._course.standing = error
        self._report.complain(error, again=True, outcome=answer.outcome)
        return Conclusion(answer.outcome, error)

    def _hold_back(self, answer: Wait, read: Loaded[C], *, is_told: bool = False) -> Conclusion:
        """Hold back an edit that is good and not yet allowed; ask again when it may be."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        news = self.permit.wait(answer, read, wall) and not is_told
        problems = [Problem(answer.why, key_path=path) for path in answer.keys[:1] or ((),)]
        error = located(RefusedError(*problems, code=answer.code), read.layers)
        if news:
            self._report.wait(error)
        self._course.look_at = now + look_after(answer, wall)
        return Conclusion(Outcome.WAITING, error)

    def _put_off(self, answer: Defer) -> Conclusion:
        """Put an edit off for what is no fault of it."""
        self.permit.decided()
        if answer.drop or answer.again:
            self.permit.let_go()
        self._course.look_at = self._clock.monotonic() + (0.0 if answer.again else answer.look)
        if answer.again:
            return Conclusion(Outcome.DEFERRED, settling=True)
        error = RefusedError(Problem(answer.why), code=answer.code)
        self._course.failure = error
        self._report.defer(error)
        return Conclusion(Outcome.DEFERRED, error)

    def _try(self, prepared: Prepared[C], answer: Share, proposal: Proposal) -> Conclusion:
        """Serve the edit to some units of work; ask again soon."""
        candidate = self.trying.candidate
        first = candidate is None
        if candidate is None:
            candidate = self._making.snapshot(prepared.loaded, prepared.built)
        versions = candidate.snapshot.version, proposal.versions[1]
        self.trying.give(candidate, answer, replace(proposal, versions=versions))
        if first:
            self.permit.decided()
            self._report.attempt(candidate.snapshot, prepared.changes)
        self._course.look_at = self._clock.monotonic() + answer.look
        return Conclusion(Outcome.TRYING)

    def _undo(self, answer: Reject, read: Loaded[C]) -> Conclusion:
        """Take back what was tried or watched; its content is refused from now on."""
        _, before = self.trying.undo()
        if before is not None:
            self._checker.adopt(before)
            self._course.way_back.forget()
        self.permit.prepared = None
        self.permit.decided()
        error = refused(answer)
        self.taken_back(error, read)
        return Conclusion(Outcome.UNDONE, error)

    def taken_back(self, error: ConfigError, read: Loaded[C]) -> None:
        """Refuse what was taken back until the sources hold something else, and tell of it."""
        self._forget(read.digest)
        self._gates.taken_back(read)
        self._checker.refuse(error, read, Outcome.UNDONE)
        self._course.standing = error
        self._report.undone(error, read.source_digest)

    def _end_trial(self, answer: Wait) -> None:
        """End a trial without a verdict: another edit came, or everything is in trouble."""
        proposal = self.trying.proposal
        number, _ = self.trying.undo()
        self.permit.prepared = None
        if proposal is not None:
            self._report.withdrawn(number, answer, proposal.new.source_digest)

    def abandon(self) -> None:
        """Abandon an edit that waits or is tried: there is another one, or none any more."""
        waiting = self.permit.waiting
        self._held_back = None
        if self.trying.candidate is not None:
            self._end_trial(SUPERSEDED)
        elif waiting is not None and waiting.why != Code.WAITING:  # of which nothing was told
            self._report.superseded(SUPERSEDED.why, self.permit.waits_in)
        self.permit.let_go()
        running = self._checker.running
        self.permit.decided(None if running is None else running.source_digest)

    def give_up(self) -> None:
        """Abandon whatever waits, is tried or is watched."""
        self.abandon()
        self.trying.settle()

    def serves(self, *loaded: Loaded[C]) -> None:
        """Take note of what serves, as it was read and as it went live."""
        for digest in dict.fromkeys(one.digest for one in loaded):
            self._forget(digest)
            self._served.append(digest)

    def _forget(self, digest: str) -> None:
        with suppress(ValueError):
            self._served.remove(digest)

    def _proposal(self, loaded: Loaded[C], changes: Diff, plan: tuple[str, ...]) -> Proposal:
        running, trigger = self._checker.running, self._report.trigger
        current = self._serving.current
        number = 0 if current is None else current.snapshot.version
        tried = self.trying.candidate
        ahead = number + 1 if tried is None else tried.snapshot.version
        wall, versions = self._clock.wall(), (ahead, number)
        is_back = loaded.digest in self._served or self._gates.served(loaded)
        return Proposal(running, loaded, changes, plan, trigger, wall, versions, is_back=is_back)


def pending(paths: Sequence[KeyPath], layers: Sequence[Layer]) -> ConfigError:
    """Return, as it is told, that keys keep their running value until a restart."""
    ordered = sorted(set(paths), key=key_path_text)
    problems = [Problem(NEEDS_RESTART, key_path=path) for path in ordered]
    return located(RefusedError(*problems, code=Code.RESTART), layers)

"""Ask what serves whether it works: probes on demand, each beside whatever its resource is at.

Takes the current snapshot's leases, gives for each resource what its probe came to. Runs in the
engine thread and never blocks it; holds a lease meanwhile; rebuilds and closes nothing, and calls
no probe again while an earlier call that was asked for hangs.
"""

from collections.abc import Callable, Container, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .._config.mask import MASK
from .._observe.status import ProbeStatus
from .._resources.instance import Instance
from .._runtime.clock import Clock
from .._runtime.foreign import Mask, described
from .._runtime.jobs import Job
from .._runtime.loop_task import LoopGoneError
from .._snapshots.tenancy import LiveSnapshot, NamedLease
from ..types import ProbeOutcome

Probes: TypeAlias = Mapping[str, ProbeStatus]

LABEL = "live.status(probe=True)"
"""What the drain calls a round of probes that holds a snapshot."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A probe that was called; times are monotonic seconds."""

    instance: Instance
    job: Job[bool]
    cancel: Callable[[], None]
    config: object
    begun: float

    @property
    def deadline(self) -> float:
        return self.begun + self.instance.resource.timeout


@dataclass(slots=True)
class _Round:
    """All probes of one snapshot, asked for together. `waiting` have not come to anything yet."""

    live_snapshot: LiveSnapshot[Any]
    lease: NamedLease
    answer: "Future[Probes]"
    waiting: list[Instance]
    found: dict[str, ProbeStatus] = field(default_factory=dict[str, ProbeStatus])


class Probing:
    """The probes on demand of one engine. `on_done` is what a job calls when it is done.

    `mask_of` gives what hides the secrets of a configuration in what a probe says.
    """

    def __init__(self, clock: Clock, on_done: Callable[[], None]) -> None:
        self._clock = clock
        self._on_done = on_done
        self.mask_of: Callable[[object], Mask] = lambda config: lambda text: MASK
        self._calls: dict[str, _Call] = {}
        self._rounds: list[_Round] = []
        self._asked: set[Future[Probes]] = set()
        self._closed = False

    def asked(self) -> "Future[Probes]":
        """Return what will be answered; from any thread."""
        answer: Future[Probes] = Future()
        self._asked.add(answer)
        if self._closed:
            self._tell(answer, {})
        return answer

    def begin(
        self,
        live_snapshot: LiveSnapshot[Any] | None,
        answer: "Future[Probes]",
        only: Container[str] | None = None,
    ) -> None:
        """Probe what the snapshot holds, or `only` these; without one there is nothing to probe."""
        lease = NamedLease(LABEL)
        if self._closed or live_snapshot is None or not live_snapshot.enter(lease):
            self._tell(answer, {})
            return
        waiting = [
            one
            for one in live_snapshot.instances
            if one.resource.probe is not None and (only is None or one.resource.name in only)
        ]
        lease.reads += [one.hold for one in waiting]
        self._rounds.append(_Round(live_snapshot, lease, answer, waiting))

    def step(self) -> float | None:
        """Take note of what ended and of what is overdue; give the time to look again."""
        now = self._clock.monotonic()
        while self._note(now) or self._start(now):
            pass
        for current in [one for one in self._rounds if not one.waiting]:
            self._rounds.remove(current)
            current.lease.end()
            self._tell(current.answer, current.found)
        return min((c.deadline for c in self._calls.values() if not c.job.abandoned), default=None)

    def close(self) -> None:
        """Abandon what is under way and answer everybody, now and from now on."""
        self._closed = True
        for call in self._calls.values():
            if call.job.abandon():
                call.cancel()
        for current in self._rounds:
            current.lease.end()
        self._rounds.clear()
        for answer in list(self._asked):
            self._tell(answer, {})

    def _note(self, now: float) -> bool:
        """Report the rounds of calls that have come to something; return whether any has."""
        noted = False
        for name, call in list(self._calls.items()):
            found = None if call.job.abandoned else self._came_to(call, now)
            if found is not None:
                noted = True
                self._find(name, call.instance, found)
            if not call.job.running:
                del self._calls[name]
        return noted

    def _find(self, name: str, instance: Instance, found: ProbeStatus) -> None:
        for current in self._rounds:
            if instance in current.waiting:
                current.waiting.remove(instance)
                current.found[name] = found

    def _start(self, now: float) -> bool:
        """Call what nobody has called yet; say whether there was any.

        Rounds share a call of the same instance. While another version's is under way they wait for
        it to end, so that a probe that hangs has one call.
        """
        started = False
        for current in self._rounds:
            for instance in list(current.waiting):
                name = instance.resource.name
                call = self._calls.get(name)
                if call is None:
                    started = True
                    self._calls[name] = self._call(instance, current, now)
                elif call.job.abandoned:
                    error = f"a call of {now - call.begun:.0f} s ago has not returned yet"
                    self._find(name, instance, ProbeStatus(ProbeOutcome.RUNNING, error))
        return started

    def _call(self, instance: Instance, current: _Round, now: float) -> _Call:
        job, cancel = instance.probe_beside(self._on_done)
        return _Call(instance, job, cancel, current.live_snapshot.snapshot.config, now)

    def _came_to(self, call: _Call, now: float) -> ProbeStatus | None:
        job, timeout = call.job, call.instance.resource.timeout
        if not job.done and (now < call.deadline or not job.abandon()):
            return None
        seconds = now - call.begun
        if not job.done:
            call.cancel()
            reason = f"did not return within {timeout:g} s"
            return ProbeStatus(ProbeOutcome.TIMEOUT, reason, seconds)
        if isinstance(job.error, LoopGoneError):
            return ProbeStatus(ProbeOutcome.FAILED, "its event loop has ended", seconds)
        if job.error is not None:
            reason = f"raised {described(job.error, self.mask_of(call.config))}"
            return ProbeStatus(ProbeOutcome.FAILED, reason, seconds)
        if not job.result():
            return ProbeStatus(ProbeOutcome.FAILED, "returned False", seconds)
        return ProbeStatus(ProbeOutcome.PASSED, None, seconds)

    def _tell(self, answer: "Future[Probes]", found: Probes) -> None:
        self._asked.discard(answer)
        with suppress(InvalidStateError):  # whoever asked was cancelled, or the engine has ended
            answer.set_result(found)

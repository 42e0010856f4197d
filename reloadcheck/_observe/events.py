"""What is told about a reload: one frozen value for each swap and each rejection."""

from dataclasses import dataclass

from ..exceptions import ConfigError
from ..types import TIMER, Diff, Outcome, Phase, Trigger


@dataclass(frozen=True, slots=True)
class ReloadEvent:
    """One swap or one rejection, as listeners receive it; holds key paths, never values.

    `version` and `digest` are those of the snapshot that serves after the event. `error` is None
    for a swap; its `code` is the stable name of what went wrong. `phases` are the steps that ran.
    `at` is the wall-clock time of the event, in seconds since the epoch. `first` marks the load
    that an engine starts with. `pickup` is how many seconds passed from the newest time of the
    sources to the swap; None where there was none, or no time to count from. `actor` is who gave
    leave for the edit or broke the glass for it, `reason` why; None where nobody had to.
    `is_override`: the glass was broken. `edit` is the source digest of an edit that is over: taken
    back, or given up while it waited or was tried; None for everything else.
    """

    outcome: Outcome
    version: int | None
    digest: str | None
    diff: Diff
    built: tuple[str, ...] = ()
    error: ConfigError | None = None
    phases: tuple[Phase, ...] = ()
    at: float = 0.0
    trigger: Trigger = TIMER
    first: bool = False
    pickup: float | None = None
    actor: str | None = None
    reason: str | None = None
    is_override: bool = False
    edit: str | None = None

    @property
    def seconds(self) -> tuple[tuple[str, float], ...]:
        """Return each phase's name and how long it took."""
        return tuple((phase.name, phase.seconds) for phase in self.phases)

    @property
    def code(self) -> str | None:
        """Return the stable name of what went wrong; None for a swap."""
        return None if self.error is None else self.error.code

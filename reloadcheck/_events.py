"""What is told about a reload: one frozen value for each swap and each rejection."""

from dataclasses import dataclass

from ._diff import Diff
from .exceptions import ConfigError
from .types import Outcome


@dataclass(frozen=True, slots=True)
class ReloadEvent:
    """One swap or one rejection, as listeners receive it; holds key paths, never values.

    `version` and `digest` are those of the snapshot that serves after the event. `error` is None
    for a swap. `seconds` are the phases that ran and how long each took.
    """

    outcome: Outcome
    version: int | None
    digest: str | None
    diff: Diff
    built: tuple[str, ...] = ()
    error: ConfigError | None = None
    seconds: tuple[tuple[str, float], ...] = ()

"""A trial: an edit is served to a share of the units of work first, and taken back by itself."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..seams.repeats import Answered
    from .judge import Judge
    from .options import Trial

__all__ = ["Answered", "Judge", "Trial"]


def __getattr__(name: str) -> Any:
    """Load what is asked for, and nothing else."""
    if name == "Answered":
        from ..seams.repeats import Answered

        return Answered
    if name == "Judge":
        from .judge import Judge

        return Judge
    if name == "Trial":
        from .options import Trial

        return Trial
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

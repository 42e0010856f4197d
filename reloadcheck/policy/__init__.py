"""Who may change what, and when: rules in code, the contract, windows, approvals.

Nothing of it is imported unless it is asked for; it reaches an engine as a gate.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract import Contract

__all__ = ["Contract"]


def __getattr__(name: str) -> Any:
    """Load the contract when it is asked for."""
    if name == "Contract":
        from .contract import Contract

        return Contract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

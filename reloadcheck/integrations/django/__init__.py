"""Django: `RELOAD_CHECK` in the settings, one middleware, and an engine that all of a site shares.

Importing this imports no Django and starts nothing; `live` is made when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..._engine.api import ReloadCheck

    live: ReloadCheck[Any]
    """The site's engine, made of its settings."""

__all__ = ["live"]


def __getattr__(name: str) -> object:
    """Make the engine at its first use, so that settings need not be there before."""
    if name != "live":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .engine import site_engine

    return site_engine()

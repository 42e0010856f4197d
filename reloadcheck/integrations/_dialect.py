"""The dialect of the adapters: `config_of(live)` and `resource_of(db)`, to be called where needed.

What they give reads the unit of work that the code runs in, and says which line is missing where
there is none. FastAPI's are dependencies and Flask's are proxies, as those frameworks have it.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from .._engine.api import ReloadCheck, engine_of
from .._resources.registry import Resource
from .._snapshots.context import quoted, resource_here
from ..exceptions import OutsideWorkError

__all__ = ["config_getter", "config_here", "resource_getter"]

C = TypeVar("C")
T = TypeVar("T")


def config_here(live: ReloadCheck[C], line: str) -> C:
    """Return the configuration of the engine's unit of work that this code runs in.

    Raises `OutsideWorkError`, which names the `line` that is missing.
    """
    try:
        return live.current().config
    except OutsideWorkError:
        raise OutsideWorkError(f"no unit of work of this engine here: add {quoted(line)}") from None


def config_getter(live: ReloadCheck[C], line: str) -> Callable[[], C]:
    """Return what gives the configuration; refuse now what is no engine."""
    engine_of(live)  # or it would be the requests that fail
    return partial(config_here, live, line)


def resource_getter(resource: Resource[T], line: str) -> Callable[[], T]:
    """Return what gives a resource."""
    return partial(resource_here, resource, line)

"""FastAPI: typed dependencies, `Depends(config_of(live))`, and its middleware.

They read the snapshot of the request that they run in, take nothing from the request itself, and so
leave no trace in the OpenAPI document.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .._engine.api import ReloadCheck, engine_of
from .._resources.registry import Resource
from .._snapshots.context import resource_here
from ..asgi import ReloadCheckMiddleware
from ._dialect import config_here

__all__ = ["ReloadCheckMiddleware", "config_of", "resource_of"]

C = TypeVar("C")
T = TypeVar("T")

_LINE = "app.add_middleware(ReloadCheckMiddleware, live=live)"


def config_of(live: ReloadCheck[C]) -> Callable[[], Awaitable[C]]:
    """Depend on the configuration: `Annotated[Settings, Depends(config_of(live))]`.

    Equal for the same engine, so that `app.dependency_overrides[config_of(live)]` replaces it.
    """
    engine_of(live)  # or it would be the requests that fail
    return _ConfigOf(live)


def resource_of(resource: Resource[T]) -> Callable[[], Awaitable[T]]:
    """Depend on a resource by its handle: `Annotated[Pool, Depends(resource_of(db))]`.

    It is read in the event loop, so an async resource can be given to a sync endpoint too. Equal
    for the same handle.
    """
    return _ResourceOf(resource)


# Coroutine functions, because FastAPI runs plain ones in a thread of their own; values that compare
# equal, because it looks overrides and its cache up by the callable.


@dataclass(frozen=True, slots=True)
class _ConfigOf(Generic[C]):
    live: ReloadCheck[C]

    async def __call__(self) -> C:
        return config_here(self.live, _LINE)


@dataclass(frozen=True, slots=True)
class _ResourceOf(Generic[T]):
    resource: Resource[T]

    async def __call__(self) -> T:
        return resource_here(self.resource, _LINE)

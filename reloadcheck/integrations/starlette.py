"""Starlette: its middleware, the type of `request.state`, and getters; no dependencies.

There are getters too, for code that has no request in its hands.

``Starlette(middleware=[Middleware(ReloadCheckMiddleware, live=live)])`` is all there is to add: the
door composes with the application's own lifespan. Nothing here is at work in a request.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.datastructures import State

from .._engine.api import ReloadCheck
from .._resources.registry import Resource
from .._snapshots.snapshot import Snapshot
from ..asgi import ReloadCheckMiddleware
from ._dialect import config_getter, resource_getter

__all__ = ["LiveState", "ReloadCheckMiddleware", "config_of", "resource_of"]

C = TypeVar("C")
T = TypeVar("T")

_LINE = "middleware=[Middleware(ReloadCheckMiddleware, live=live)]"


class LiveState(State, Generic[C]):
    """What `request.state` holds, for type checkers: `request: Request[LiveState[Settings]]`.

    Starlette makes the state itself; a subclass names what the application's lifespan adds to it.
    """

    config: C
    snapshot: Snapshot[C]


def config_of(live: ReloadCheck[C]) -> Callable[[], C]:
    """Return what gives the configuration of the request, typed.

    `config = config_of(live)`, then `config().greeting` in whatever the request calls.
    """
    return config_getter(live, _LINE)


def resource_of(resource: Resource[T]) -> Callable[[], T]:
    """Return what gives a resource of the request, typed: `pool = resource_of(db)`, `pool()`."""
    return resource_getter(resource, _LINE)

"""Starlette: the ASGI door as its own middleware, and the type of the state that the door fills.

``Starlette(middleware=[Middleware(ReloadCheckMiddleware, live=live)])`` is all there is to add: the
door composes with the application's own lifespan. Nothing here is at work in a request.
"""

from typing import Generic, TypeVar

from starlette.datastructures import State

from .._snapshots.snapshot import Snapshot
from ..asgi import ReloadCheckMiddleware

__all__ = ["LiveState", "ReloadCheckMiddleware"]

C = TypeVar("C")


class LiveState(State, Generic[C]):
    """What `request.state` holds, for type checkers: `request: Request[LiveState[Settings]]`.

    Starlette makes the state itself; a subclass names what the application's lifespan adds to it.
    """

    config: C
    snapshot: Snapshot[C]

"""Django: `RELOAD_CHECK` in the settings, one middleware, and an engine that all of a site shares.

Importing this imports no Django and starts nothing; `live` is made when it is first asked for.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..._engine.api import ReloadCheck
from ..._resources.registry import Resource
from .._dialect import config_getter, resource_getter

C = TypeVar("C")
T = TypeVar("T")

if TYPE_CHECKING:
    live: ReloadCheck[Any]
    """The site's engine, made of its settings."""

__all__ = ["config_of", "live", "resource_of"]

_LINE = (
    "`'reloadcheck.integrations.django.middleware.ReloadCheckMiddleware'` first in MIDDLEWARE, "
    "outside of a request `with live.lease():`, and call it in a function, not while a module is "
    "imported"
)


def config_of(live: ReloadCheck[C]) -> Callable[[], C]:
    """Return what gives the configuration of the request, typed.

    `config = config_of(live)`, then `config().greeting` in whatever the request calls, forms and
    model methods among it.
    """
    return config_getter(live, _LINE)


def resource_of(resource: Resource[T]) -> Callable[[], T]:
    """Return what gives a resource of the request: `client = resource_of(api)`, `client()`."""
    return resource_getter(resource, _LINE)


def __getattr__(name: str) -> object:
    """Make the engine at its first use, so that settings need not be there before."""
    if name != "live":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .engine import site_engine

    return site_engine()

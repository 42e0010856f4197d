"""Flask: an extension that puts the WSGI door around an app, proxies, and `flask reloadcheck`.

In a request, and in the body that it streams, the proxies give the request's one snapshot. In an
app context outside of a request (a command, a shell) the context is the unit of work, from the
first look to its end.
"""

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Generic, TypeVar, cast

from werkzeug.local import LocalProxy

from .._engine.api import ReloadCheck, engine_of, set_options
from .._page.settings import PAGE_OPTIONS
from .._resources.registry import Resource
from .._snapshots.context import current_snapshot, resource_here
from .._snapshots.pair import raised
from .._snapshots.unit import lasts, unit_of_work
from ..exceptions import OutsideWorkError
from ..wsgi import ReloadCheckMiddleware
from ._extras import missing

try:
    from flask import Flask, current_app, g, got_request_exception, has_app_context
except ModuleNotFoundError as error:
    raise missing(error, "flask") from None
from ._flask_commands import commands

__all__ = ["FlaskReloadCheck", "config_of", "current_config", "resource_of"]

C = TypeVar("C")
T = TypeVar("T")

_LINE = "FlaskReloadCheck(live).init_app(app)"


class FlaskReloadCheck(Generic[C]):
    """The extension: `FlaskReloadCheck(live, app)`, or `init_app(app)` for each app of a factory.

    `app.config["RELOAD_CHECK_WINDOW"]` and the like override the options that `live` was given; the
    environment overrides both. `RELOAD_CHECK_STATUS_PATH` and `_TOKEN` are the door's.
    """

    def __init__(self, live: ReloadCheck[C], app: Flask | None = None) -> None:
        engine_of(live)  # which says what is no engine
        self.live = live
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Let each request of this app work on one snapshot; raise `OptionError` for bad options.

        An app may follow several engines: call this for each, with an extension of its own.
        """
        given = app.config.get_namespace("RELOAD_CHECK_")
        page = {name: given.pop(name, None) for name in PAGE_OPTIONS}
        set_options(self.live, given)
        engines: list[ReloadCheck[Any]] = app.extensions.setdefault("reloadcheck", [])
        if not engines:
            app.teardown_appcontext(_leave)
            app.cli.add_command(commands())
        if engine_of(self.live).trial is not None:
            got_request_exception.connect(_raised, app)
        if self.live not in engines:
            engines.append(self.live)
            app.wsgi_app = ReloadCheckMiddleware(app.wsgi_app, self.live, **page)  # type: ignore[method-assign]


def _read(look: Callable[[], T]) -> T:
    unit = unit_of_work.get()
    try:
        if unit is not None and lasts(unit):
            return look()
    except OutsideWorkError:  # of another engine
        pass
    free = has_app_context() and "_reloadcheck" not in g
    engines: list[ReloadCheck[Any]] = current_app.extensions.get("reloadcheck", []) if free else []
    if not engines:
        raise _outside()
    with ExitStack() as stack:
        for live in reversed(engines):  # the first is the innermost, as its door is
            stack.enter_context(live.lease())
        g._reloadcheck = stack.pop_all()
    try:
        return look()
    except OutsideWorkError:
        raise _outside() from None


def _outside() -> OutsideWorkError:
    return OutsideWorkError(
        f"no unit of work here: add `{_LINE}`, and outside of a request `with app.app_context():`"
    )


def config_of(live: ReloadCheck[C]) -> C:
    """Return a proxy for the configuration of the unit of work: `config = config_of(live)`."""
    return cast("C", LocalProxy(partial(_read, lambda: live.current().config)))


def resource_of(resource: Resource[T]) -> T:
    """Return a proxy for a resource of the unit of work, typed: `pool = resource_of(db)`."""
    return cast("T", LocalProxy(partial(_read, partial(resource_here, resource, _LINE))))


current_config: Any = LocalProxy(partial(_read, lambda: current_snapshot().config))
"""The configuration of the unit of work, whichever engine is innermost; untyped."""


def _raised(_: Flask, exception: BaseException, **__: object) -> None:
    """Let a trial know what Flask makes a 500 of."""
    raised(exception)


def _leave(_: BaseException | None) -> None:
    g.pop("_reloadcheck", ExitStack()).close()


def __getattr__(name: str) -> object:
    """Return what had another name, for one release."""
    if name != "resource":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    said = f"{__name__}.resource is called resource_of now, as in the other adapters"
    warnings.warn(said, DeprecationWarning, stacklevel=2)
    return resource_of

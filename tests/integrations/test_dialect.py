"""The adapters speak one dialect; what they offer is pinned here."""

import asyncio
import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import pytest

from reloadcheck import FrozenDict, OutsideWorkError, ReloadCheck, Resource, UsageError
from reloadcheck.integrations import celery, django, fastapi, starlette

from .conftest import Make
from .pools import Pool, pool_of

ADAPTERS = {
    "starlette": ["LiveState", "ReloadCheckMiddleware", "config_of", "resource_of"],
    "fastapi": ["ReloadCheckMiddleware", "config_of", "resource_of"],
    "flask": ["FlaskReloadCheck", "config_of", "current_config", "resource_of"],
    "django": ["config_of", "live", "resource_of"],
    "celery": ["CeleryReloadCheck", "config_of", "resource_of"],
}
OTHERS = {
    "django.asgi": ["WithLifespan", "get_asgi_application"],
    "django.middleware": ["LiveRequest", "ReloadCheckMiddleware"],
    "opentelemetry": ["VersionOnSpan", "WSGIVersionOnSpan", "instrument"],
    "prometheus": ["instrument"],
}
GETTERS: dict[str, Any] = {"starlette": starlette, "django": django, "celery": celery}


def adapter(name: str) -> Any:
    """Import the adapter of that name."""
    return import_module(f"reloadcheck.integrations.{name}")


@pytest.mark.parametrize(("name", "public"), (ADAPTERS | OTHERS).items())
def test_what_an_adapter_offers_is_this(name: str, public: list[str]) -> None:
    """A name that comes or goes is seen here first, and needs its line in the changelog."""
    assert public == sorted(adapter(name).__all__)


@pytest.mark.parametrize("name", ADAPTERS)
def test_they_all_take_the_same(name: str) -> None:
    """`config_of(live)` and `resource_of(resource)`, wherever one comes from."""
    module = adapter(name)
    assert list(inspect.signature(module.config_of).parameters) == ["live"]
    assert list(inspect.signature(module.resource_of).parameters) == ["resource"]


def outside(
    live: ReloadCheck[FrozenDict], pool: Resource[Pool], module: Any
) -> list[Callable[[], Any]]:
    """Make both, to be called."""
    return [module.config_of(live), module.resource_of(pool)]


@pytest.mark.parametrize("module", GETTERS.values(), ids=GETTERS)
def test_both_read_the_unit_of_work_here(make: Make, module: Any) -> None:
    """Whatever a request calls sees the request's version, without being handed anything."""
    live = make()
    pool = pool_of(live, [])
    config, held = outside(live, pool, module)
    with live.lease() as snapshot:
        assert config() is snapshot.config
        assert held() is snapshot[pool]


def test_a_dependency_reads_it_too(make: Make) -> None:
    """FastAPI awaits them; they give the same."""
    live = make()
    pool = pool_of(live, [])

    async def read() -> bool:
        async with live.lease() as snapshot:
            config, held = await fastapi.config_of(live)(), await fastapi.resource_of(pool)()
            return config is snapshot.config and held is snapshot[pool]

    assert asyncio.run(read())


@pytest.mark.parametrize("module", GETTERS.values(), ids=GETTERS)
def test_outside_of_one_the_missing_line_is_named(make: Make, module: Any) -> None:
    """A forgotten middleware is told as the line to add; what is no engine is refused at once."""
    live = make()
    for read in outside(live, pool_of(live, []), module):
        with pytest.raises(OutsideWorkError, match=r"add `.*ReloadCheck(Middleware|\()"):
            read()
    with pytest.raises(UsageError):
        module.config_of(cast("Any", "live"))


def test_the_old_name_is_kept_for_a_release() -> None:
    """`resource` of the Flask adapter still works, and says what it is called now."""
    flask = adapter("flask")
    with pytest.warns(DeprecationWarning, match="is called resource_of now"):
        assert flask.resource is flask.resource_of
    with pytest.raises(AttributeError, match="resources"):
        _ = flask.resources

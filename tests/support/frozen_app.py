"""The app that tries to change its configuration: `uvicorn tests.support.frozen_app:app`.

`/plain`, `/pydantic` and `/msgspec` each try every ordinary way of changing the configuration that
a request is served with, and tell which ways went through, and whether its digest changed.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware

__all__ = ["app"]


class Model(BaseModel):
    """The configuration as a pydantic model, with each kind of container."""

    model_config = ConfigDict(frozen=True)
    name: str
    hosts: list[str]
    labels: set[str]
    limits: dict[str, int]
    deep: list[dict[str, list[dict[str, Any]]]]


class Struct(msgspec.Struct, frozen=True):
    """The configuration as a msgspec struct, with each kind of container."""

    name: str
    hosts: list[str]
    labels: set[str]
    limits: dict[str, int]
    deep: list[dict[str, list[dict[str, Any]]]]


def _attempts(config: Any) -> dict[str, Callable[[], object]]:
    """Return every ordinary way to change the configuration, as a call."""
    ways: dict[str, Callable[[], object]] = {}

    def statement(code: str) -> None:
        ways[code] = lambda: exec(code, {"c": config})

    for code in (
        "c.name = 'x'",
        "c.new = 'x'",
        "del c.name",
        "setattr(c, 'hosts', [])",
        "delattr(c, 'hosts')",
        "c.hosts = []",
    ):
        statement(code)
    for place in ("c.hosts", "c.deep", "c.deep[0]['rules']", "c.deep[0]['rules'][0]['then']"):
        for code in (
            "{}[0] = 0",
            "{}[:] = []",
            "{}[0:0] = [1]",
            "del {}[0]",
            "del {}[:]",
            "{}.append(1)",
            "{}.extend([1])",
            "{}.insert(0, 1)",
            "{}.pop()",
            "{}.remove({}[0])",
            "{}.clear()",
            "{}.sort(key=str, reverse=True)",
            "{}.reverse()",
            "x = {}; x += [1]",
            "x = {}; x *= 2",
            "{}.__init__([1])",
        ):
            statement(code.replace("{}", place))
    for place in ("c.limits", "c.deep[0]", "c.deep[0]['rules'][0]"):
        for code in (
            "{}['low'] = 0",
            "{}['new'] = 0",
            "del {}[next(iter({}))]",
            "{}.update(a=1)",
            "{}.setdefault('new', 1)",
            "{}.pop(next(iter({})))",
            "{}.popitem()",
            "{}.clear()",
            "x = {}; x |= {'a': 1}",
            "{}.__init__(a=1)",
        ):
            statement(code.replace("{}", place))
    for code in ("add(1)", "discard('x')", "remove('x')", "clear()", "pop()", "update([1])"):
        statement(f"c.labels.{code}")
    return ways


def _state(config: Any) -> str:
    """Return all of a configuration as text."""
    if isinstance(config, BaseModel):
        config = config.model_dump()
    elif isinstance(config, msgspec.Struct):
        config = msgspec.to_builtins(config)
    return json.dumps(config, sort_keys=True, default=sorted)


async def _attack(request: Request) -> Response:
    config = request.state.config
    before = _state(config)
    through: list[str] = []
    for code, attempt in _attempts(config).items():
        try:
            attempt()
        except Exception:  # whatever it is called: it did not go through
            continue
        if code.startswith("x = ") and _state(config) == before:
            continue  # a new object under a name of the program's own
        through.append(code)
    tried = len(_attempts(config))
    digest = request.state.snapshot.digest
    same = _state(request.state.config) == before
    return JSONResponse({"through": through, "tried": tried, "same": same, "digest": digest})


def _attacked(schema: type[Any] | None) -> ReloadCheckMiddleware:
    file = os.environ["RIG_CONFIG"]
    live = ReloadCheck(file) if schema is None else ReloadCheck(file, schema=schema)
    return ReloadCheckMiddleware(Starlette(routes=[Route("/", _attack)]), live)


app = Starlette(
    routes=[
        Mount("/plain", _attacked(None)),
        Mount("/pydantic", _attacked(Model)),
        Mount("/msgspec", _attacked(Struct)),
    ]
)

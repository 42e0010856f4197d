"""What a public value leads to is public: who holds one can name its type, and write it down.

Walks every annotation of what the doors name, as far as it leads: fields, properties, what methods
take and return.
"""

import ast
import builtins
import gc
import inspect
import typing
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from reloadcheck import ReloadCheck, Resource
from reloadcheck.testing import MemorySource

DOORS = (
    "reloadcheck",
    "reloadcheck.asgi",
    "reloadcheck.exceptions",
    "reloadcheck.integrations.celery",
    "reloadcheck.integrations.fastapi",
    "reloadcheck.integrations.flask",
    "reloadcheck.integrations.opentelemetry",
    "reloadcheck.integrations.prometheus",
    "reloadcheck.integrations.starlette",
    "reloadcheck.integrations.webhook",
    "reloadcheck.logs",
    "reloadcheck.orders",
    "reloadcheck.parsers",
    "reloadcheck.policy",
    "reloadcheck.sources",
    "reloadcheck.stores",
    "reloadcheck.testing",
    "reloadcheck.trial",
    "reloadcheck.types",
    "reloadcheck.wsgi",
)

MADE_INSIDE = {"Lease", "Resource", "Resources", "Override", "Snapshot"}
"""What nobody constructs: what their constructors take is no word of a user's."""


def named(door: ModuleType) -> list[str]:
    """Return what a door names; one without a list names what it does not call private."""
    given: list[str] | None = getattr(door, "__all__", None)
    own = [name for name in vars(door) if not name.startswith("_")]
    return own if given is None else given


def public() -> dict[str, Any]:
    """Return all of ours that can be imported from a door, by where it can be."""
    found: dict[str, Any] = {}
    for path in DOORS:
        door = import_module(path)
        found |= {f"{path}.{name}": getattr(door, name) for name in named(door)}
    return {where: one for where, one in found.items() if is_ours(one)}


def is_ours(one: object) -> bool:
    """Return whether it is a class or a function of the package."""
    home = getattr(one, "__module__", None) or ""
    return isinstance(one, type | FunctionType) and home.split(".")[0] == "reloadcheck"


@cache
def words_of(module: str) -> dict[str, Any]:
    """Return what the names in a module's annotations stand for, also those for type checkers."""
    home = import_module(module)
    room = module if hasattr(home, "__path__") else module.rpartition(".")[0]
    found: dict[str, Any] = {**vars(builtins)}
    for node in ast.walk(ast.parse(inspect.getsource(home))):
        if isinstance(node, ast.ImportFrom) and node.level:
            lead = ".".join(room.split(".")[: len(room.split(".")) - node.level + 1])
            where = import_module(f"{lead}.{node.module}" if node.module else lead)
            found |= {
                alias.asname or alias.name: getattr(where, alias.name, None) for alias in node.names
            }
    return found | vars(home)


def led_to(annotation: object, module: str) -> Iterator[object]:
    """Return each class of ours in an annotation, written as text or not."""
    if isinstance(annotation, str):
        for node in ast.walk(ast.parse(annotation, mode="eval")):
            if isinstance(node, ast.Name):
                yield from led_to(words_of(module).get(node.id), module)
        return
    if is_ours(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        if not isinstance(part, str):
            yield from led_to(part, module)


def annotations_of(one: Any, name: str) -> Iterator[tuple[str, object, str]]:
    """Return each annotation of a class or a function, by what it is of, and where it stands."""
    if isinstance(one, FunctionType):
        for way in (inspect.unwrap(one), *typing.get_overloads(one)):
            for part, annotation in inspect.get_annotations(way).items():
                yield f"{name}({part})", annotation, way.__module__
        return
    for part, annotation in inspect.get_annotations(one).items():
        if not part.startswith("_"):
            yield f"{name}.{part}", annotation, one.__module__
    members: dict[str, object] = dict(vars(typing.cast("type[object]", one)))
    for part, member in members.items():
        own: object = getattr(member, "fget", None) or getattr(member, "__func__", None) or member
        made = part == "__init__" and str(one.__name__) not in MADE_INSIDE
        if isinstance(own, FunctionType) and (made or not part.startswith("_")):
            yield from annotations_of(own, f"{name}.{part}")


def test_what_a_public_value_leads_to_is_public() -> None:
    """Each class of ours in an annotation of a public one can be imported from a door."""
    known = public()
    assert len(known) > 150
    hidden = {
        f"{where}: {led.__module__}.{led.__qualname__}"
        for name, one in known.items()
        for where, annotation, module in annotations_of(one, name)
        for led in led_to(annotation, module)
        if isinstance(led, type) and led not in known.values()
    }
    assert sorted(hidden) == []


def test_what_a_snapshot_shows_is_public() -> None:
    """Its engine is what the application holds; nothing that it has is of a private class."""
    live = ReloadCheck(MemorySource("a: {b: 1}"), environ={})

    def pool_of(a: Any) -> dict[str, int]:
        return dict(a)

    pool: Resource[dict[str, int]] = live.resource("a", name="pool")(pool_of)
    with closing(live), live.lease() as snapshot:
        assert snapshot.engine is live
        shown = {name: getattr(snapshot, name) for name in dir(snapshot) if name[0] != "_"}
        assert snapshot[pool] == {"b": 1}
    known = {one for one in public().values() if isinstance(one, type)}
    kinds: dict[str, type[object]] = {name: type(one) for name, one in shown.items()}
    kinds = {name: kind for name, kind in kinds.items() if is_ours(kind)}
    assert {name for name, kind in kinds.items() if not set(kind.__mro__) & known} == set()
    assert kinds["engine"] is ReloadCheck


def test_a_snapshot_outlives_its_engine() -> None:
    """Who keeps a snapshot alone finds no engine any more, and nothing else has changed."""
    live = ReloadCheck(MemorySource("a: 1"), environ={})
    with closing(live):
        live.start()
        snapshot = live.snapshot
    del live
    gc.collect()
    assert (snapshot.engine, snapshot.config.a) == (None, 1)

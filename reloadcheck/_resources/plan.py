"""What an edit would build, and from which parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._config.key_path import lookup
from .._load.problems import located
from ..exceptions import (
    SchemaError,
)
from ..seams import Loaded
from ..types import KeyPath, Problem
from .instance import Instance
from .registry import Registry, Resource

if TYPE_CHECKING:
    pass


def rebuilt(
    registry: Registry, loaded: Loaded[Any], running: Mapping[str, Instance]
) -> tuple[Resource[Any], ...]:
    """Return what the configuration would have built, in order; raise `SchemaError`.

    A resource is built when one of its parts is another object than what the running instance was
    built from, when that one is gone, or when something that it needs is built.
    """
    names: set[str] = set()
    found: list[Resource[Any]] = []
    for resource in registry:
        parts = _parts(resource, loaded)
        kept = running.get(resource.name)
        same = kept is not None and _unchanged(kept, parts, kept.needs)
        if not same or any(need.name in names for need in resource.needs):
            names.add(resource.name)
            found.append(resource)
    return tuple(found)


def _unchanged(instance: Instance, parts: tuple[object, ...], needs: tuple[Instance, ...]) -> bool:
    if instance.dropped or instance.closed or len(parts) != len(instance.parts):
        return False
    same_parts = all(new is old for new, old in zip(parts, instance.parts, strict=True))
    return same_parts and all(a is b for a, b in zip(needs, instance.needs, strict=True))


def _needs(resource: Resource[Any], chosen: Mapping[str, Instance]) -> tuple[Instance, ...]:
    return tuple(chosen[need.name] for need in resource.needs)


def _parts(resource: Resource[Any], loaded: Loaded[Any]) -> tuple[object, ...]:
    if not resource.paths:
        return (loaded.config,)
    return tuple(_part(resource, path, loaded) for path in resource.paths)


def _part(resource: Resource[Any], path: KeyPath, loaded: Loaded[Any]) -> object:
    try:
        return lookup(loaded.config, path)
    except KeyError:
        reason = f"is missing, and resource {resource.name!r} is built from it"
        raise located(SchemaError(Problem(reason, key_path=path)), loaded.layers) from None

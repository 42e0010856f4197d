"""What an edit would build, and from which parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._config.key_path import lookup
from .._load.problems import located
from ..exceptions import (
    SchemaError,
)
from ..types import KeyPath, Loaded, Problem
from .instance import Instance
from .registry import Resource

if TYPE_CHECKING:
    pass


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

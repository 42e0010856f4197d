"""What an edit would build, and why: the one answer for the builder, the gates and `diff`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._config.key_path import lookup
from .._load.problems import located
from ..exceptions import SchemaError
from ..seams.feed import Loaded
from ..types import KeyPath, Layer, Problem
from .instance import Instance
from .registry import Registry, Resource

Parts = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One resource to be built, because of the `paths` that changed and the `needs` that are built.

    The path `()` is the whole configuration. Neither: there is none that could go on.
    """

    resource: Resource[Any]
    paths: tuple[KeyPath, ...]
    needs: tuple[str, ...]


def plan(
    registry: Registry,
    config: object,
    layers: Sequence[Layer],
    before: Callable[[Resource[Any]], Parts | None],
) -> tuple[Step, ...]:
    """Return what the configuration would have built, in order; raise `SchemaError`.

    A resource is built when one of its parts is another object than `before`, when there is none
    that could go on (None), or when something that it needs is built.
    """
    steps: dict[str, Step] = {}
    for resource in registry:
        parts, old = parts_of(resource, config, layers), before(resource)
        pairs = zip(resource.key_paths, parts, old or (), strict=False)
        changed = tuple(path for path, new, was in pairs if new is not was)
        needs = tuple(need.name for need in resource.needs if need.name in steps)
        if old is None or changed or needs:
            steps[resource.name] = Step(resource, changed, needs)
    return tuple(steps.values())


def rebuilt(
    registry: Registry, loaded: Loaded[Any], running: Mapping[str, Instance]
) -> tuple[Resource[Any], ...]:
    """Return what would be built beside the instances that run; raise `SchemaError`."""

    def before(resource: Resource[Any]) -> Parts | None:
        instance = running.get(resource.name)
        return instance.parts if instance is not None and _may_go_on(instance) else None

    return tuple(one.resource for one in plan(registry, loaded.config, loaded.layers, before))


def _may_go_on(instance: Instance) -> bool:
    return not (instance.dropped or instance.closed or instance.stale is not None)


def needs_of(resource: Resource[Any], chosen: Mapping[str, Instance]) -> tuple[Instance, ...]:
    """Return the instances that its factory is given, from those that are chosen so far."""
    return tuple(chosen[need.name] for need in resource.needs)


def parts_of(resource: Resource[Any], config: object, layers: Sequence[Layer]) -> Parts:
    """Return the values that its factory is called with; `SchemaError` for what is missing."""
    return tuple(_part(resource, path, config, layers) for path in resource.key_paths)


def _part(
    resource: Resource[Any], path: KeyPath, config: object, layers: Sequence[Layer]
) -> object:
    try:
        return lookup(config, path)
    except KeyError:
        reason = f"is missing, and resource {resource.name!r} is built from it"
        raise located(SchemaError(Problem(reason, key_path=path)), layers) from None

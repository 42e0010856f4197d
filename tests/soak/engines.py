"""The engine under the soak's apps, with the resources of one kind on it.

Set up by environment variables, because each server process imports it anew: SOAK_CONFIG is a path,
SOAK_NAMES says which resources, all of the kind if it is empty.
"""

import logging
import os
from collections.abc import Callable
from typing import Any

from reloadcheck import ReloadCheck, Resource, Snapshot

from .matrix import Kind, Settings, chosen
from .watching import Watch

__all__ = ["engine", "introduction", "told"]

Handles = dict[str, Resource[Any]]


def engine(kind: Kind, factory: Callable[[Watch, str], Any]) -> tuple[Watch, Handles]:
    """Return an engine with its resources; `factory` gives the watched factory of each."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # else a line for each request
    live = ReloadCheck(os.environ["SOAK_CONFIG"], schema=Settings)
    watch = Watch(live)
    live.subscribe(watch.heard)
    handles = {
        entry.name: live.resource((entry.part, entry.name), name=entry.name)(
            factory(watch, entry.name)
        )
        for entry in chosen(kind, os.environ["SOAK_NAMES"].split())
    }
    return watch, handles


def introduction(config: Settings, resource: str) -> str:
    """Say as whom the configuration tells a resource to introduce itself."""
    parts = (config.databases, config.caches, config.upstreams)
    return next(part[resource].name for part in parts if resource in part)


def told(
    watch: Watch, snapshot: Snapshot[Settings], handle: Resource[Any], client: Any, said: str
) -> dict[str, Any]:
    """Return what a unit of work has seen, at its end: `same` is whether it still sees it."""
    config, now = snapshot.config, watch.live.current()
    return {
        "number": config.number,
        "end": config.end,
        "wanted": introduction(config, handle.name),
        "said": said,
        "same": now is snapshot and now[handle] is client,
        "outlasted": watch.live.snapshot is not snapshot,
    }

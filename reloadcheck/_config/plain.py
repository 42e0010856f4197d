"""Copy a configuration into built-in dicts, lists and sets, for what takes nothing else.

Takes a configuration of any kind of schema, gives a deep copy that may be changed. Also shows
dumpers that go by a value's exact type what ours are.
"""

import sys
from typing import Any

from .containers import (
    FrozenDict,
    FrozenList,
    FrozenSet,
    is_dict,
    is_frozenset,
    is_list,
    is_set,
    is_tuple,
)
from .model_fields import field_values

__all__ = ["plain", "teach_dumpers"]


def plain(config: Any) -> Any:
    """Return a configuration, or a part of one, as built-in dicts, lists, tuples and sets.

    Models, structs, attrs classes and dataclasses become dicts by the names of their fields. What
    holds nothing else, a date or a secret, is kept as it is. The copy is deep and may be changed.
    """
    mapping = config if is_dict(config) else field_values(config)
    if mapping is not None:
        return {key: plain(part) for key, part in mapping.items()}
    if is_list(config):
        return [plain(part) for part in config]
    if is_tuple(config):
        return tuple(plain(part) for part in config)
    if is_set(config):
        return {plain(part) if is_tuple(part) else part for part in config}
    return frozenset(config) if is_frozenset(config) else config


def teach_dumpers() -> None:
    """Let the YAML libraries that are imported write our containers like the built-in ones."""
    for name in ("yaml.representer", "ruamel.yaml.representer"):
        module: Any = sys.modules.get(name)
        if module is None:
            continue
        for writer in ("SafeRepresenter", "Representer", "RoundTripRepresenter"):
            cls: Any = getattr(module, writer, None)
            if cls is None or FrozenDict in cls.yaml_representers:
                continue
            for ours, built_in in ((FrozenDict, dict), (FrozenList, list), (FrozenSet, set)):
                cls.add_representer(ours, cls.yaml_representers[built_in])

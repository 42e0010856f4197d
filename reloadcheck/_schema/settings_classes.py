"""Refuse a class that fetches its own input: files and variables that no source here watches.

Takes a class, gives what to write instead. Reads the class alone, never the environment.
"""

import sys
from collections.abc import Iterator
from typing import Any

from .._config.containers import is_list, is_tuple

__all__ = ["reads_by_itself"]


def reads_by_itself(cls: Any) -> str | None:
    """Return what to write instead of a settings class of pydantic-settings; None for others."""
    base = getattr(sys.modules.get("pydantic_settings"), "BaseSettings", None)
    if not isinstance(base, type) or not issubclass(cls, base):
        return None
    name = cls.__qualname__
    named = ", ".join(['"config.yaml"', *_sources(cls.model_config)])
    return (
        f"{name} is a pydantic-settings class, which reads the environment and files by itself: "
        "they would be neither watched nor told apart. Derive it from pydantic.BaseModel, with "
        f"`model_config = ConfigDict(frozen=True)`, and name what it reads as sources: "
        f"`ReloadCheck({named}, schema={name})`"
    )


def _sources(config: Any) -> Iterator[str]:
    """Return the sources that read what the class would have, the strongest last."""
    for path in _several(config.get("secrets_dir")):
        yield f'DirectorySource("{path}")'
    for name in ("yaml_file", "toml_file", "json_file"):
        yield from (f'"{path}"' for path in _several(config.get(name)))
    prefix = str(config.get("env_prefix") or "").rstrip("_").upper()
    own = f', prefix="{prefix}"' if prefix else ""
    for path in _several(config.get("env_file")):
        yield f'DotenvSource("{path}"{own}, optional=True)'
    yield f'EnvironSource("{prefix or "APP"}")'


def _several(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if is_list(value) or is_tuple(value) else [str(value)]

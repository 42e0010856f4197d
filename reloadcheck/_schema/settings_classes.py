"""Refuse what fetches its own input: files and variables that no source here watches.

Takes a class or an object of a settings library, gives what to write instead. Reads the class
alone, never the environment.
"""

import sys
from collections.abc import Iterator
from typing import Any, Final

from .._config.containers import is_list, is_tuple

__all__ = ["object_that_reads", "reads_by_itself"]

_LIBRARIES: Final = {
    "confz": "ConfZ",
    "decouple": "python-decouple",
    "dynaconf": "dynaconf",
    "environ": "django-environ",
    "environs": "environs",
    "starlette.config": "Starlette",
}
_BARE: Final = (
    ". A variable of the environment that has no prefix is named in the file, as in "
    "`url: ${env:DATABASE_URL}`, with `references=[EnvReferences()]`"
)


def reads_by_itself(cls: Any) -> str | None:
    """Return what to write instead of a settings class of pydantic-settings; None for others."""
    base = getattr(sys.modules.get("pydantic_settings"), "BaseSettings", None)
    if not isinstance(base, type) or not issubclass(cls, base):
        return None
    name = cls.__qualname__
    named = ", ".join(['"config.yaml"', *_sources(cls.model_config)])
    bare = "" if cls.model_config.get("env_prefix") else _BARE
    return (
        f"{name} is a pydantic-settings class, which reads the environment and files by itself: "
        "they would be neither watched nor told apart. Derive it from pydantic.BaseModel, with "
        f"`model_config = ConfigDict(frozen=True)`, and name what it reads as sources: "
        f"`ReloadCheck({named}, schema={name})`{bare}"
    )


def object_that_reads(schema: object) -> str | None:
    """Return what to write instead of a settings object, or of its class; None for others."""
    cls: Any = schema if isinstance(schema, type) else type(schema)
    if cls is not schema and (instead := reads_by_itself(cls)) is not None:
        return instead
    modules = [f"{base.__module__}." for base in cls.__mro__]
    known = [name for name in _LIBRARIES for one in modules if one.startswith(f"{name}.")]
    library = _LIBRARIES[known[0]] if known else None
    if library is None:
        return None
    return (
        f"{cls.__qualname__} is of {library}, which reads the environment and files by itself: "
        "they would be neither watched nor told apart. Name what it reads as sources, as in "
        '`ReloadCheck("settings.toml", DotenvSource(".env"), EnvironSource("APP"))`, with a frozen '
        "dataclass or model as schema=, or none"
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

"""Takes what a site's settings say under `RELOAD_CHECK`, gives it checked and named.

Imports the schema, which a site names by its dotted path. Must never open a file or start anything.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import signature
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ..._engine.api import ReloadCheck
from ..._page.settings import PAGE_OPTIONS
from ...types import Source

__all__ = ["EXAMPLE", "Declared", "Part", "SchemaPathError", "declared"]

EXAMPLE = 'RELOAD_CHECK = {"SOURCES": [BASE_DIR / "config.yaml"]}'
"""The line that a site without any settings of ours adds."""

_OPTIONS = frozenset(signature(cast("Any", ReloadCheck).__init__).parameters) - {
    *("self", "sources", "schema", "clock", "environ")
}
_OWN = frozenset({"sources", "schema", "resources", "databases", "caches"})
_KEYS = _OWN | frozenset(PAGE_OPTIONS) | _OPTIONS


class SchemaPathError(ImproperlyConfigured):
    """The schema's dotted path leads nowhere."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where an alias finds its parameters, and what puts them into Django's words, if need be."""

    path: str
    translate: Callable[[Any], Any] | None = None

    def read(self, value: object) -> object:
        """Return the parameters that the value at the path stands for."""
        return value if self.translate is None else self.translate(value)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a site declares: an engine's arguments, and what is to follow the configuration.

    `resources` are modules to import; `databases` and `caches` say by alias what follows; `page` is
    where the status page is and what opens it, in the words of the doors.
    """

    sources: tuple[str | os.PathLike[str] | Source, ...]
    schema: Callable[..., Any] | None
    options: Mapping[str, Any]
    resources: tuple[str, ...]
    databases: Mapping[str, Part]
    caches: Mapping[str, Part]
    page: Mapping[str, str | None]


def declared(given: object) -> Declared:
    """Check the value of `RELOAD_CHECK`, whose keys may be in either case.

    Raises `ImproperlyConfigured`, which names the key.
    """
    if given is None:
        raise ImproperlyConfigured(f"RELOAD_CHECK is not in the settings: add {EXAMPLE}")
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"RELOAD_CHECK must be a dict: write {EXAMPLE}")
    words = _lowered(cast("Mapping[object, object]", given))
    options = {name: words[name] for name in _OPTIONS & words.keys()}
    return Declared(
        sources=_sources(words.get("sources")),
        schema=_schema(words.get("schema")),
        options=options,
        resources=_names("RESOURCES", words.get("resources", ())),
        databases=_parts("DATABASES", words.get("databases", {})),
        caches=_parts("CACHES", words.get("caches", {})),
        page={name: _text(name, words.get(name)) for name in PAGE_OPTIONS},
    )


def _lowered(given: Mapping[object, object]) -> dict[str, object]:
    words: dict[str, object] = {}
    for key, value in given.items():
        word = str(key).lower()
        if word not in _KEYS:
            known = ", ".join(sorted(name.upper() for name in _KEYS))
            close = get_close_matches(word, list(_KEYS), 1)
            meant = f"; did you mean {close[0].upper()!r}?" if close else ""
            raise ImproperlyConfigured(f"RELOAD_CHECK[{str(key)!r}] is none of: {known}{meant}")
        if word in words:
            raise ImproperlyConfigured(f"RELOAD_CHECK has {str(key)!r} twice, in different cases")
        words[word] = value
    return words


def _sources(given: object) -> tuple[str | os.PathLike[str] | Source, ...]:
    if isinstance(given, str | os.PathLike | Source):
        return (cast("str | os.PathLike[str] | Source", given),)
    if not isinstance(given, list | tuple) or not given:
        raise ImproperlyConfigured(
            f"RELOAD_CHECK['SOURCES'] must list files or sources: write {EXAMPLE}"
        )
    return tuple(cast("list[str | os.PathLike[str] | Source]", given))


def _schema(given: object) -> Callable[..., Any] | None:
    try:
        return _imported("'SCHEMA'", given)
    except ImproperlyConfigured as error:
        raise SchemaPathError(str(error)) from error


def _imported(key: str, given: object) -> Callable[..., Any] | None:
    if not isinstance(given, str):
        return cast("Callable[..., Any] | None", given)
    try:
        found: Callable[..., Any] = import_string(given)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"RELOAD_CHECK[{key}] names {given!r}, which cannot be imported: {error}"
        ) from error
    return found


def _text(name: str, given: object) -> str | None:
    if given is None or isinstance(given, str):
        return given
    raise ImproperlyConfigured(f"RELOAD_CHECK[{name.upper()!r}] must be text")


def _names(key: str, given: object) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else given
    if isinstance(names, list | tuple):
        checked = [name for name in cast("list[object]", names) if isinstance(name, str)]
        if len(checked) == len(cast("list[object]", names)):
            return tuple(checked)
    raise ImproperlyConfigured(f"RELOAD_CHECK[{key!r}] must list modules by their dotted names")


def _parts(key: str, given: object) -> Mapping[str, Part]:
    aliases = cast("Mapping[object, object]", given) if isinstance(given, Mapping) else {None: None}
    parts: dict[str, Part] = {}
    for alias, value in aliases.items():
        words = cast("tuple[object, ...]", value if isinstance(value, list | tuple) else (value,))
        path, *function = words or (None,)
        if not isinstance(alias, str) or not isinstance(path, str) or len(function) > 1:
            raise ImproperlyConfigured(
                f"RELOAD_CHECK[{key!r}] must map aliases to key paths: write "
                f'"{key}": {{"default": "database"}}, or ("database", "mysite.config.function")'
            )
        parts[alias] = Part(path, _imported(repr(key), function[0]) if function else None)
    return parts

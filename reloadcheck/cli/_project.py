"""What the project says about itself: `[tool.reloadcheck]` in the nearest pyproject.toml.

Takes options of the command line, gives which engine is meant and where its modules are. Reads one
file and imports nothing.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._config.containers import is_dict
from ..exceptions import UsageError
from ..types import printable

__all__ = ["Project", "project_of"]

_KNOWN = ("app", "app-dir", "store", "name")


@dataclass(frozen=True, slots=True)
class Project:
    """Which engine, and the directories in which its modules are looked for.

    `said` is the file that names the engine; None where the command line does. `store` and `name`
    are those of the application in a store.
    """

    app: str | None
    directories: tuple[str, ...]
    said: str | None = None
    store: str | None = None
    name: str | None = None


def project_of(app: str | None, app_dir: str | None, *, wanted: bool = True) -> Project:
    """Return what the options say, else what pyproject.toml says; not `wanted`: no engine."""
    if app_dir is not None and not os.path.isdir(app_dir):
        raise UsageError(f"--app-dir {printable(app_dir)}: there is no such directory")
    here = os.path.abspath(app_dir or os.curdir)
    if app is not None or not wanted:
        return Project(app, (here,))
    path, settings = _nearest(here)
    named, store, name = settings.get("app"), settings.get("store"), settings.get("name")
    if store is not None and "://" not in store:
        store = os.path.join(os.path.dirname(path), store)
    if named is None:
        return Project(None, (here,), store=store, name=name)
    return Project(named, (here, *_below(path, settings, app_dir)), path, store, name)


def _below(path: str, settings: Mapping[str, Any], app_dir: str | None) -> tuple[str, ...]:
    if app_dir is not None:
        return ()
    return (os.path.join(os.path.dirname(path), settings.get("app-dir", "")),)


def _nearest(directory: str) -> tuple[str, Mapping[str, Any]]:
    """Go upwards to the first pyproject.toml that has something to say to us."""
    while True:
        path = os.path.join(directory, "pyproject.toml")
        settings = _read(path) if os.path.isfile(path) else None
        if settings is not None:
            return path, settings
        parent = os.path.dirname(directory)
        if parent == directory:
            return "", {}
        directory = parent


def _read(path: str) -> Mapping[str, Any] | None:
    try:
        with open(path, "rb") as file:
            tool: object = tomllib.load(file).get("tool")
    except (OSError, ValueError) as error:
        raise UsageError(f"{printable(path)}: cannot be read ({type(error).__name__})") from None
    ours: object = tool.get("reloadcheck") if is_dict(tool) else None
    if not is_dict(ours):
        return None
    lead = f"{printable(path)}: [tool.reloadcheck]"
    for name, value in ours.items():
        if name not in _KNOWN:
            raise UsageError(f"{lead} has no {printable(name)}; it has {', '.join(_KNOWN)}")
        if not isinstance(value, str) or not value:
            raise UsageError(f"{lead} {name} is to be a text, as app = 'shop.live:live'")
    return ours

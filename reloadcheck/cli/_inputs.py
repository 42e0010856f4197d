"""From the words of a command line to sources, schema and engine; imports what they name.

What cannot be is a `UsageError`; the code that is imported runs here, nothing else of it does.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .._engine.api import ReloadCheck, host_of
from .._engine.options import Options
from .._schema.schema import Schema, schema_of
from ..exceptions import UsageError
from ..sources import DirectorySource, FileSource
from ..types import Source, printable

__all__ = ["Inputs", "inputs_of", "layers_of", "loaded_object"]


@dataclass(frozen=True)
class Inputs:
    """What a command works on; `live` is the engine that `--app` named."""

    sources: tuple[Source, ...]
    schema: Schema[Any]
    schema_name: str | None
    live: ReloadCheck[Any] | None
    max_bytes: int
    secrets: frozenset[str]


def inputs_of(arguments: argparse.Namespace, words: Sequence[str]) -> Inputs:
    """Take the words as layers; without any, the layers of the engine that `--app` names."""
    live = None if arguments.app is None else engine_named(arguments.app)
    schema_name: str | None = getattr(arguments, "schema", None)
    if schema_name is not None and live is not None:
        raise UsageError("--schema and --app cannot be given together: the app has its schema")
    if schema_name is not None:
        named: Any = loaded_object("--schema", schema_name)
        schema: Schema[Any] = schema_of(named)
    else:
        schema = schema_of(None) if live is None else host_of(live).schema
        schema_name = arguments.app
    if words:
        sources = layers_of(words)
    elif live is not None:
        sources = host_of(live).sources
    else:
        raise UsageError("name at least one FILE, or an engine by --app MODULE:NAME")
    options = Options() if live is None else host_of(live).options
    return Inputs(sources, schema, schema_name, live, options.max_bytes, options.secrets)


def layers_of(words: Sequence[str]) -> tuple[Source, ...]:
    """Take each word for a file, or for a directory with a file per key."""
    return tuple(DirectorySource(w) if os.path.isdir(w) else FileSource(w) for w in words)


def engine_named(name: str) -> ReloadCheck[Any]:
    """Import the engine that `--app` names."""
    found = loaded_object("--app", name)
    if not isinstance(found, ReloadCheck):
        kind = type(found).__name__
        raise UsageError(f"--app {printable(name)}: is a {kind}, not a ReloadCheck(…) engine")
    return found  # pyright: ignore[reportUnknownVariableType]


def loaded_object(option: str, name: str) -> object:
    """Import `module:name`, looking in the working directory first as servers do."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"{option} takes MODULE:NAME, as in {option} app:settings")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    lead = f"{option} {printable(name)}"
    found: Any = _imported(lead, module_name)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise UsageError(f"{lead}: there is no {printable(part)} in it") from None
    return found


def _imported(lead: str, name: str) -> object:
    failure: BaseException
    words = ""
    try:
        with redirect_stdout(sys.stderr):  # what it prints is not what this command says
            return import_module(name)
    except UsageError as error:
        raise UsageError(f"{lead}: {error}") from None
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            hint = "; a module is named without its .py" if missing.endswith(".py") else ""
            raise UsageError(f"{lead}: there is no module {printable(missing)}{hint}") from None
        failure, words = error, f": there is no module {printable(missing)}" if missing else ""
    except (Exception, SystemExit) as error:
        failure = error
    # Without the text of the error, which might quote what it is about.
    frame = traceback.extract_tb(failure.__traceback__)[-1]
    place = f"{printable(frame.filename)}:{frame.lineno}"
    raise UsageError(f"{lead}: importing it raised {type(failure).__name__} at {place}{words}")

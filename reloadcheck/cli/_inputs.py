"""From the words of a command line to sources, schema and engine; imports what they name.

What cannot be is a `UsageError`; the code that is imported runs here, nothing else of it does.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._engine.api import ReloadCheck, engine_of
from .._engine.options import Options
from .._schema.schema import Schema, schema_of
from ..exceptions import ContractError, OptionError, UsageError
from ..sources import DirectorySource, source_of
from ..sources._formats import FORMATS
from ..types import Source, printable
from ._editions import PREFIX, EditionSource, number_of
from ._project import Project, project_of
from ._stdin import StandardInput

if TYPE_CHECKING:
    from .._load.references import ReferenceSet
    from ..policy.gate import ContractGate

__all__ = ["Inputs", "contract_of", "inputs_of", "layers_of", "loaded_object"]


@dataclass(frozen=True)
class Inputs:
    """What a command works on; `live` is the engine that `--app` named."""

    sources: tuple[Source, ...]
    schema: Schema[Any]
    schema_name: str | None
    live: ReloadCheck[Any] | None
    max_bytes: int
    secrets: frozenset[str]
    public: frozenset[str]
    contract: ContractGate | None = None
    contract_error: ContractError | None = None

    @property
    def reading(self) -> tuple[int, object, ReferenceSet | None]:
        """Return how the sources are read: how much, for which type, with which references."""
        references = None if self.live is None else engine_of(self.live).references
        return self.max_bytes, self.schema.annotation, references


def inputs_of(arguments: argparse.Namespace, words: Sequence[str]) -> Inputs:
    """Take the words as layers; without any, the layers of the engine that the project names.

    The engine's contract is read too; what it calls secret is. That it cannot be read is kept, for
    those commands that judge by it.
    """
    schema_name: str | None = getattr(arguments, "schema", None)
    if schema_name is not None and arguments.app is not None:
        raise UsageError("--schema and --app cannot be given together: the app has its schema")
    wanted = schema_name is None and not arguments.no_app
    project = project_of(arguments.app, arguments.app_dir, wanted=wanted)
    option = "--app" if project.said is None else f"{printable(project.said)}: app ="
    live = None if project.app is None else engine_named(option, project)
    if schema_name is not None:
        named: Any = loaded_object("--schema", schema_name, project.directories)
        schema: Schema[Any] = schema_of(named)
    else:
        schema = schema_of(None) if live is None else engine_of(live).schema
        schema_name = project.app
    if words:
        sources = layers_of(words, arguments.format)
    elif live is not None:
        sources = engine_of(live).sources
    else:
        raise UsageError(_NOTHING)
    options = Options() if live is None else engine_of(live).options
    contract, secrets, error = None if live is None else contract_of(live), options.secrets, None
    if contract is not None:
        try:
            secrets |= contract.open()
        except ContractError as wrong:
            error = wrong
    names = secrets, options.public
    return Inputs(sources, schema, schema_name, live, options.max_bytes, *names, contract, error)


def contract_of(live: ReloadCheck[Any]) -> ContractGate | None:
    """Return the gate of an engine's contract, if it has one."""
    gates = engine_of(live).gates
    if not gates:
        return None
    from ..policy.gate import ContractGate

    return next((one for one in gates if isinstance(one, ContractGate)), None)


_NOTHING = (
    "name at least one FILE (- is standard input), or an engine by --app MODULE:NAME; "
    "[tool.reloadcheck] app = 'MODULE:NAME' in pyproject.toml names it for every command"
)


def layers_of(words: Sequence[str], format: str = "yaml") -> tuple[Source, ...]:
    """Take each word for a file, for a directory with a file per key, or for standard input."""
    if [*words].count("-") > 1:
        raise UsageError("- is standard input, of which there is one: name it once")
    return tuple(_layer(word, format) for word in words)


def _layer(word: str, format: str) -> Source:
    if word == "-":
        return StandardInput(format)
    if os.path.isdir(word):
        return DirectorySource(word)
    if word.startswith(PREFIX) and not os.path.lexists(word):
        return EditionSource(number_of(word), ())  # read by a command that has a store
    try:
        return source_of(word)
    except OptionError:
        if not os.path.lexists(word):
            raise UsageError(f"{printable(word)} does not exist") from None
        known = ", ".join(FORMATS)
        raise UsageError(
            f"{printable(word)}: the format is told by the suffix, one of {known}; "
            "or let it be read from standard input: - --format yaml"
        ) from None


def engine_named(option: str, project: Project) -> ReloadCheck[Any]:
    """Import the engine that `--app`, or the project, names."""
    name = project.app or ""
    found = loaded_object(option, name, project.directories)
    if not isinstance(found, ReloadCheck):
        kind = type(found).__name__
        raise UsageError(f"{option} {printable(name)}: is a {kind}, not a ReloadCheck(…) engine")
    _set_up_django(f"{option} {printable(name)}")
    return found  # pyright: ignore[reportUnknownVariableType]


def _set_up_django(lead: str) -> None:
    """Let a Django site register what it has on its engine, as its servers have it."""
    if "django.conf" not in sys.modules or not os.environ.get("DJANGO_SETTINGS_MODULE"):
        return
    try:
        with redirect_stdout(sys.stderr):
            import_module("django").setup()
    except (Exception, SystemExit) as error:
        raise _broken(f"{lead}: setting Django up", error) from None


def loaded_object(option: str, name: str, directories: Sequence[str] = ()) -> object:
    """Import `module:name`, looking in the given directories first, as servers do in theirs."""
    module_name, _, attribute = name.partition(":")
    lead = f"{option} {printable(name)}"
    if not module_name or not attribute:
        raise UsageError(f"{option} takes MODULE:NAME, as in app:live, not {printable(name)}")
    for directory in reversed([os.path.abspath(one) for one in directories or (os.curdir,)]):
        if directory not in sys.path and not (directory == os.getcwd() and "" in sys.path):
            sys.path.insert(0, directory)
    found: Any = _imported(lead, module_name, directories)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            meant = _meant(part, [one for one in dir(found) if not one.startswith("_")])
            raise UsageError(f"{lead}: there is no {printable(part)} in it{meant}") from None
    return found


def _meant(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _imported(lead: str, name: str, directories: Sequence[str]) -> object:
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
            raise UsageError(f"{lead}: {_no_module(missing, directories)}") from None
        failure, words = error, f": there is no module {printable(missing)}" if missing else ""
    except (Exception, SystemExit) as error:
        failure = error
    raise _broken(f"{lead}: importing it", failure, words)


def _broken(lead: str, failure: BaseException, words: str = "") -> UsageError:
    """Say where a program's own code fails, without its error's text, which might quote a value."""
    frame = traceback.extract_tb(failure.__traceback__)[-1]
    place = f"{printable(frame.filename)}:{frame.lineno}"
    return UsageError(f"{lead} raised {type(failure).__name__} at {place}{words}")


def _no_module(missing: str, directories: Sequence[str]) -> str:
    if missing.endswith(".py") or missing == "py":
        return f"there is no module {printable(missing)}; a module is named without its .py"
    looked = ", ".join(printable(os.path.abspath(one)) for one in directories or (os.curdir,))
    return (
        f"there is no module {printable(missing)} (looked in {looked} and where Python looks); "
        "run it from the project, or say --app-dir DIR"
    )

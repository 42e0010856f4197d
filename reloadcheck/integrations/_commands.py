"""What a framework's own command line offers about an engine: `status`, `check` and `validate`.

Takes an engine, gives what to print and whether all is well. Each starts the engine in this process
and closes it again; none quotes a value of the configuration.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import (
    Callable,
    Generator,
    Iterator,
    Mapping,
)
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    TypeAlias,
    TypeVar,
    cast,
)

from .._engine.api import ReloadCheck, engine_of
from .._engine.engine import Engine
from .._load.source_set import SourceSet
from .._observe.status import Status
from .._resources.registry import Registry
from ..exceptions import (
    ConfigError,
    ReloadCheckError,
)

if TYPE_CHECKING:
    from ..seams.gates import Gate

__all__ = ["COMMANDS", "Answer", "Command"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What to print; `good` is the exit status 0, otherwise it is 1."""

    text: str
    good: bool = True


Command: TypeAlias = Callable[[ReloadCheck[Any]], Answer]


def validate(live: ReloadCheck[Any]) -> Answer:
    """Read and validate the configuration; build nothing."""
    return _tried(without_resources(live), lambda one: Answer(_verdict(one)))


def check(live: ReloadCheck[Any]) -> Answer:
    """Do what a worker does at its start: load, build every resource, probe it, and close it."""
    return _tried(live, lambda one: Answer(_verdict(one, _built(one.status()))))


def status(live: ReloadCheck[Any]) -> Answer:
    """Show what a worker that starts now would serve."""
    return _tried(live, lambda one: Answer(_lines(one.status())))


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {"status": status, "check": check, "validate": validate}
)
"""The commands by their names; the docstring of each is its help."""


def _tried(live: ReloadCheck[Any], tell: Command) -> Answer:
    with _unheard():
        try:
            live.start()
        except ConfigError as error:
            return Answer("\n".join(str(problem) for problem in error.problems), good=False)
        except ReloadCheckError as error:
            return Answer(str(error), good=False)
        try:
            return tell(live)
        finally:
            live.close()


@contextmanager
def _unheard() -> Generator[None]:
    """Keep the log still: the answer says the same, to the same terminal."""
    logger = logging.getLogger("reloadcheck")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _verdict(live: ReloadCheck[Any], more: str = "") -> str:
    """Say that it is valid, and what an operator should know all the same."""
    return "\n".join([f"{_names(live)}: valid{more}", *live.status().remarks])


def _names(live: ReloadCheck[Any]) -> str:
    return ", ".join(source.name for source in engine_of(live).sources)


def _built(status: Status) -> str:
    names = ", ".join(one.name for one in status.resources)
    return f"; built and closed again: {names}" if names else ""


def _lines(status: Status) -> str:
    resources = (f"{one.name} ({one.instances} open)" for one in status.resources)
    shown = {
        "standing": status.standing,
        "why": "; ".join(status.reasons) or "-",
        "state": status.state,
        "reloading": "on" if status.enabled else "off: loaded once, never looked at again",
        "version": status.version,
        "digest": status.digest,
        "source digest": status.source_digest,
        "resources": ", ".join(resources) or "none",
    }
    return "\n".join(f"{name + ':':<15}{value}" for name, value in shown.items())


C = TypeVar("C")


def without_resources(live: ReloadCheck[C]) -> ReloadCheck[C]:
    """Return an engine on the same sources and schema that builds nothing: to try a file with.

    Rules, contract and references judge there as at a start; no store, trial or notice is met.
    """
    engine = engine_of(live)
    registry = Registry(engine.schema)
    twin = cast("ReloadCheck[C]", object.__new__(ReloadCheck))  # an engine refuses to be copied
    twin._environ = live._environ  # pyright: ignore[reportPrivateUsage] - off the public face
    other = Engine(engine.sources, engine.schema, registry, engine.options, engine.clock)
    if engine.references is not None:
        other.references = engine.references.anew()
        other.feed = SourceSet(engine.sources, other.references)
    other.face = weakref.ref(twin)
    other.gates += _judges(engine)
    twin._engine = other  # pyright: ignore[reportPrivateUsage] - off the public face
    return twin


def _judges(engine: Engine[Any]) -> Iterator[Gate]:
    """Return the gates that a first load has to pass whatever was served before."""
    if not engine.gates:
        return
    from ..policy.gate import ContractGate
    from ..policy.rules import Rules

    for gate in engine.gates:
        if isinstance(gate, Rules):
            yield gate
        elif isinstance(gate, ContractGate):
            yield gate.by_itself()

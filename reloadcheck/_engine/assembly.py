"""Put together what an application asks for by a path, a name or a switch: contract, store, trial.

The late imports of the front door. The engine knows policy, trial and store as protocols alone;
here they are loaded where they are asked for, and put among its gates or beside it. An operator's
variable wins over the code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..exceptions import OptionError, RegistrationError
from ..sources import source_of
from ..sources.file import FileSource
from ..types import Outcome, References, Source
from .engine import Engine
from .options import switch_of

if TYPE_CHECKING:
    from .._state.companion import Memory
    from ..policy.contract import Contract
    from ..policy.gate import ContractGate
    from ..policy.restart_only import RestartOnly
    from ..policy.rules import Rules
    from ..trial.options import Trial
    from ..trial.rehearsal import Rehearsals
    from ..types import Store
    from .shadow_stage import Shadowing

T = TypeVar("T")

ALONE = "the store is switched off: this worker takes up edits by itself, not together with others"

OFF = ("", "off", "none")
"""What a variable says that switches off what the code names."""


def add_contract(
    engine: Engine[Any],
    contract: Contract | str | os.PathLike[str] | None,
    environ: Mapping[str, str],
) -> ContractGate | None:
    """Put a contract among the gates, and return its gate; None where there is none."""
    contract = _named("RELOAD_CHECK_CONTRACT", contract, environ)
    if contract is None:
        return None
    from ..policy.contract import Contract
    from ..policy.gate import ContractGate

    if not isinstance(contract, Contract):
        contract = Contract(contract)
    files = [os.path.abspath(one.name) for one in engine.sources if isinstance(one, FileSource)]
    schema = engine.schema
    gate = ContractGate(
        *(contract, lambda: engine.options.environment, schema.spelled, files),
        no_option=_no_option,
        no_field=schema.missing,
        meant=schema.meant,
    )
    engine.gates.append(gate)
    _rehearsals_of(engine).requests = lambda: gate.terms.rehearse
    gate.hear = _Notices(engine, gate)
    return gate


class _Notices:
    """The webhooks that a contract names, which hear of the states that it lists."""

    def __init__(self, engine: Engine[Any], gate: ContractGate) -> None:
        self._engine, self._gate = engine, gate
        self._ends: list[Callable[[], None]] = []

    def __call__(self) -> None:
        """Notify those of the contract as it was read, and no longer those of a failed start."""
        terms = self._gate.terms
        for end in self._ends:
            end()
        self._ends.clear()
        if not terms.notify:
            return
        from ..integrations.webhook import tell

        for notice in terms.notify:
            address = partial(notice.address, terms.directory)
            self._ends.append(tell(self._engine, address, notice.on))


def _no_option(name: str, value: object) -> str | None:
    """Return what is wrong with an option of a trial, or None."""
    from ..trial.options import Trial

    try:
        Trial().changed({name: value})
    except OptionError as error:
        return str(error).removeprefix("Trial: ")
    return None


def add_references(
    engine: Engine[Any], references: Iterable[References], environ: Mapping[str, str] | None
) -> None:
    """Let values that are references stand for what is read there."""
    from .._load.references import ReferenceSet, checked
    from .._load.source_set import SourceSet

    engine.references = ReferenceSet(checked(references, environ), engine.options.max_bytes)
    engine.feed = SourceSet(engine.sources, engine.references)


def add_store(
    engine: Engine[Any],
    store: Store | str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    fallback: str | os.PathLike[str] | Source | None = None,
) -> None:
    """Put a store beside the engine, and what is served where an order says so."""
    given, store = store, _named("RELOAD_CHECK_STORE", store, environ)
    if store is None:
        if engine.options.together is not None:
            if given is None:
                raise OptionError("together needs a store that the workers share: store=…")
            engine.remarks = (*engine.remarks, ALONE)
        if fallback is not None and given is None:
            raise OptionError("fallback is served by an order, which needs a store: store=…")
        return
    from ..types import Store as _Store

    if not isinstance(store, _Store):
        from ..stores.named import store_named

        try:
            store = store_named(store)
        except OptionError as error:
            where = "environment variable RELOAD_CHECK_STORE: " * ("RELOAD_CHECK_STORE" in environ)
            raise OptionError(f"{where}{error}") from None
    source = None if fallback is None else source_of(fallback)
    _introduce(engine, _attached(engine, store, source))


def _attached(engine: Engine[Any], store: Store, fallback: Source | None) -> Memory:
    """Put a store beside an engine that has not started: in its feed, gates and listeners."""
    from .._state.companion import Memory

    def notify(anew: bool) -> None:
        thread = engine.thread
        if thread is not None and not thread.closing:
            if anew:
                thread.reload.forgets = True
            wish, run = memory.take_wish(), None if engine.trial is None else engine.trial.run
            if wish is not None and run is not None:
                run.order(wish.word, wish.why)
            thread.admission.ask(eager=False)

    def outcome() -> Outcome | None:
        conclusion = None if engine.thread is None else engine.thread.admission.conclusion
        return None if conclusion is None else conclusion.outcome

    memory = Memory(
        engine.feed,
        store,
        options=lambda: engine.options,
        clock=engine.clock,
        notify=notify,
        outcome=outcome,
        fallback=fallback,
    )
    engine.feed = memory.feed
    engine.gates.append(memory.gate)
    engine.listeners.add(memory.listener.hear)
    engine.companion = memory
    return memory


def _memory_of(engine: Engine[Any]) -> Memory | None:
    """Return what the engine has to do with its store, None where there is no store."""
    if engine.companion is None:
        return None
    from .._state.companion import Memory

    return engine.companion if isinstance(engine.companion, Memory) else None


def _introduce(engine: Engine[Any], memory: Memory) -> None:
    """Let the contract know the store."""
    if engine.gates == [memory.gate]:
        return
    from ..policy.gate import ContractGate

    for gate in engine.gates:
        if isinstance(gate, ContractGate):
            gate.beside, memory.feed.guards_start = memory.beside, True


def add_trial(
    engine: Engine[Any],
    trial: Trial | bool | None,
    environ: Mapping[str, str],
    contract: ContractGate | None = None,
) -> None:
    """Put a trial among the gates, the last one; a contract says more about each edit."""
    text = environ.get("RELOAD_CHECK_TRIAL")
    if text is not None and not switch_of("RELOAD_CHECK_TRIAL", text):
        return
    if trial is None or trial is False:
        if text is None:
            return
        trial = True
    from ..trial.gate import TrialGate
    from ..trial.options import Trial

    options = Trial() if trial is True else cast("Trial", _checked(trial, Trial))
    engine.trial = TrialGate(options, engine.clock.monotonic)
    engine.trial.repeats = partial(_shadowing, engine)
    if contract is not None:
        engine.trial.terms = contract.tried
    memory = _memory_of(engine)
    if memory is not None:
        engine.trial.shared, engine.trial.is_news = memory.trial_pool, memory.is_news
    engine.gates.append(engine.trial)


def _shadowing(engine: Engine[Any]) -> Shadowing:
    """Return what makes requests again; from now on doors stay on their versions."""
    from .shadow_stage import PinnedLease, Shadowing

    engine.pinned = PinnedLease
    return Shadowing(engine)


def _rehearsals_of(engine: Engine[Any]) -> Rehearsals:
    from ..trial.rehearsal import Rehearsals

    if (known := _gate_of(engine, Rehearsals)) is not None:
        return known
    rehearsals = Rehearsals()
    engine.gates.append(rehearsals)
    return rehearsals


def rehearsals_of(engine: Engine[Any]) -> Rehearsals:
    """Return the gate of what the application tries by itself, made when the first is named."""
    before_the_start(engine, "rehearsals are registered")
    return _rehearsals_of(engine)


def rules_of(engine: Engine[Any]) -> Rules:
    """Return the gate of the rules in code, which is made when the first one is registered."""
    before_the_start(engine, "rules are registered")
    from ..policy.rules import Rules

    if (known := _gate_of(engine, Rules)) is not None:
        return known
    rules = Rules(lambda: engine.options.environment)
    engine.gates.insert(0, rules)
    return rules


def restart_only_of(engine: Engine[Any]) -> RestartOnly:
    """Return the gate of the keys that wait for a restart, made when the first one is named."""
    before_the_start(engine, "keys that wait for a restart are named")
    from ..policy.restart_only import RestartOnly

    if (known := _gate_of(engine, RestartOnly)) is not None:
        return known
    gate = RestartOnly(engine.schema.spelled)
    memory = _memory_of(engine)
    if memory is not None:
        gate.beside = memory.beside
    engine.gates.insert(0, gate)
    return gate


def before_the_start(engine: Engine[Any], what: str) -> None:
    """Raise `RegistrationError` once the engine runs, for what is said before."""
    if engine.thread is not None:
        raise RegistrationError(
            f"{what} before the engine starts: move this up, to where ReloadCheck(…) is constructed"
        )


def _gate_of(engine: Engine[Any], kind: type[T]) -> T | None:
    return next((gate for gate in engine.gates if isinstance(gate, kind)), None)


def _checked(value: object, kind: type[object]) -> object:
    """Return the value; raise `OptionError` at run time for what a type checker would refuse."""
    if not isinstance(value, kind):
        raise OptionError("trial must be a Trial(…), True, False or None")
    return value


def _named(variable: str, given: T, environ: Mapping[str, str]) -> T | str | None:
    """Return what an operator names instead of what is given, None where it is switched off."""
    named = environ.get(variable)
    if named is None:
        return given
    return None if named.strip().lower() in OFF else named

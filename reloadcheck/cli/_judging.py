"""What rules and contract will say of an edit: what refuses it, what holds it back, until when.

Takes an engine's gates and one or two sides, gives a verdict; the rules' own functions run here,
nothing else of the application does. Quotes no value.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

from .._config.diff import diff
from .._engine.api import engine_of
from .._load.problems import located
from ..exceptions import RefusedError
from ..seams.gates import Keep, Proposal, Reject, Wait
from ..types import TIMER, Diff, KeyPath, key_path_text
from ._inputs import Inputs
from ._output import Page
from ._reading import Fault, faults_of
from ._sides import Side, loaded_of

if TYPE_CHECKING:
    from ..policy.approval import Leave

__all__ = ["WAITS", "Verdict", "show_verdict", "verdict_document", "verdict_of"]

WAITS: Final = 4
"""The exit status for an edit that is good and not yet allowed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gates of an engine say of one edit.

    `faults` refuse it, or warn. `rules` are those that were asked. `restart` are keys that keep
    their value until a restart; `approvals` say of a key whose leave it needs. `held` is each
    reason to wait; `opens` is when windows and freezes let it through, in seconds since the epoch,
    None where nobody can tell.
    """

    faults: tuple[Fault, ...] = ()
    rules: tuple[str, ...] = ()
    restart: tuple[KeyPath, ...] = ()
    approvals: tuple[tuple[str, tuple[str, ...]], ...] = ()
    held: tuple[Wait, ...] = ()
    opens: float | None = None
    leave: "Leave | None" = None
    is_override: bool = False
    is_tried: bool = False
    at: float = 0.0
    zone: tzinfo = field(default=UTC)
    zone_name: str = "UTC"

    @property
    def is_refused(self) -> bool:
        """Return whether it would be rejected."""
        return any(fault.severity == "error" for fault in self.faults)

    @property
    def waits(self) -> bool:
        """Return whether it is good, and would wait."""
        return bool(self.held) and not self.is_refused


def verdict_of(inputs: Inputs, old: Side | None, new: Side) -> Verdict | None:
    """Judge what becomes of `old`, or a first load where there is none; both can be used.

    None where the application has neither rules nor a contract.
    """
    if inputs.live is None:
        return None
    engine = engine_of(inputs.live)
    if not engine.gates:
        return None
    if inputs.contract_error is not None:
        return Verdict(tuple(faults_of(inputs.contract_error)))
    before = None if old is None else loaded_of(old, None)
    after = loaded_of(new, before)
    changes = Diff() if before is None else diff(before.tree, after.tree)
    if before is not None and not changes:
        return Verdict()
    proposal = Proposal(before, after, changes, (), TIMER, time.time())
    with redirect_stdout(sys.stderr):  # a rule may be a function that prints
        return _judged(inputs, proposal)


def _judged(inputs: Inputs, proposal: Proposal) -> Verdict:
    from ..policy.gate import ContractGate
    from ..policy.rules import Rules

    assert inputs.live is not None
    engine = engine_of(inputs.live)
    faults: list[Fault] = []
    rules: list[str] = []
    kept: list[KeyPath] = []
    verdict = Verdict(opens=proposal.at, at=proposal.at)
    for gate in engine.gates:
        if gate is engine.trial:
            continue
        if isinstance(gate, Rules):
            rules += gate.asked(proposal)
            for one in gate.judged(proposal):
                severity = "warning" if one.rule.warn else "error"
                error = located(RefusedError(one.problem, code=one.code), proposal.new.layers)
                faults += [Fault(severity, one.code, each) for each in error.problems]
            continue
        answer = gate.may(proposal)
        if isinstance(answer, Reject):
            error = RefusedError(*answer.problems, code=answer.code)
            faults += faults_of(located(error, proposal.new.layers))
        if isinstance(answer, Keep):
            kept += answer.paths
        if isinstance(gate, ContractGate):
            told = gate.forecast(proposal)
            rules += told.rules
            kept += told.restart
            terms = gate.terms
            approvals = tuple((key_path_text(path), of) for path, of in told.roles.items())
            verdict = Verdict(
                approvals=approvals,
                held=told.held,
                opens=told.opens,
                leave=told.leave,
                is_override=told.is_override,
                at=proposal.at,
                zone=terms.zone,
                zone_name=terms.zone_name,
            )
    return Verdict(
        tuple(faults),
        tuple(rules),
        tuple(dict.fromkeys(kept)),
        verdict.approvals,
        verdict.held,
        verdict.opens,
        verdict.leave,
        verdict.is_override,
        engine.trial is not None and proposal.old is not None,
        verdict.at,
        verdict.zone,
        verdict.zone_name,
    )


def show_verdict(page: Page, verdict: Verdict) -> None:
    """Print it, a line for each thing to know."""
    for mark, text, kind in _lines(verdict):
        page.sentence(f"{mark:<10}{text}", kind=kind, mark=mark, indent=10)


def _lines(verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    for name in verdict.rules:
        yield "judged", f"by rule {name}", "dim"
    for path in verdict.restart:
        yield (
            "restart",
            f"{key_path_text(path)} keeps its running value until the process starts anew",
            "warn",
        )
    for key, roles in verdict.approvals:
        yield "leave", f"{key} needs that of {' and '.join(roles)}", "warn"
    if verdict.leave is not None:
        how = "overridden" if verdict.is_override else "allowed"
        yield how, f"by {verdict.leave.actor}: {verdict.leave.reason}", "good"
    if verdict.is_refused:
        yield "refused", "the errors above say why", "error"
        return
    for wait in verdict.held:
        keys = ", ".join(key_path_text(path) for path in wait.keys[:3])
        yield "waits", f"{keys}: {wait.why}" if keys else wait.why, "warn"
    yield "live", _when(verdict), "warn" if verdict.held else "good"
    if verdict.is_tried:
        yield "trial", "it is tried on a share of the requests first", "dim"


def _when(verdict: Verdict) -> str:
    leave = any(wait.code in ("approval", "signature") for wait in verdict.held)
    after = ", once it has that leave" if leave else ""
    if verdict.opens is None:
        return f"nobody can tell when: its windows do not open{after}"
    if verdict.opens <= verdict.at:
        return f"at once{after}"
    moment = datetime.fromtimestamp(verdict.opens, verdict.zone)
    return f"from {moment:%a %Y-%m-%d %H:%M} {verdict.zone_name} on{after}"


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Return it as JSON has it; times are seconds since the epoch."""
    leave = verdict.leave
    return {
        "refused": verdict.is_refused,
        "waits": verdict.waits,
        "rules": list(verdict.rules),
        "restart": [key_path_text(path) for path in verdict.restart],
        "approvals": [{"key_path": key, "roles": list(of)} for key, of in verdict.approvals],
        "held": [
            {
                "code": wait.code,
                "why": wait.why,
                "opens": wait.opens,
                "keys": [key_path_text(path) for path in wait.keys],
            }
            for wait in verdict.held
        ],
        "live_from": None if verdict.is_refused else verdict.opens,
        "leave": None
        if leave is None
        else {"actor": leave.actor, "reason": leave.reason, "override": verdict.is_override},
        "trial": verdict.is_tried,
    }

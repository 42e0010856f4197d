"""The contract as a gate: ranges, required keys, rules, restarts, freezes, windows, approvals.

What is wrong is rejected before anything waits; an edit waits whole if any key of it waits; what
served before goes back at any time. Asked in a call thread, never on the request path.

Long because the order in which the terms of a contract are asked about is itself the rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ..exceptions import ContractError
from ..seams.gates import GO, Answer, Go, Keep, Proposal, Reject, Wait
from ..seams.store import Beside
from ..seams.trial import TrialTerms
from ..types import Code, KeyPath, Problem
from .approval import STATEMENTS, Approvals, Leave
from .cel import Expression, asks_environment, compiled, named_in
from .contract import Contract, read_contract
from .document import MOST_BYTES
from .files import bytes_of
from .forecast import Forecast, soonest
from .judgement import Judgement, owned
from .key_reader import NoOption
from .patterns import Meant, Pattern, Spelled, nobody_knows
from .reach import changed_paths, is_at
from .siblings import kept_by_siblings, tell_siblings
from .terms import ABSENT, Terms
from .windows import Window, told

OPENINGS: Final = 30.0
"""Seconds between two looks at the time of day, which may be set, while an edit waits for it."""


class ContractGate:
    """One contract, asked about each edit of one engine.

    `environment` returns the deployment's name or None; `spelled` tells how files may write a key
    path; `statements` are the files beside which signed statements are looked for; `no_option`
    says what is wrong with an option of a trial, `no_field` that a configuration cannot have a key
    path that a rule reads, or None; `meant` which key was meant. `hear` is called each time it is
    read.
    """

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return "the contract"

    @property
    def seconds(self) -> float:
        """Return how long one answer may take, in seconds."""
        return 30.0

    def __init__(
        self,
        contract: Contract,
        environment: Callable[[], str | None],
        spelled: Spelled,
        statements: Sequence[str],
        no_option: NoOption,
        no_field: Callable[[KeyPath], str | None],
        meant: Meant = nobody_knows,
    ) -> None:
        self.meant = meant
        self._no_option = no_option
        self._no_field = no_field
        self._contract = contract
        self._environment = environment
        self._spelled = spelled
        self._statements = tuple(statements)
        self._terms: Terms | None = None
        self._data = b""
        self._rules: tuple[Expression, ...] = ()
        self._approvals: Approvals | None = None
        self._judgement: Judgement | None = None
        self.beside: Beside | None = None
        self.hear: Callable[[], None] = _nothing

    def by_itself(self) -> "ContractGate":
        """Return a gate of the same contract that knows no store, and tells nobody."""
        spelled, files = self._spelled, self._statements
        return ContractGate(
            *(self._contract, self._environment, spelled, files, self._no_option, self._no_field)
        )

    @property
    def path(self) -> Path:
        """Return the contract's file."""
        return self._contract.path

    @property
    def terms(self) -> Terms:
        """Return the contract as it was read at the start; raise `ContractError` before."""
        if self._terms is None:
            raise ContractError(Problem("has not been read yet", str(self._contract.path)))
        return self._terms

    def open(self) -> frozenset[str]:
        """Read the contract; return the names of keys that it calls secret.

        Raise `ContractError` with all that is wrong.
        """
        terms, data = read_contract(self._contract, self._spelled, self._no_option, self.meant)
        rules: list[Expression] = []
        problems: list[Problem] = []
        for rule in terms.rules:
            expression = compiled(rule)
            wrong = [self._no_field(path) for path in named_in(rule.text)]
            faults = [
                f"the rule reads what is not there: {fault}" for fault in wrong if fault is not None
            ]
            if isinstance(expression, str):
                faults.insert(0, expression)
            else:
                rules.append(expression)
            problems += [Problem(one, terms.name, rule.line, rule.column) for one in faults]
        if self._environment() is None:
            problems += _nameless(terms)
        if problems:
            raise ContractError(*problems)
        self._rules = tuple(rules)
        beside = self.beside
        self._approvals = Approvals(terms, self._statements, self._environment(), beside)
        self._terms, self._data = terms, data
        self._judgement = Judgement(terms, self._rules, self._environment())
        self.hear()
        return terms.secrets

    def pending(self) -> tuple[str, ...]:
        """Return the contract's file name, where what is on disk is not what is in force."""
        try:
            same = bytes_of(self._contract.where, MOST_BYTES) == self._data
        except OSError:
            same = False
        return () if same else (self._contract.path.name,)

    def may(self, proposal: Proposal) -> Answer:
        """Judge an edit before it is built."""
        broken = self._judging.faults(proposal)
        if broken:
            return Reject(tuple(problem for problem, _ in broken), broken[0][1])
        if proposal.old is None:
            patterns = self._restarting()
            siblings, values = kept_by_siblings(self.beside, "contract", patterns, proposal.new)
            return Keep(siblings, values=values) if siblings else GO
        kept, going = self._parted(proposal)
        leave: Leave | None = None
        overridden = False
        if going and not proposal.is_back:
            override = self._approval.override(proposal, going)
            if isinstance(override, Leave):
                leave, overridden = override, True
            else:
                asked: Leave | Wait | None = self._frozen(proposal, going)
                asked = asked or self._closed(proposal, going)
                asked = asked or self._approval.leave(proposal, self._roles(going, proposal))
                if isinstance(asked, Wait):
                    return _beside(asked, override)
                leave = asked
        actor, reason = (None, None) if leave is None else (leave.actor, leave.reason)
        if kept:
            return Keep(kept, (), actor, reason, overridden)
        return Go((), actor, reason, None, overridden)

    def forecast(self, proposal: Proposal) -> Forecast:
        """Say who will be asked about an edit, and what holds it back; rejects nothing."""
        terms = self.terms
        before = None if proposal.old is None else proposal.old.config
        concerned = [one for one in self._rules if one.concerns(before, proposal.new.config)]
        rules = tuple(f"{self._contract.path.name}:{one.rule.line}" for one in concerned)
        kept, going = ((), []) if proposal.old is None else self._parted(proposal)
        if not going or proposal.is_back:
            return Forecast(rules, kept, {}, (), proposal.at, None, is_override=False)
        override = self._approval.override(proposal, going)
        if isinstance(override, Leave):
            return Forecast(rules, kept, {}, (), proposal.at, override, is_override=True)
        roles = self._roles(going, proposal)
        asked = self._approval.leave(proposal, roles)
        reasons = (self._frozen(proposal, going), self._closed(proposal, going), asked)
        held = tuple(_beside(one, override) for one in reasons if isinstance(one, Wait))
        leave = asked if isinstance(asked, Leave) else None
        opens = soonest(terms, going, proposal.at)
        return Forecast(rules, kept, roles, held, opens, leave, is_override=False)

    def tried(self, proposal: Proposal) -> TrialTerms:
        """Return what it says of how an edit is tried; of each changed key the nearest is asked."""
        terms = self.terms
        _, going = self._parted(proposal)
        said = [terms.said("trial", path) for path in going]
        signals = [terms.said("signal", path) for path in going]
        keys = {id(one): one for one in said if one is not None}
        named = dict.fromkeys(one for one in signals if one is not None)
        return TrialTerms(terms.trial, tuple(keys.values()), tuple(named))

    def now(self, proposal: Proposal) -> Answer:
        """Let through what was let through before it was built."""
        self._judging.forget()
        if proposal.old is None:
            tell_siblings(self.beside, "contract", self._restarting(), proposal.new)
        return GO

    def _restarting(self) -> list[Pattern]:
        return [one.pattern for one in self.terms.keys if one.restart]

    def _parted(self, proposal: Proposal) -> tuple[tuple[KeyPath, ...], list[KeyPath]]:
        """Return which changed keys keep their value until a restart, and which go on."""
        patterns = [one.pattern for one in self.terms.keys]
        paths = tuple(dict.fromkeys(changed_paths(proposal, patterns)))
        kept = tuple(path for path in paths if self.terms.said("restart", path))
        return kept, [path for path in paths if path not in set(kept)]

    # ---------------------------------------------------------------------------- waiting

    def _frozen(self, proposal: Proposal, paths: Sequence[KeyPath]) -> Wait | None:
        terms = self.terms
        freeze = next((one for one in terms.freezes if one.holds(proposal.at)), None)
        held = tuple(path for path in paths if terms.said("window", path) != "any")
        if freeze is None or not held:
            return None
        until = told(freeze.until, proposal.at, terms.zone)
        why = f"nothing changes until {until} {terms.zone_name}: {freeze.why}"
        return Wait(Code.FREEZE, why, freeze.until, held, self._look)

    def _closed(self, proposal: Proposal, paths: Sequence[KeyPath]) -> Wait | None:
        terms, closed = self.terms, list[tuple[KeyPath, Window]]()
        for path in paths:
            name = terms.said("window", path)
            window = None if name in (None, "any") else terms.windows[name]
            if window is not None and not window.is_open(proposal.at):
                closed.append((path, window))
        if not closed:
            return None
        opens = [window.opens(proposal.at) for _, window in closed]
        known = [at for at in opens if at is not None]
        at = max(known) if len(known) == len(opens) else None
        path, window = closed[0]
        when = "is closed" if window.spans else "is closed for ever: it has no span"
        when = f"opens {told(at, proposal.at, terms.zone)} {terms.zone_name}" if at else when
        why = f"its window {window.name!r} {when}{owned(terms, path)}"
        return Wait(Code.WINDOW, why, at, tuple(path for path, _ in closed), self._look)

    def _roles(
        self, paths: Sequence[KeyPath], proposal: Proposal
    ) -> dict[KeyPath, tuple[str, ...]]:
        """Return whose leave each changed key needs; none for a way back to its baseline."""
        terms, needed = self.terms, dict[KeyPath, tuple[str, ...]]()
        for path in paths:
            roles = terms.said("approve", path)
            if roles and not self._is_baseline(path, proposal):
                needed[path] = roles
        return needed

    def _is_baseline(self, path: KeyPath, proposal: Proposal) -> bool:
        exact = (one for one in self.terms.keys if len(one.pattern.steps) == len(path))
        meant = (one.baseline for one in exact if one.has_baseline and one.pattern.covers(path))
        baseline = next(meant, ABSENT)
        return baseline is not ABSENT and is_at(baseline, proposal.new, path)

    # ---------------------------------------------------------------------------- helpers

    @property
    def _approval(self) -> Approvals:
        if self._approvals is None:
            raise ContractError(Problem("has not been read yet", str(self._contract.path)))
        return self._approvals

    @property
    def _judging(self) -> Judgement:
        if self._judgement is None:
            raise ContractError(Problem("has not been read yet", str(self._contract.path)))
        return self._judgement

    @property
    def _look(self) -> float:
        """Return after how many seconds to look again: soon, where somebody may break the glass."""
        return OPENINGS if self.terms.override is None else STATEMENTS


def _beside(wait: Wait, fault: str | None) -> Wait:
    """Say beside why an edit waits why a broken glass does not help."""
    return wait if fault is None else replace(wait, why=f"{wait.why}; {fault}")


def _nameless(terms: Terms) -> list[Problem]:
    """Return that terms speak of environments, where nobody knows which this is; at the first."""
    say = "say which this is by ReloadCheck(environment=…) or RELOAD_CHECK_ENVIRONMENT"
    found: list[Problem] = []
    keys = (one for one in terms.keys if one.required_in or one.not_baseline_in)
    if (key := next(keys, None)) is not None:
        reason = f"names {', '.join(sorted(terms.environments))}: {say}"
        found.append(Problem(reason, terms.name, key.line, key.column))
    rules = (one for one in terms.rules if asks_environment(one.text))
    if (rule := next(rules, None)) is not None:
        reason = f"asks for `environment`: {say}"
        found.append(Problem(reason, terms.name, rule.line, rule.column))
    return found


def _nothing() -> None:
    """Do nothing."""

"""Judge an edit by a contract's ranges, required keys and CEL rules; each told at its key.

Takes terms and an edit, gives problems with their codes; what waits is the gate's to say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..seams.gates import Proposal
from ..types import Code, KeyPath, Problem
from .cel import Expression
from .reach import found_by, is_at, leaves_of, number_of
from .terms import Terms

__all__ = ["Judgement", "owned"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rules said of an edit, from what serves to what is new."""

    old: object = field(repr=False)
    new: object = field(repr=False)
    found: tuple[tuple[Problem, str], ...]


class Judgement:
    """The part of one contract that no leave and no time can let through."""

    def __init__(self, terms: Terms, rules: Sequence[Expression], environment: str | None) -> None:
        self._terms, self._rules, self._environment = terms, rules, environment
        self._asked: _Asked | None = None

    def faults(self, proposal: Proposal) -> list[tuple[Problem, str]]:
        """Return all that is wrong with an edit, each problem with its code."""
        found = [*self._out_of_range(proposal), *self._missing(proposal), *self._ruled(proposal)]
        if found:
            self.forget()
        return found

    def forget(self) -> None:
        """Hold what the rules were asked about no longer: nothing waits."""
        self._asked = None

    def _out_of_range(self, proposal: Proposal) -> Iterable[tuple[Problem, str]]:
        terms, seen = self._terms, set[KeyPath]()
        for one in terms.keys:
            if one.range is None:
                continue
            for start, value in found_by(one, proposal.new):
                for path, leaf in leaves_of(start, value):
                    limits = terms.said("range", path)
                    if path in seen or limits is None:
                        continue
                    seen.add(path)
                    number = number_of(leaf)
                    if leaf is not None and (number is None or not limits.has(number)):
                        what = "is no number" if number is None else "is"
                        owner = owned(terms, path)
                        reason = f"{what} outside {limits.text} of the contract{owner}"
                        yield Problem(reason, key_path=path), Code.RANGE

    def _missing(self, proposal: Proposal) -> Iterable[tuple[Problem, str]]:
        environment = self._environment
        for one in self._terms.keys:
            if environment in (one.required_in or ()):
                found = dict(one.pattern.found_in(proposal.new.tree))
                if not found or any(value is None for value in found.values()):
                    reason = f"must be set in {environment}, says the contract"
                    yield Problem(reason, key_path=one.pattern.steps), Code.REQUIRED
            if environment in (one.not_baseline_in or ()):
                for path, _ in found_by(one, proposal.new):
                    if is_at(one.baseline, proposal.new, path):
                        reason = f"still has its baseline, which must be set in {environment}"
                        yield Problem(reason, key_path=path), Code.REQUIRED

    def _ruled(self, proposal: Proposal) -> Iterable[tuple[Problem, str]]:
        """Ask the rules, once of each edit: one that waits is asked about for days, each window."""
        old, new = None if proposal.old is None else proposal.old.config, proposal.new.config
        asked = self._asked
        if asked is None or asked.old is not old or asked.new is not new:
            concerned = [one for one in self._rules if one.concerns(old, new)]
            told = (one.judge(old, new, self._environment) for one in concerned)
            asked = self._asked = _Asked(old, new, tuple(one for one in told if one is not None))
        return asked.found


def owned(terms: Terms, path: KeyPath) -> str:
    """Return who is named where a key is refused or waits, in brackets."""
    owner = terms.said("owner", path)
    return "" if owner is None else f" (owner: {owner})"

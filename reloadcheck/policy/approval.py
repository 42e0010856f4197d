"""Find the signed statements that let an edit through, and see that they fit it.

Their form is `statement`'s, their signatures `signing`'s. A statement is eight lines, then armoured
signatures over exactly those lines. It fits one edit: the digest that serves, the digest allowed,
the environment, the keys and a time. Verified in a call thread, once a window while something
waits; never on the request path.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import path as paths
from pathlib import Path
from typing import Any, Final

from .._config.digest import tree_digest
from .._load.resolved_layers import as_written
from ..seams.feed import Loaded
from ..seams.gates import Proposal, Wait
from ..seams.store import Beside
from ..types import Code, KeyPath, key_path_text
from .files import bytes_of
from .signing import verified
from .statement import MOST_BYTES, Statement, UnsignedError, statement_of
from .terms import Terms

_EXPIRED: Final = "it has expired"
STATEMENTS: Final = 1.0
"""Seconds between two looks for statements while an edit waits that one could let through."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave that holds: who gave it and why."""

    actor: str
    reason: str


class Approvals:
    """The signed statements of one engine: beside its sources' `files`, and in its store."""

    def __init__(
        self,
        terms: Terms,
        files: Sequence[str],
        environment: str | None,
        beside: Beside | None = None,
    ) -> None:
        self._terms = terms
        self._sources = tuple(files)
        self._store = beside
        self._environment = environment

    def leave(
        self, proposal: Proposal, needed: Mapping[KeyPath, tuple[str, ...]]
    ) -> Leave | Wait | None:
        """Return the leave for what needs one, None where nothing does, or what is missing."""
        if not needed:
            return None
        roles = list(dict.fromkeys(role for each in needed.values() for role in each))
        ask = f"needs the leave of {' and '.join(roles)}"
        faults: list[tuple[str, str]] = []
        for name, data in self._files("approval"):
            try:
                statement = _statement(data)
                fault = self._misfit(statement, proposal, needed)
                if fault is None:
                    people = self._people(statement, proposal.at)
                    missing = unfilled(roles, self._terms.roles, people)
                    if missing is None:
                        return Leave(", ".join(sorted(people)), statement.reason)
                    fault = f"the leave of {missing} is missing"
                faults.append((Code.APPROVAL, f"{ask}; {name}: {fault}"))
            except UnsignedError as error:
                faults.append((Code.SIGNATURE, f"{ask}; {name}: {error}"))
        hint = f"{ask}: reloadcheck approve FILE"
        code, why = faults[0] if faults else (Code.APPROVAL, hint)
        return Wait(code, why, None, tuple(needed), look=STATEMENTS)

    def override(self, proposal: Proposal, changed: Sequence[KeyPath]) -> Leave | str | None:
        """Return the leave of whoever broke the glass for this edit, or why that does not hold.

        None where nobody has tried to.
        """
        allowed = self._terms.override
        if allowed is None:
            return None
        faults: list[str] = []
        for name, data in self._files("override"):
            try:
                statement = _statement(data)
                fault = self._no_override(statement, proposal, changed, allowed.at_most)
                if fault is None:
                    people = self._people(statement, proposal.at)
                    members = {one for role in allowed.roles for one in self._terms.roles[role]}
                    if people & members:
                        return Leave(", ".join(sorted(people & members)), statement.reason)
                    fault = f"nobody of {' or '.join(allowed.roles)} has signed it"
            except UnsignedError as error:
                fault = str(error)
            # Those of an older night come last.
            faults.insert(len(faults) if fault == _EXPIRED else 0, f"{name}: {fault}")
        return faults[0] if faults else None

    def _no_override(
        self, statement: Statement, proposal: Proposal, changed: Sequence[KeyPath], at_most: float
    ) -> str | None:
        """Return why a statement breaks no glass for this edit, or None where it does."""
        uncovered = [path for path in changed if not statement.covers(path, self._terms.spelled)]
        to = statement.to
        checks = (
            (statement.kind == "override", "it is no override"),
            *self._here(statement),
            (statement.until > proposal.at, _EXPIRED),
            (statement.until - proposal.at <= at_most, "it is for longer than the contract allows"),
            (to is None or to in _digests(proposal.new), "it is for another content than this"),
            (not uncovered, f"it says nothing of {_listed(uncovered)}"),
        )
        return next((reason for holds, reason in checks if not holds), None)

    def _here(self, statement: Statement) -> tuple[tuple[bool, str], ...]:
        return (
            (statement.service == (self._terms.service or ""), "it is for another service"),
            (statement.environment == (self._environment or ""), "it is for another environment"),
        )

    def _misfit(
        self, statement: Statement, proposal: Proposal, needed: Mapping[KeyPath, object]
    ) -> str | None:
        """Return why a statement is not for this edit, or None where it is."""
        old = ("",) if proposal.old is None else _digests(proposal.old)
        new = _digests(proposal.new)
        uncovered = [path for path in needed if not statement.covers(path, self._terms.spelled)]
        checks = (
            (statement.kind == "approval", "it is no approval"),
            *self._here(statement),
            (statement.base in old, "it is for another base than what serves"),
            (statement.to in new, "it is for another content than this"),
            (not uncovered, f"it says nothing of {_listed(uncovered)}"),
            (statement.until > proposal.at, _EXPIRED),
        )
        return next((reason for holds, reason in checks if not holds), None)

    def _files(self, kind: str) -> list[tuple[str, bytes | OSError]]:
        """Return what lies beside the sources and in the store, each with a name for messages."""
        found: list[tuple[str, bytes | OSError]] = []
        for beside in self._sources:
            path = Path(f"{beside}.{kind}")
            try:
                found.append((path.name, bytes_of(path, MOST_BYTES)))
            except FileNotFoundError:
                continue
            except OSError as error:
                found.append((path.name, error))
        if self._store is not None:
            found += self._store.statements(kind)
        return found

    def _people(self, statement: Statement, at: float) -> frozenset[str]:
        signers = paths.join(self._terms.directory, self._terms.approvers or "")
        return frozenset(
            verified(statement.signed, signature, signers, at) for signature in statement.signatures
        )


def _statement(found: bytes | OSError) -> Statement:
    if isinstance(found, OSError):
        raise UnsignedError(f"cannot be read: {found.strerror or type(found).__name__}")
    return statement_of(found)


def unfilled(
    roles: Sequence[str], members: Mapping[str, tuple[str, ...]], people: frozenset[str]
) -> str | None:
    """Return a role that nobody is left for, when each needs a person of its own."""
    taken: dict[str, str] = {}

    def fill(role: str, tried: set[str]) -> bool:
        for one in members[role]:
            if one in people and one not in tried:
                tried.add(one)
                if one not in taken or fill(taken[one], tried):
                    taken[one] = role
                    return True
        return False

    return next((role for role in roles if not fill(role, set())), None)


def _digests(loaded: Loaded[Any]) -> tuple[str, ...]:
    """Return what statements may call a content: also as it is written, where secrets are not."""
    if not any(layer.referred for layer in loaded.layers):
        return (loaded.digest,)
    return loaded.digest, tree_digest(as_written(loaded.tree, loaded.layers))


def _listed(paths_: Sequence[KeyPath]) -> str:
    return ", ".join(key_path_text(path) for path in paths_[:5])

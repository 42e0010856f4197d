"""What a statement of leave is to say, and whether one that is there says it already.

On top of what, which content, which keys, until when. Takes words and an engine with its contract,
gives the wording; signs nothing. What serves is told by `--from`, by the running application, or by
the file that another one is to follow.
"""

import argparse
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from os import path as paths
from typing import Any, Final

from .._config.containers import is_dict, is_list
from .._config.diff import diff
from ..exceptions import UsageError
from ..policy.approval import unfilled
from ..policy.gate import ContractGate
from ..policy.patterns import pattern_of
from ..policy.statement import ANYTHING, Statement, statement_text
from ..policy.terms import Terms
from ..seams.feed import Loaded
from ..seams.gates import Proposal
from ..types import TIMER, key_path_text, printable
from ._ask_http import UnreachableError, address, asked
from ._inputs import Inputs
from ._sides import Side, loaded_of, side_of, stand_of
from ._times import moment
from ._unanswered import UnansweredError

__all__ = ["Wording", "worded"]

_DAY: Final = 86_400.0
_SECONDS: Final = 5.0
_KINDS: Final = {"approve": "approval", "override": "override"}
_WHAT_SERVES: Final = (
    "say what serves, on top of which the edit comes: --from DIGEST (its status shows it) or "
    "--from FILE, or set RELOAD_CHECK_STATUS_URL, so that the application is asked"
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What one statement says, save its reason.

    `file` is what it lies beside; `limit` is the latest end that the command line allows, None
    where it says nothing. `roles` are those whose leave counts, of `members`; `signers` is the file
    of allowed signers. Times are in seconds since the epoch.
    """

    kind: str
    file: str
    service: str
    environment: str
    base: str
    to: str
    keys: tuple[str, ...]
    until: str
    limit: float | None
    roles: tuple[str, ...]
    members: Mapping[str, tuple[str, ...]]
    signers: str
    at: float

    def lines(self, reason: str) -> str:
        """Return the eight lines."""
        if not reason.isprintable():
            raise UsageError("--why is one line of text")
        where = self.service, self.environment
        return statement_text(self.kind, *where, self.base, self.to, self.keys, self.until, reason)

    def is_same(self, one: Statement) -> bool:
        """Return whether a statement says this too, and is good still."""
        to = None if self.to == ANYTHING else self.to
        said = one.kind, one.service, one.environment, one.base, one.to
        mine = self.kind, self.service, self.environment, self.base, to
        if said != mine or one.until <= self.at:
            return False
        if self.keys == (ANYTHING,) or self.kind == "override":
            return (one.keys or (ANYTHING,)) == self.keys
        return all(one.covers(pattern_of(key).steps) for key in self.keys)

    def missing(self, people: frozenset[str]) -> str | None:
        """Return a role whose leave is missing still."""
        if self.kind == "override":
            allowed = any(people & {*self.members[role]} for role in self.roles)
            return None if allowed else " or ".join(self.roles)
        return unfilled(self.roles, self.members, people)


def worded(arguments: argparse.Namespace, inputs: Inputs) -> Wording | Side:
    """Return what the statement is to say, or what cannot be used."""
    gate, kind = _gate(inputs), _KINDS[arguments.verb]
    terms = gate.terms
    if terms.approvers is None:
        raise UsageError("the contract names no `approvers:`, a file of allowed signers")
    stand = stand_of(inputs, arguments.words[0], arguments.format)
    base, before = _base(arguments, inputs, stand.own, optional=kind == "override")
    if isinstance(before, Side) and before.faults:
        return before
    old = loaded_of(before, None) if isinstance(before, Side) else None
    new = side_of(inputs, stand.sources, before if isinstance(before, Side) else None)
    if new.faults:
        return new
    at = time.time()
    to = new.digest
    asked_for = _said_keys(arguments, gate)
    if kind == "override":
        if terms.override is None:
            raise UsageError("the contract has no `override:`: nobody may break the glass")
        most = terms.override.at_most
        roles: Sequence[str] = terms.override.roles
        keys = asked_for or (ANYTHING,)
        to = ANYTHING if asked_for else to
    else:
        most = _DAY
        needed = _needed(gate, old, loaded_of(new, old), at, asked_for, before, to)
        # The line has commas between keys, which a key's own comma would break.
        keys = (ANYTHING,) if any("," in key for key in needed) else tuple(needed)
        roles = list(dict.fromkeys(role for each in needed.values() for role in each))
    limit = None if arguments.until is None else moment(arguments.until, past=False)
    until = at + most if limit is None else limit
    if until <= at:
        raise UsageError("--until has passed already")
    if kind == "override" and until > at + most:
        hours = f"{most / 3600:g}"
        raise UsageError(f"--until: the contract lets nobody break the glass for over {hours} h")
    text = datetime.fromtimestamp(until, terms.zone).isoformat(timespec="seconds")
    signers = paths.join(terms.directory, terms.approvers)
    where = terms.service or "", _environment(inputs)
    return Wording(
        kind,
        stand.file,
        *where,
        base,
        to,
        keys,
        text,
        limit,
        tuple(roles),
        terms.roles,
        signers,
        at,
    )


_ASKED: Final = 10
"""How often an application is asked whose workers may have had no request so far."""


def _gate(inputs: Inputs) -> ContractGate:
    if inputs.live is None:
        raise UsageError("name the engine whose contract asks for leave: --app MODULE:NAME")
    if inputs.contract_error is not None:
        raise UsageError(f"the contract cannot be used: {inputs.contract_error}")
    if inputs.contract is None:
        raise UsageError(f"{printable(inputs.schema_name or '')}: has no contract=…")
    return inputs.contract


def _environment(inputs: Inputs) -> str:
    from .._engine.api import engine_of

    return "" if inputs.live is None else engine_of(inputs.live).options.environment or ""


def _base(
    arguments: argparse.Namespace, inputs: Inputs, own: Any, *, optional: bool
) -> tuple[str, Side | Mapping[str, Any] | None]:
    """Return the digest of what serves, and what else is known of it."""
    said: str | None = arguments.base
    if said is not None and re.fullmatch(r"[0-9a-f]{64}", said):
        return said, None
    if said is not None:
        side = side_of(inputs, stand_of(inputs, said, arguments.format).sources, None)
        return ("" if side.faults else side.digest), side
    told = _status()
    if told is not None:
        return str(told["digest"]), told
    if own is not None:
        side = side_of(inputs, own, None)
        return ("" if side.faults else side.digest), side
    if optional:
        return ANYTHING, None
    raise UsageError(_WHAT_SERVES)


def _status() -> dict[str, Any] | None:
    environ = os.environ
    if not (environ.get("RELOAD_CHECK_STATUS_URL") or environ.get("RELOAD_CHECK_STATUS_PATH")):
        return None
    for _ in range(_ASKED):
        try:
            told = asked(address((), environ), environ.get("RELOAD_CHECK_STATUS_TOKEN"), _SECONDS)
        except UnreachableError as error:
            raise UnansweredError(
                f"the application does not say what serves: {error}; or give --from"
            ) from None
        if told["digest"] is not None:
            return told
    raise UnansweredError(
        "the application serves nothing yet: no worker that answered has had a request; or give "
        "--from"
    )


def _said_keys(arguments: argparse.Namespace, gate: ContractGate) -> tuple[str, ...]:
    if arguments.keys is None:
        return ()
    keys = tuple(key.strip() for key in str(arguments.keys).split(","))
    for key in keys:
        pattern = pattern_of(key, gate.terms.spelled)
        if not pattern.spelled:
            meant = gate.meant(pattern.steps)
            raise UsageError(f"--keys: the schema has no key {printable(key)}{meant}")
    return keys


def _needed(
    gate: ContractGate,
    old: Loaded[Any] | None,
    new: Loaded[Any],
    at: float,
    said: tuple[str, ...],
    told: object,
    to: str,
) -> dict[str, tuple[str, ...]]:
    """Return the keys that need leave, each with whose; all that may, where nobody can tell."""
    terms = gate.terms
    if said:
        return {key: _roles_of(terms, key) for key in said}
    if old is not None:
        changes = diff(old.tree, new.tree)
        roles = gate.forecast(Proposal(old, new, changes, (), TIMER, at)).roles
        return {key_path_text(path): of for path, of in roles.items()}
    waiting = told.get("waiting") if is_dict(told) else None
    if is_dict(waiting) and waiting.get("digest") == to and waiting.get("why") in _OF_LEAVE:
        keys = waiting.get("keys")
        return {str(key): _roles_of(terms, str(key)) for key in keys} if is_list(keys) else {}
    return {one.pattern.text: one.approve for one in terms.keys if one.approve}


_OF_LEAVE: Final = ("approval", "signature")


def _roles_of(terms: Terms, key: str) -> tuple[str, ...]:
    pattern = pattern_of(key, terms.spelled)
    own = terms.said("approve", pattern.ways[0])
    below = [one.approve or () for one in terms.keys if pattern.covers(one.pattern.ways[0])]
    return tuple(dict.fromkeys([*(own or ()), *(role for each in below for role in each)]))

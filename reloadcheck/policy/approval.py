"""Signed leave: statements beside the source, verified by `ssh-keygen` against allowed signers.

A statement is eight lines, then armoured signatures over exactly those lines. It fits one edit: the
digest that serves, the digest allowed, the environment, the keys and a time. Verified in a call
thread, once a window while something waits; never on the request path.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import path as paths
from pathlib import Path
from typing import Final

from ..seams import Proposal, Wait
from ..types import Code, KeyPath, key_path_text, printable
from .patterns import pattern_of
from .terms import Terms

NAMESPACE: Final = "reloadcheck"
FIELDS: Final = ("reloadcheck", "service", "environment", "from", "to", "keys", "until", "reason")
ANYTHING: Final = "any"
_MOST_BYTES: Final = 64 * 2**10
_SECONDS: Final = 10.0
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave that holds: who gave it and why."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it was read; `signed` are its eight lines, `until` seconds since the epoch.

    `keys` is None where it says `any`, and so is `to`.
    """

    kind: str
    service: str
    environment: str
    base: str
    to: str | None
    keys: tuple[str, ...] | None
    until: float
    reason: str
    signed: bytes = field(repr=False)
    signatures: tuple[str, ...] = field(repr=False)

    def covers(self, path: KeyPath) -> bool:
        """Return whether its keys cover a key path."""
        return self.keys is None or any(pattern_of(key).covers(path) for key in self.keys)


class UnsignedError(Exception):
    """A statement whose form or signature does not hold; its text says why."""


class Approvals:
    """The signed statements beside the sources of one engine."""

    def __init__(self, terms: Terms, beside: Sequence[str], environment: str | None) -> None:
        self._terms = terms
        self._beside = tuple(beside)
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
                statement = statement_of(data)
                fault = self._misfit(statement, proposal, needed)
                if fault is None:
                    people = self._people(statement, proposal.at)
                    missing = _unfilled(roles, self._terms.roles, people)
                    if missing is None:
                        return Leave(", ".join(sorted(people)), statement.reason)
                    fault = f"the leave of {missing} is missing"
                faults.append((Code.APPROVAL, f"{ask}; {name}: {fault}"))
            except UnsignedError as error:
                faults.append((Code.SIGNATURE, f"{ask}; {name}: {error}"))
        hint = f"{ask}: reloadcheck approve FILE"
        code, why = faults[0] if faults else (Code.APPROVAL, hint)
        return Wait(code, why, None, tuple(needed), look=1.0)

    def override(self, proposal: Proposal, changed: Sequence[KeyPath]) -> Leave | None:
        """Return the leave of whoever broke the glass for this edit, if anybody did."""
        allowed = self._terms.override
        if allowed is None:
            return None
        for _, data in self._files("override"):
            try:
                statement = statement_of(data)
                if statement.kind != "override" or self._is_elsewhere(statement, proposal):
                    continue
                if statement.until - proposal.at > allowed.at_most:
                    continue
                if statement.to not in (None, proposal.new.digest):
                    continue
                if not all(statement.covers(path) for path in changed):
                    continue
                people = self._people(statement, proposal.at)
            except UnsignedError:
                continue
            members = {one for role in allowed.roles for one in self._terms.roles[role]}
            if people & members:
                return Leave(", ".join(sorted(people & members)), statement.reason)
        return None

    def _is_elsewhere(self, statement: Statement, proposal: Proposal) -> bool:
        return (
            statement.environment != (self._environment or "")
            or statement.service != (self._terms.service or "")
            or statement.until <= proposal.at
        )

    def _misfit(
        self, statement: Statement, proposal: Proposal, needed: Mapping[KeyPath, object]
    ) -> str | None:
        """Return why a statement is not for this edit, or None where it is."""
        old = "" if proposal.old is None else proposal.old.digest
        uncovered = [path for path in needed if not statement.covers(path)]
        checks = (
            (statement.kind == "approval", "it is no approval"),
            (statement.service == (self._terms.service or ""), "it is for another service"),
            (statement.environment == (self._environment or ""), "it is for another environment"),
            (statement.base == old, "it is for another base than what serves"),
            (statement.to == proposal.new.digest, "it is for another content than this"),
            (not uncovered, f"it says nothing of {_listed(uncovered)}"),
            (statement.until > proposal.at, "it has expired"),
        )
        return next((reason for holds, reason in checks if not holds), None)

    def _files(self, kind: str) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for beside in self._beside:
            path = Path(f"{beside}.{kind}")
            try:
                with path.open("rb") as file:
                    found.append((path.name, file.read(_MOST_BYTES + 1)))
            except OSError:
                continue
        return found

    def _people(self, statement: Statement, at: float) -> frozenset[str]:
        signers = paths.join(self._terms.directory, self._terms.approvers or "")
        return frozenset(
            verified(statement.signed, signature, signers, at) for signature in statement.signatures
        )


def statement_of(data: bytes) -> Statement:
    """Return a statement; raise `UnsignedError` for what is none."""
    if len(data) > _MOST_BYTES:
        raise UnsignedError("it is too large for a statement")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UnsignedError("it is not UTF-8") from None
    head, begin, rest = text.partition(_BEGIN)
    lines = head.split("\n")
    if "\r" in head or len(lines) != len(FIELDS) + 1 or lines[-1]:
        raise UnsignedError("a statement is eight lines that end in LF, then its signatures")
    values: list[str] = []
    for name, line in zip(FIELDS, lines, strict=False):
        key, colon, value = line.partition(": ")
        if key != name or not colon:
            raise UnsignedError(f"its line `{name}: …` is missing or in another place")
        values.append(value.strip())
    word = re.fullmatch(r"(approval|override) 1", values[0])
    if word is None:
        raise UnsignedError("it begins with neither `approval 1` nor `override 1`")
    until = _until(values[6])
    if until is None:
        raise UnsignedError("its `until:` is no time with an offset, as in 2026-12-01T18:00+01:00")
    keys = None if values[5] == ANYTHING else tuple(re.split(r", *", values[5]))
    to = None if values[4] == ANYTHING else values[4]
    if keys is None and to is None:
        raise UnsignedError("it names neither the content nor the keys that it is for")
    if not values[7]:
        raise UnsignedError("it gives no reason")
    signatures = tuple(
        _BEGIN + part.split(_END)[0] + _END + "\n" for part in (begin + rest).split(_BEGIN)[1:]
    )
    if not signatures:
        raise UnsignedError("nobody has signed it")
    signed = head.encode()
    kind = word[1]
    _, service, environment, base, *_ = values
    return Statement(
        kind, service, environment, base, to, keys, until, values[7], signed, signatures
    )


def statement_text(
    kind: str,
    service: str,
    environment: str,
    base: str,
    to: str,
    keys: Sequence[str],
    until: str,
    reason: str,
) -> str:
    """Return the eight lines that are signed."""
    values = (f"{kind} 1", service, environment, base, to, ", ".join(keys), until, reason)
    if any("\n" in value for value in values):
        raise ValueError("a line of a statement has no line break in it")
    return "".join(f"{name}: {value}\n" for name, value in zip(FIELDS, values, strict=True))


def verified(signed: bytes, signature: str, signers: str, at: float) -> str:
    """Return who made a signature; raise `UnsignedError` where nobody allowed did.

    `at` is the time, in seconds since the epoch, at which the key must be valid.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise UnsignedError("ssh-keygen is not on this machine: install openssh-client")
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%d%H%M%SZ")
    with tempfile.TemporaryDirectory(prefix="reloadcheck-") as directory:
        file = paths.join(directory, "signature")
        Path(file).write_text(signature, encoding="ascii", errors="replace")
        found = _run(
            [program, "-Y", "find-principals", "-s", file, "-f", signers,
             "-O", f"verify-time={moment}"], b"",
        )  # fmt: skip
        people = [line.strip() for line in found.stdout.decode(errors="replace").split("\n")]
        people = [one for line in people for one in line.split(",") if one]
        if found.returncode != 0 or not people:
            raise UnsignedError("its signature is by nobody among the approvers")
        for one in people:
            done = _run(
                [program, "-Y", "verify", "-f", signers, "-I", one, "-n", NAMESPACE, "-s", file,
                 "-O", f"verify-time={moment}"], signed,
            )  # fmt: skip
            if done.returncode == 0:
                return one
    words = (done.stderr + done.stdout).decode(errors="replace").lower()
    for word, reason in (
        ("namespace", f"its signature is for another purpose than {NAMESPACE!r}"),
        ("expired", "the signer's key has expired"),
        ("not valid", "the signer's key is not valid at this time"),
        ("incorrect signature", "its signature is of other lines than these"),
    ):
        if word in words:
            raise UnsignedError(reason)
    raise UnsignedError(f"the signature of {printable(people[0])} does not hold")


def _run(command: list[str], given: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            command, input=given, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnsignedError(f"ssh-keygen did not answer: {type(error).__name__}") from None


def _unfilled(
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


def _until(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def _listed(paths_: Sequence[KeyPath]) -> str:
    return ", ".join(key_path_text(path) for path in paths_[:5])

"""`reloadcheck approve`, `override`: write the statement that lets an edit through, and sign it.

Without a key it prints what is to be signed, and how. Prints no value of the configuration; builds
nothing, and what it has signed is verified as a running application will.
"""

import argparse
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..exceptions import UsageError
from ..policy.signing import NAMESPACE, signature_by, verified
from ..policy.statement import FIELDS, MOST_BYTES, Statement, UnsignedError, statement_of
from ..types import printable
from ._faults import show_faults
from ._inputs import inputs_of
from ._output import Page
from ._wording import Wording, worded

__all__ = ["run"]


@dataclass(frozen=True, slots=True)
class _Signed:
    """A statement on its way to its file: the eight lines, the signatures that hold, by person."""

    lines: str
    signatures: dict[str, str]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if len(arguments.words) != 1 or arguments.words == ["-"]:
        raise UsageError("name one FILE, whose edit is to be let through")
    inputs = inputs_of(arguments, arguments.words)
    page = Page()
    wording = worded(arguments, inputs)
    if not isinstance(wording, Wording):
        show_faults(page, wording.faults, wording.known)
        page.sentence("FAILED: nothing can be signed", kind="error", mark="FAILED:")
        return 1
    if not wording.keys:
        return _nothing(page, arguments)
    path = Path(f"{wording.file}.{wording.kind}")
    found = _found(path, wording)
    if found is None:
        if not arguments.why:
            raise UsageError(f"say why: reloadcheck {arguments.verb} FILE --why 'TEXT'")
        found = _Signed(wording.lines(arguments.why), {})
    elif (limit := wording.limit) is not None and _until(found.lines) > limit:
        raise UsageError(
            f"{printable(path.name)} holds the same statement, good for longer than --until says: "
            "remove it, or sign it as it is, without --until"
        )
    if arguments.key is None:
        return _tell(page, arguments, wording, found, path)
    try:
        person, signature = _sign(arguments, wording, found)
    except UnsignedError as error:
        page.sentence(f"FAILED: {error}", kind="error", mark="FAILED:")
        return 1
    found.signatures.setdefault(person, signature)
    try:
        beside = path.with_name(f"{path.name}.new")
        beside.write_text(found.lines + "".join(found.signatures.values()), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise UsageError(
            f"{printable(str(path))} cannot be written: {error.strerror}; without --key, what to "
            "sign is printed"
        ) from None
    return _conclude(page, arguments, wording, found, path)


def _nothing(page: Page, arguments: argparse.Namespace) -> int:
    said = "Nothing that the edit changes needs anybody's leave."
    if arguments.json:
        page.json({"ok": True, "written": False, "says": said})
    else:
        page.sentence(said)
    return 0


def _found(path: Path, wording: Wording) -> _Signed | None:
    """Return the statement beside the file where it says the same, with what holds of it."""
    try:
        with path.open("rb") as file:
            statement = statement_of(file.read(MOST_BYTES + 1), signed=False)
    except (OSError, UnsignedError):
        return None
    if not wording.is_same(statement):
        return None
    return _Signed(statement.signed.decode(), _held(statement, wording))


def _held(statement: Statement, wording: Wording) -> dict[str, str]:
    held: dict[str, str] = {}
    for signature in statement.signatures:
        with suppress(UnsignedError):
            held[verified(statement.signed, signature, wording.signers, wording.at)] = signature
    return held


def _until(lines: str) -> float:
    return statement_of(lines.encode(), signed=False).until


def _sign(arguments: argparse.Namespace, wording: Wording, found: _Signed) -> tuple[str, str]:
    """Return who has signed, and the signature; raise `UnsignedError` where it will not hold."""
    signature = signature_by(arguments.key, found.lines)
    person = verified(found.lines.encode(), signature, wording.signers, wording.at)
    if arguments.person not in (None, person):
        raise UnsignedError(f"the key is {person}'s: --as {printable(arguments.person)} is another")
    members = {one for role in wording.roles for one in wording.members[role]}
    if person not in members:
        raise UnsignedError(f"{person} is none of {' and '.join(wording.roles)}")
    return person, signature


def _command(path: Path) -> str:
    name = shlex.quote(str(path))
    count = len(FIELDS)
    return f"head -n {count} {name} |\nssh-keygen -Y sign -n {NAMESPACE} -f KEY >> {name}"


def _tell(
    page: Page, arguments: argparse.Namespace, wording: Wording, found: _Signed, path: Path
) -> int:
    """Print what to sign, and how."""
    if arguments.json:
        page.json(
            {
                "ok": True,
                "written": False,
                "path": str(path),
                "statement": found.lines,
                "command": _command(path),
                "roles": list(wording.roles),
            }
        )
        return 0
    for line in found.lines.splitlines():
        page.line(printable(line))
    page.line()
    page.sentence(f"Nothing is signed. Whoever is {_listed(wording.roles)} signs these lines:")
    page.sentence("Run" if found.signatures else f"Lay them into {path}, and run")
    for line in _command(path).splitlines():
        page.line(f"  {line}")
    page.sentence("Or give this command a --key.")
    return 0


def _conclude(
    page: Page, arguments: argparse.Namespace, wording: Wording, found: _Signed, path: Path
) -> int:
    missing = wording.missing(frozenset(found.signatures))
    if arguments.json:
        page.json(
            {
                "ok": True,
                "written": True,
                "path": str(path),
                "statement": found.lines,
                "signed_by": sorted(found.signatures),
                "missing": missing,
            }
        )
        return 0
    for line in found.lines.splitlines():
        page.line(printable(line))
    page.line()
    people = ", ".join(sorted(found.signatures))
    page.sentence(f"OK: {path} is signed by {people}", kind="good", mark="OK:")
    if missing is not None:
        page.sentence(f"waits  for the leave of {missing}", kind="warn", mark="waits")
    return 0


def _listed(roles: Sequence[str]) -> str:
    return " and ".join(roles)

"""`reloadcheck approve`, `override`: write the statement that lets an edit through, and sign it.

Without a key it prints what is to be signed, and how. Prints no value of the configuration; builds
nothing, and what it has signed is verified as a running application will.
"""

import argparse
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._engine.api import engine_of
from .._state.store_orders import Orders
from ..exceptions import StoreError, UsageError
from ..policy.signing import NAMESPACE, signature_by, verified
from ..policy.statement import FIELDS, Statement, UnsignedError, statement_of
from ..types import Store, printable
from ._faults import problem_document, show_faults
from ._inputs import Inputs, inputs_of
from ._output import Page
from ._statement_places import BesideFile, InStore
from ._statement_wording import Wording, worded
from ._which_store import application_known, store_of, unreachable

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
        problems = [problem_document(one) for one in wording.faults]
        if not arguments.json:
            show_faults(page, wording.faults, wording.known)
        return _failed(page, arguments, "nothing can be signed", problems)
    if not wording.keys:
        return _nothing(page, arguments, "Nothing that the edit changes needs anybody's leave.")
    if wording.kind == "approval" and wording.base == wording.to:
        return _nothing(page, arguments, "What FILE holds is what serves: there is no edit.")
    try:
        return _leave(page, arguments, inputs, wording)
    except StoreError as error:
        return unreachable(page, error, json=arguments.json)


def _leave(page: Page, arguments: argparse.Namespace, inputs: Inputs, wording: Wording) -> int:
    path = Path(f"{wording.file}.{wording.kind}")
    place = BesideFile(path) if arguments.store is None else _in_store(arguments, inputs, wording)
    found = _found(place, wording)
    if found is None:
        if not arguments.why:
            raise UsageError(f"say why: reloadcheck {arguments.verb} FILE --why 'TEXT'")
        found = _Signed(wording.lines(arguments.why), {})
    elif (limit := wording.limit) is not None and _until(found.lines) > limit:
        raise UsageError(
            f"{printable(place.name)} holds the same statement, good for longer than --until says: "
            "remove it, or sign it as it is, without --until"
        )
    if arguments.key is None:
        return _tell(page, arguments, wording, found, path)
    try:
        person, signature = _sign(arguments, wording, found)
    except UnsignedError as error:
        return _failed(page, arguments, str(error))
    found.signatures.setdefault(person, signature)
    place.write(found.lines + "".join(found.signatures.values()), wording.at)
    return _conclude(page, arguments, wording, found, place.name)


def _in_store(arguments: argparse.Namespace, inputs: Inputs, wording: Wording) -> InStore:
    """Return the store that is named, else the engine's."""
    engine = None if inputs.live is None else engine_of(inputs.live)
    companion: Any = None if engine is None else engine.companion
    given: str = arguments.store
    if not given and companion is None:
        raise UsageError("the engine has no store=…: name one by --store STORE")
    store: Store = store_of(given) if given else companion.keeper.store
    own = (None, None) if engine is None else (engine.options.app, engine.options.release)
    name = arguments.name or (own[0] if companion is None else companion.application)
    if name is None:
        raise UsageError("name the application in the store by --name")
    if arguments.name is not None or arguments.release is not None:
        name = application_known(store, name, arguments.release)  # nobody would read it elsewhere
    orders = Orders(store, app=name, release=arguments.release or own[1])
    return InStore(orders, wording.kind, store.name)


def _failed(
    page: Page, arguments: argparse.Namespace, why: str, problems: Sequence[dict[str, Any]] = ()
) -> int:
    if arguments.json:
        page.json({"ok": False, "written": False, "error": why, "problems": [*problems]})
    else:
        page.sentence(f"FAILED: {why}", kind="error", mark="FAILED:")
    return 1


def _nothing(page: Page, arguments: argparse.Namespace, said: str) -> int:
    if arguments.json:
        page.json({"ok": True, "written": False, "says": said})
    else:
        page.sentence(said)
    return 0


def _found(place: BesideFile | InStore, wording: Wording) -> _Signed | None:
    """Return the statement that is there already, if it says the same, with what holds of it."""
    for text in place.texts():
        with suppress(UnsignedError):
            statement = statement_of(text, signed=False)
            if wording.is_same(statement):
                return _Signed(statement.signed.decode(), _held(statement, wording))
    return None


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
    page: Page, arguments: argparse.Namespace, wording: Wording, found: _Signed, place: str
) -> int:
    missing = wording.missing(frozenset(found.signatures))
    if arguments.json:
        page.json(
            {
                "ok": True,
                "written": True,
                "path": place,
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
    page.sentence(f"OK: {printable(place)} is signed by {people}", kind="good", mark="OK:")
    if missing is not None:
        page.sentence(f"waits  for the leave of {missing}", kind="warn", mark="waits")
    return 0


def _listed(roles: Sequence[str]) -> str:
    return " and ".join(roles)

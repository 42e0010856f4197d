"""The contract: what operators say may change, when, and by whose leave; read once, at the start.

Takes a file, gives frozen values. Every mistake in it is told at once, at its line, and fails the
start; it is never read again while the process runs, so that nobody loosens a rule and breaks it in
one edit.
"""

from __future__ import annotations

import os
from pathlib import Path

from .._runtime.paths import path_text
from ..exceptions import ContractError
from ..types import Problem
from .document import MOST_BYTES, Faults, read_document
from .files import bytes_of
from .key_reader import NoOption
from .patterns import Meant, Spelled, as_it_is, nobody_knows
from .sections import SectionReader
from .terms import Terms


def _any_option(_: str, __: object) -> str | None:
    """Find nothing wrong, where nobody knows what a trial can be told."""
    return None


class Contract:
    """A contract file, for `ReloadCheck(…, contract=Contract("contract.yaml"))`; no I/O here.

    Paths in the file are relative to it; a relative `path` means the working directory at
    construction. It is read when the engine starts.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path_text(path, "a contract"))
        self.where = Path(os.path.abspath(self.path))

    def __repr__(self) -> str:
        return f"Contract({str(self.path)!r})"


def read_contract(
    contract: Contract,
    spelled: Spelled = as_it_is,
    no_option: NoOption = _any_option,
    meant: Meant = nobody_knows,
) -> tuple[Terms, bytes]:
    """Return a contract's terms and its file's bytes; raise `ContractError` with all that is wrong.

    `spelled` tells how files may write a key path, in no way one that the schema has not;
    `meant` which was meant by that, `no_option` what is wrong with an option of a trial, by
    name and value, or None.
    """
    name = str(contract.path)
    try:
        data = bytes_of(contract.where, MOST_BYTES)
    except OSError as error:
        reason = f"the contract cannot be read: {error.strerror or type(error).__name__}"
        problem = Problem(reason, name)
    else:
        directory = str(contract.where.parent)
        return terms_of(data, name, spelled, no_option, directory, meant), data
    raise ContractError(problem)


def terms_of(
    data: bytes,
    name: str,
    spelled: Spelled = as_it_is,
    no_option: NoOption = _any_option,
    directory: str | None = None,
    meant: Meant = nobody_knows,
) -> Terms:
    """Read a contract's bytes; raise `ContractError` with all that is wrong.

    Paths in it are relative to `directory`, which is that of its name unless it is given.
    """
    document = read_document(data, name)
    faults = Faults(name)
    directory = os.path.dirname(name) if directory is None else directory
    terms = SectionReader(document, faults, spelled, no_option, meant).terms(directory)
    faults.check()
    return terms

"""Whether a contract binds those whom it is to bind: who can write it, and what it needs here.

Judged by mode and owner, whoever runs the doctor: the application's user must be able to write
neither the contract nor the allowed signers, nor to replace them in their directories.
"""

import os
import shutil
import stat as modes
import zoneinfo
from collections.abc import Iterator
from typing import Final

from ...exceptions import OptionError
from ...policy.gate import ContractGate
from ...policy.terms import Terms
from .._inputs import Inputs
from .finding import Finding, failed, passed, warned
from .machine import Machine
from .mounts import mount_of

__all__ = ["contract"]

_REMEDIES: Final = (
    ("reloadcheck[rules]", "pip install 'reloadcheck[rules]'"),
    ("tzdata", "pip install tzdata, or install the system's tzdata"),
    ("RELOAD_CHECK_ENVIRONMENT", "set RELOAD_CHECK_ENVIRONMENT, or give environment="),
)


def contract(inputs: Inputs, machine: Machine) -> Iterator[Finding]:
    """Say what is to be known of an engine's contract; nothing where there is none."""
    gate = inputs.contract
    if gate is None:
        return
    error = inputs.contract_error
    if error is not None:
        for problem in error.problems:
            found = [remedy for word, remedy in _REMEDIES if word in problem.reason]
            yield failed("contract", str(problem), found[0] if found else "correct it there")
    yield _writable("contract", os.path.abspath(gate.path), machine)
    if error is None:
        yield from _needs(gate, machine)


def _needs(gate: ContractGate, machine: Machine) -> Iterator[Finding]:
    terms = gate.terms
    said = f"{len(terms.keys)} keys, {len(terms.rules)} rules, {len(terms.freezes)} freezes"
    yield passed("contract", said)
    if terms.rules:
        yield passed("rules", "the extra for rules in CEL is installed")
    yield _zone(terms)
    if any(one.restart for one in terms.keys) and gate.beside is None:
        said = "without a store a recycled worker takes the new value of what is to wait"
        yield warned("restart", said, "name one by store=, so that a server's workers agree")
    yield from _notices(terms)
    if terms.approvers is None:
        return
    signers = os.path.abspath(os.path.join(terms.directory, terms.approvers))
    yield _writable("approvers", signers, machine)
    program = shutil.which("ssh-keygen")
    if program is None:
        said = "ssh-keygen is not here: no leave can be verified, so that what needs it waits"
        yield failed("ssh-keygen", said, "install openssh-client")
    else:
        yield passed("ssh-keygen", program)


def _notices(terms: Terms) -> Iterator[Finding]:
    """Say whether there is an address where each notice is to be told; the address is a secret."""
    for notice in terms.notify:
        try:
            notice.address(terms.directory)
        except OptionError as error:
            said = f"{error}: until it is there nobody is told"
            yield warned("notify", said, "put https://host/path into that file, readable here")
        else:
            yield passed("notify", f"{notice.where}: {', '.join(notice.on)} have an address")


def _zone(terms: Terms) -> Finding:
    name = terms.zone_name
    if name == "UTC":
        return passed("zone", "UTC, which needs no zone data")
    system = any(os.path.exists(os.path.join(path, *name.split("/"))) for path in zoneinfo.TZPATH)
    return passed("zone", f"{name}, by the {'system' if system else 'package tzdata'}")


def _writable(check: str, path: str, machine: Machine) -> Finding:
    """Say whether this user may write a file, or replace it, by mode and owner."""
    real = os.path.realpath(path)
    mount = mount_of(real, machine)
    if mount is not None and mount.is_read_only:
        return passed(check, f"{path} cannot be written here: it is mounted read-only")
    ways = [*_ways(real, machine)]
    if not ways:
        return passed(check, f"{path} cannot be written by this user (uid {machine.uid})")
    said = f"this user (uid {machine.uid}) can {' and '.join(ways)}: it binds nobody who runs as it"
    remedy = "let it belong to another user, in a directory of that user's: chown, chmod go-w"
    return warned(check, said, remedy)


def _ways(real: str, machine: Machine) -> Iterator[str]:
    directory = os.path.dirname(real)
    try:
        file, around = machine.stat(real), machine.stat(directory)
    except OSError:
        return
    if _may_write(file, machine):
        yield f"write {real}"
    sticky = around.st_mode & modes.S_ISVTX and machine.uid not in (file.st_uid, around.st_uid)
    if _may_write(around, machine) and not sticky:
        yield f"replace it in {directory}"


def _may_write(status: os.stat_result, machine: Machine) -> bool:
    if status.st_uid == machine.uid:
        return True  # it may change the mode, too
    if status.st_gid in machine.gids:
        return bool(status.st_mode & modes.S_IWGRP)
    return bool(status.st_mode & modes.S_IWOTH)

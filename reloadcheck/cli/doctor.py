"""`reloadcheck doctor`: will an edit reach an application on this machine, and what if not.

Looks and tells; changes nothing, save that it writes a file without a name to see how its file
system stamps. Status 1 when something is broken; a warning is none.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._engine.api import engine_of
from ..sources import DirectorySource, FileSource
from ..types import Source, Store
from ._doctor.finding import Finding, Level
from ._doctor.grain import time_stamps
from ._doctor.inotify import inotify
from ._doctor.limits import limits
from ._doctor.machine import Machine
from ._doctor.mounts import file_system, mount_of, pinned
from ._doctor.paths import exposure, left_out, links, projection, readable
from ._doctor.reader import reader
from ._doctor.surroundings import options, python, systemd, uwsgi
from ._doctor.trial import trial
from ._inputs import Inputs, inputs_of
from ._output import Page

__all__ = ["Group", "examine", "run"]


@dataclass(frozen=True, slots=True)
class Group:
    """The findings on one source, or on the machine."""

    name: str
    findings: tuple[Finding, ...]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    machine = Machine()
    groups: list[Group] = []
    alone = arguments.store is not None and not arguments.words and arguments.app is None
    inputs = None if alone else inputs_of(arguments, arguments.words)
    if inputs is not None:
        groups = examine(inputs, machine)
    which = _store_of(arguments, inputs)
    if which is not None:
        from ._doctor.store import store

        groups.append(Group(which.name, tuple(store(which, machine))))
        which.close()
    found = [finding for group in groups for finding in group.findings]
    page = Page()
    if arguments.json:
        page.json(_document(groups, found))
    else:
        _show(page, groups, found)
    return int(any(finding.level is Level.FAIL for finding in found))


def _store_of(arguments: argparse.Namespace, inputs: Inputs | None) -> Store | None:
    """Return the store that is named, else the engine's; a file need not be there yet."""
    given: str | None = arguments.store
    if given is None:
        companion: Any = None
        if inputs is not None and inputs.live is not None:
            companion = engine_of(inputs.live).companion
        return None if companion is None else companion.keeper.store
    from ._which_store import store_of

    return store_of(given, new=True)


def examine(inputs: Inputs, machine: Machine) -> list[Group]:
    """Look at each file or directory among the sources, then at the machine."""
    sources = [one for one in inputs.sources if isinstance(one, FileSource | DirectorySource)]
    groups = [
        Group(source.name, tuple(_of_source(source, inputs.max_bytes, machine)))
        for source in sources
    ]
    paths = [os.path.abspath(source.name) for source in sources]
    given = None if inputs.live is None else engine_of(inputs.live).options
    beside = _directory(paths[0]) if paths else os.getcwd()
    around = [
        *options(given, machine),
        *inotify(beside, machine),
        *limits(machine),
        *systemd(paths, machine),
        *uwsgi(machine),
        *python(),
        reader(inputs.schema),
        *trial(None if inputs.live is None else engine_of(inputs.live)),
    ]
    if inputs.contract is not None:
        from ._doctor.policy import contract

        groups.append(Group(str(inputs.contract.path), tuple(contract(inputs, machine))))
    return [*groups, Group("this machine", tuple(around))]


def _of_source(source: Source, max_bytes: int, machine: Machine) -> Iterator[Finding]:
    path = os.path.abspath(source.name)
    yield readable(source, max_bytes)
    yield links(path)
    if (told := projection(path)) is not None:
        yield told
    if isinstance(source, DirectorySource) and (foreign := left_out(source)) is not None:
        yield foreign
    try:
        status = machine.stat(path)
    except OSError:
        return
    mount = mount_of(path, machine)
    yield file_system(mount)
    yield pinned(path, mount, status)
    yield time_stamps(_directory(path), machine)
    yield exposure(path, mount, machine)


def _directory(path: str) -> str:
    real = os.path.realpath(path)
    return real if os.path.isdir(real) else os.path.dirname(real)


def _show(page: Page, groups: Sequence[Group], found: Sequence[Finding]) -> None:
    width = max(len(finding.check) for finding in found)
    for group in groups:
        page.sentence(group.name, kind="bold", mark=group.name)
        for finding in group.findings:
            lead = f"  {finding.level}  {finding.check:<{width}}  "
            page.sentence(
                lead + finding.said, kind=finding.level, mark=finding.level, indent=len(lead)
            )
            if finding.remedy is not None:
                page.sentence(f"{' ' * (len(lead) - 3)}-> {finding.remedy}", indent=len(lead))
        page.line()
    counts = {level: sum(finding.level is level for finding in found) for level in Level}
    worst = next((level for level in reversed(Level) if counts[level]), Level.PASS)
    page.sentence(
        ", ".join(f"{count} {level}" for level, count in counts.items() if count),
        kind=worst,
        mark=str(worst),
    )


def _document(groups: Sequence[Group], found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "ok": all(finding.level is not Level.FAIL for finding in found),
        "groups": [
            {
                "name": group.name,
                "findings": [
                    {
                        "level": str(finding.level),
                        "check": finding.check,
                        "said": finding.said,
                        "remedy": finding.remedy,
                    }
                    for finding in group.findings
                ],
            }
            for group in groups
        ],
    }

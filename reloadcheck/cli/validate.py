"""`reloadcheck validate`: every problem of a configuration, at its place, with no value shown.

Reads once, as an engine would; builds nothing. Status 1 when there is an error; warnings count with
`--strict` alone; 4 when all is well, and the edit of `--old` would wait.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .._config.key_path import leaves
from .._engine.api import engine_of
from .._load.layers import origin_of, overriding
from .._load.merge import Parsed
from .._load.problems import at
from .._load.remarks import like_references, method_keys
from .._schema.unknown_keys import Unknown, unknown_keys
from ..exceptions import ConfigError, UsageError
from ..parsers import Merge, Survey, locating_many, survey
from ..types import (
    Document,
    KeyPath,
    Layer,
    Origin,
    Problem,
    key_path_text,
    no_pause,
    printable,
)
from ._faults import problem_document, show_faults
from ._inputs import Inputs, inputs_of
from ._judging import WAITS, Verdict, show_verdict, verdict_document, verdict_of
from ._missing_hours import missing_hours
from ._output import Page
from ._overrides import Override, overrides, overrides_document, show_overrides
from ._reading import Fault, Known, faults_of, known_of, unread_of, validated
from ._reports import report
from ._secret_sources import plain_secrets
from ._sides import Side, side_of, stand_of
from ._yaml_versions import differences

__all__ = ["findings", "run"]

_MOST_KEYS = 3
_OVERRIDDEN = "overridden"
_MOST_WARNINGS = 50
"""How many warnings of one kind are told; of a large file every scalar may deserve one."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What came of looking at one configuration; `overrides` are None where nobody asked."""

    inputs: Inputs
    known: Known
    faults: Sequence[Fault]
    failed: bool
    overrides: Sequence[Override] | None
    verdict: Verdict | None = None


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    words: list[str] = arguments.words
    groups = [[word] for word in words] if arguments.each and words else [words]
    looked = [_look(arguments, group) for group in groups]
    page = Page()
    if arguments.output_format == "json":
        page.json(_document(looked, each=arguments.each))
    elif arguments.output_format == "text":
        for one in looked:
            _show(page, one)
    else:
        faults = [fault for one in looked for fault in one.faults]
        names = [source.name for one in looked for source in one.inputs.sources]
        page.text(report(arguments.output_format, faults, names))
    if any(one.failed for one in looked):
        return 1
    return WAITS if any(one.verdict is not None and one.verdict.waits for one in looked) else 0


def _look(arguments: argparse.Namespace, words: Sequence[str]) -> _Looked:
    inputs = inputs_of(arguments, words)
    known = known_of(inputs.sources, *inputs.reading)
    faults, found = findings(inputs, known), None
    verdict = _judged(arguments, inputs, known, faults)
    with locating_many():
        plain = list(plain_secrets(inputs, known))
    plain += missing_hours(inputs, time.time())
    of_verdict = () if verdict is None else verdict.faults
    faults = _sorted([*faults, *of_verdict, *plain])
    if arguments.overrides:  # told as a whole, and then they are meant
        faults = [fault for fault in faults if fault.code != _OVERRIDDEN]
        with locating_many():
            found = list(overrides(known.parsed.layers)) if known.parsed is not None else []
    failed = any(arguments.strict or fault.severity == "error" for fault in faults)
    return _Looked(inputs, known, faults, failed, found, verdict)


def _judged(
    arguments: argparse.Namespace, inputs: Inputs, known: Known, faults: Sequence[Fault]
) -> Verdict | None:
    """Ask rules and contract: about the edit from `--old`, else about a first load."""
    if arguments.old is not None and inputs.live is None:
        raise UsageError("--old: rules and contracts are an engine's: --app MODULE:NAME")
    if inputs.live is None or any(fault.severity == "error" for fault in faults):
        return None
    old = None
    if arguments.old is not None:
        old = side_of(inputs, stand_of(inputs, arguments.old, arguments.format).sources, None)
        if old.faults:
            raise UsageError(f"--old {printable(arguments.old)}: {old.faults[0].problem}")
        if len(arguments.words) == 1 and arguments.words != ["-"]:  # as the application has it
            stand = stand_of(inputs, arguments.words[0], arguments.format)
            known = known_of(stand.sources, *inputs.reading)
    if known.parsed is None:
        return None
    try:
        config = validated(inputs.schema, known.parsed, None if old is None else old.config)
    except ConfigError:  # a reference that cannot be read here
        return None
    return verdict_of(inputs, old, Side(known, (), known.parsed.tree, config))


def _show(page: Page, one: _Looked) -> None:
    show_faults(page, one.faults, one.known)
    _conclude(page, one.inputs, one.faults, one.failed)
    if one.verdict is not None and one.verdict.held and not one.failed:
        show_verdict(page, one.verdict)
    if one.overrides is not None and one.known.parsed is not None:
        page.line()
        show_overrides(page, one.overrides)


def findings(inputs: Inputs, known: Known) -> list[Fault]:
    """Return the errors and warnings of what was read, in the order of their places."""
    faults = [*known.faults, *_of_dialects(known)]
    if known.parsed is None:
        return _sorted(faults)
    try:
        validated(inputs.schema, known.parsed)
    except ConfigError as error:
        # What it would be where the application runs, nobody can tell here.
        unread = {one.problem.key_path for one in unread_of(known)}
        faults += [one for one in faults_of(error) if one.problem.key_path not in unread]
    unknown = unknown_keys(inputs.schema.annotation, known.parsed.tree)
    told = {fault.problem.key_path for fault in faults if fault.code == "schema"}
    with locating_many():
        faults += _of_overrides(known.parsed.layers)
        faults += _of_unknown([u for u in unknown if u.path not in told], known.parsed)
        faults += _of_odd_ones(inputs, known.parsed)
    return _sorted(faults)


def _conclude(page: Page, inputs: Inputs, faults: Sequence[Fault], failed: bool) -> None:
    errors = sum(fault.severity == "error" for fault in faults)
    warnings = len(faults) - errors
    names = ", ".join(source.name for source in inputs.sources)
    fits = "fits" if len(inputs.sources) == 1 else "fit"
    fitting = f" and {fits} {inputs.schema_name}" if inputs.schema_name else ""
    verdict = f"can be used{fitting}"
    if failed:
        verdict = "cannot be used" if errors else f"{verdict}, but --strict takes no warning"
    counts = ", ".join(
        f"{count} {noun}{'s' if count > 1 else ''}"
        for count, noun in ((errors, "error"), (warnings, "warning"))
        if count
    )
    mark = "FAILED" if failed else "OK"
    tail = f" ({counts})" if counts else ""
    page.sentence(
        f"{mark}: {names} {verdict}{tail}", kind="error" if failed else "good", mark=f"{mark}:"
    )


def _of_dialects(known: Known) -> Iterator[Fault]:
    for document in known.documents.values():
        if document.format != "yaml":
            continue
        seen = survey(document)
        found = [
            _problem(document, seen, written.index, sentence, written.key_path)
            for written, sentence in islice(differences(seen), _MOST_WARNINGS + 1)
        ]
        yield from _warnings("yaml-version", found)
        merges = [
            _problem(document, seen, merge.index, _shared(merge), merge.key_path)
            for merge in seen.merges[: _MOST_WARNINGS + 1]
        ]
        yield from _warnings("yaml-merge", merges)


def _shared(merge: Merge) -> str:
    keys = [key_path_text((key,)) for key in merge.keys]
    named = ", ".join(keys[:_MOST_KEYS]) + (", …" if len(keys) > _MOST_KEYS else "")
    return (
        f"what is merged here sets {named} more than once: own entries count before merged ones, "
        "earlier mappings before later ones; PyYAML 6.0.4 may take another: set it here too"
    )


def _problem(document: Document, known: Survey, index: int, reason: str, path: KeyPath) -> Problem:
    line = known.text.count("\n", 0, index) + 1
    column = index - known.text.rfind("\n", 0, index)
    return Problem(reason, document.name, line, column, path)


def _of_overrides(layers: Sequence[Layer]) -> Iterator[Fault]:
    """Warn of each value that a later layer replaces, where it is written."""
    found: list[Problem] = []
    for position, lower in enumerate(layers):
        for path, _ in leaves(lower.tree):
            upper = overriding(layers, position, path)
            if upper is not None and len(found) <= _MOST_WARNINGS:
                place = lower.origin(path)
                reason = f"is overridden by {upper.origin(path)}"
                found.append(Problem(reason, place.name, place.line, place.column, path))
    yield from _warnings(_OVERRIDDEN, found)


def _of_unknown(unknown: Sequence[Unknown], parsed: Parsed) -> Iterator[Fault]:
    found: list[Problem] = []
    for one in unknown:
        place = origin_of(parsed.layers, one.path) or Origin("")
        found.append(at(Problem(one.reason, key_path=one.path), place))
    yield from _warnings("unknown-key", found)


def _of_odd_ones(inputs: Inputs, parsed: Parsed) -> Iterator[Fault]:
    if inputs.schema.is_plain:
        yield from _warnings("method-name", _at_places(method_keys(parsed.tree, no_pause), parsed))
    if inputs.live is not None:  # which knows what is read
        references = engine_of(inputs.live).references
        kinds = () if references is None else references.kinds
        found = like_references(parsed.tree, kinds, no_pause)
        yield from _warnings("reference", _at_places(found, parsed))


def _at_places(problems: Iterable[Problem], parsed: Parsed) -> list[Problem]:
    places = ((one, origin_of(parsed.layers, one.key_path)) for one in problems)
    return [at(one, place) for one, place in places if place is not None]


def _warnings(code: str, problems: Sequence[Problem]) -> Iterator[Fault]:
    for problem in problems[:_MOST_WARNINGS]:
        yield Fault("warning", code, problem)
    if len(problems) > _MOST_WARNINGS:
        yield Fault("warning", code, Problem("and more of the same kind", problems[0].path))


def _sorted(faults: Sequence[Fault]) -> list[Fault]:
    """Order by file in the order of first mention, then by line.

    What is missing stays behind the misspelt key that it is missing for.
    """
    files = list(dict.fromkeys(fault.problem.path for fault in faults))
    ranks: list[tuple[int, int, int, int]] = []
    for number, fault in enumerate(faults):
        one = fault.problem
        rank = (files.index(one.path), one.line or 0, one.column or 0, 0)
        if number and _belongs(one, faults[number - 1].problem):
            rank = (*ranks[-1][:3], 1)
        ranks.append(rank)
    return [faults[number] for number in sorted(range(len(faults)), key=ranks.__getitem__)]


def _belongs(problem: Problem, before: Problem) -> bool:
    """Return whether a key is missing for the misspelt one that was told before it."""
    path = problem.key_path
    is_meant = bool(path) and before.reason.endswith(f"did you mean {key_path_text(path[-1:])}?")
    return is_meant and before.key_path[:-1] == path[:-1] and problem.path == before.path


def _document(looked: Sequence[_Looked], *, each: bool) -> dict[str, Any]:
    documents = [_document_of(one) for one in looked]
    if not each:
        return documents[0]
    return {"ok": all(one["ok"] for one in documents), "configurations": documents}


def _document_of(one: _Looked) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ok": not one.failed,
        "sources": [source.name for source in one.inputs.sources],
        "schema": one.inputs.schema_name,
        "problems": [problem_document(fault) for fault in one.faults],
    }
    if one.verdict is not None:
        document["verdict"] = verdict_document(one.verdict)
    if one.overrides is not None:
        document["overrides"] = overrides_document(one.overrides)
    return document

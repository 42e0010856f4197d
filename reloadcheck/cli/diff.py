"""`reloadcheck diff`: what an edit changes, what it would rebuild, and when it could go live.

Builds nothing. Status 1 when one of the two cannot be used or the edit would be rejected, 4 when it
would wait; a difference is no failure, save with `--exit-code`: then 1 says that they differ, and 2
that they cannot be compared or that the edit would be rejected.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._config.diff import diff
from .._config.key_path import step_into
from .._engine.api import engine_of
from .._resources.plan import Step, parts_of, plan
from .._state.store_orders import Orders
from ..exceptions import ConfigError, UsageError
from ..parsers import locating_many
from ..types import Diff, KeyPath, key_path_text, printable
from ._editions import PREFIX, EditionSource, number_of
from ._faults import problem_document, show_faults
from ._git import GitSource
from ._inputs import Inputs, inputs_of
from ._judging import WAITS, Verdict, show_verdict, verdict_document, verdict_of
from ._output import Page
from ._reading import Fault, Known, faults_of
from ._secret_sources import plain_secrets
from ._sides import Side, kept_of, side_of, sides
from ._values import Hiding, hiding, shown, told
from ._which_store import asked

__all__ = ["Plan", "run"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an edit does: `rebuilt` says of each resource why, `kept` are left alone.

    `verdict` is what rules and contract say of it; None where there are none.
    """

    changes: Diff
    rebuilt: tuple[tuple[str, str], ...] = ()
    kept: tuple[str, ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class _Compared:
    """What came of comparing two sides; `plan` is None where they cannot be compared."""

    plan: Plan | None
    old: Side
    new: Side
    faults: Sequence[Fault]
    hide: Hiding
    status: int


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    words: list[str] = arguments.words
    if arguments.git is not None:
        return _since(arguments, words)
    if len(words) != 2:
        raise UsageError("name two files: OLD NEW")
    if any(word.startswith(PREFIX) for word in words):
        return asked(
            arguments, lambda orders: _compare(arguments, _with_editions(arguments, orders))
        )
    return _compare(arguments, inputs_of(arguments, words))


def _with_editions(arguments: argparse.Namespace, orders: Orders) -> Inputs:
    """Take `edition:41` for what was kept of that edition."""
    inputs = inputs_of(arguments, arguments.words)
    editions = [
        EditionSource.of(orders, number_of(word)) if word.startswith(PREFIX) else source
        for word, source in zip(arguments.words, inputs.sources, strict=True)
    ]
    return replace(inputs, sources=tuple(editions), secrets=inputs.secrets | orders.secrets())


def _compare(arguments: argparse.Namespace, inputs: Inputs) -> int:
    page, compared = Page(), _compared(arguments, inputs, arguments.words)
    if arguments.json:
        page.json(_document(compared))
    else:
        _tell(page, compared, inputs)
    return _status(arguments, compared.status)


def _since(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Compare each file with what a revision has of it; what is new there has nothing to tell."""
    if not words:
        raise UsageError("name the changed files: reloadcheck diff --git HEAD FILE...")
    page, documents, statuses = Page(), list[dict[str, Any]](), [0]
    for word in words:
        before = GitSource.beside(arguments.git, word)
        if before is None:
            documents.append({"file": word, "ok": True, "new": True})
            told_of = f"{printable(word)} is new since {printable(arguments.git)}"
            if not arguments.json:
                page.sentence(told_of, kind="bold", mark=told_of)
            continue
        inputs = inputs_of(arguments, [word])
        inputs = replace(inputs, sources=(before, *inputs.sources))
        compared = _compared(arguments, inputs, [before.name, word])
        statuses.append(compared.status)
        if arguments.json:
            documents.append({"file": word, **_document(compared)})
        else:
            told_of = f"{printable(word)} since {printable(arguments.git)}:"
            page.sentence(told_of, kind="bold", mark=told_of)
            _tell(page, compared, inputs)
    if arguments.json:
        page.json({"ok": all(one["ok"] for one in documents), "edits": documents})
    worst = (2, 1, WAITS) if arguments.exit_code else (1, WAITS)
    return _status(arguments, next((one for one in worst if one in statuses), 0))


def _status(arguments: argparse.Namespace, status: int) -> int:
    return 0 if status == WAITS and arguments.may_wait else status


def _compared(arguments: argparse.Namespace, inputs: Inputs, words: Sequence[str]) -> _Compared:
    sources = sides(inputs, *words)
    different, unusable = (1, 2) if arguments.exit_code else (0, 1)
    old = side_of(inputs, sources[0], None)
    new = side_of(inputs, sources[1], old)
    layers = [
        pair
        for side in (old, new)
        if side.known.parsed is not None
        for pair in zip(side.known.sources, side.known.parsed.layers, strict=True)
    ]
    hide = hiding(inputs, arguments.hide_values, [old.tree, new.tree], layers)
    usable = not old.faults and not new.faults
    plan = _plan(inputs, old, new) if usable else None
    faults = [*old.faults, *new.faults]
    if isinstance(plan, ConfigError):
        faults, plan = faults_of(plan), None
    if plan is not None and plan.verdict is not None:
        faults = [*plan.verdict.faults, *_plain(inputs, old, new, plan.changes)]
    status = unusable
    if plan is not None and (plan.verdict is None or not plan.verdict.is_refused):
        waits = plan.verdict is not None and plan.verdict.waits
        status = WAITS if waits else different if any(_rows(plan.changes, old, new)) else 0
    return _Compared(plan, old, new, faults, hide, status)


def _tell(page: Page, compared: _Compared, inputs: Inputs) -> None:
    plan, old, new = compared.plan, compared.old, compared.new
    known = Known({**old.known.documents, **new.known.documents}, None)
    show_faults(page, compared.faults, known)
    if plan is None:
        page.sentence("FAILED: nothing can be compared", kind="error", mark="FAILED:")
    else:
        _show(page, plan, old, new, inputs, hide=compared.hide)


def _plan(inputs: Inputs, old: Side, new: Side) -> Plan | ConfigError:
    changes = diff(old.tree, new.tree)
    if inputs.live is None:
        return Plan(changes)
    registry = engine_of(inputs.live).registry
    verdict = verdict_of(inputs, old, new)
    made = new if verdict is None else kept_of(inputs, old, new, verdict.restart)
    if verdict is not None and made.faults:
        verdict = replace(verdict, faults=(*verdict.faults, *made.faults))
        return Plan(changes, verdict=verdict)
    try:
        steps = plan(
            registry,
            made.config,
            made.layers,
            lambda resource: parts_of(resource, old.config, old.layers),
        )
    except ConfigError as error:
        return error
    rebuilt = {step.resource.name: _reason(step) for step in steps}
    kept = tuple(one.name for one in registry if one.name not in rebuilt)
    return Plan(changes, tuple(rebuilt.items()), kept, verdict)


def _plain(inputs: Inputs, old: Side, new: Side, changes: Diff) -> Iterator[Fault]:
    """Warn of what the edit writes in plain text though it is secret; `validate` refuses it."""
    paths = (*changes.changed, *changes.added)
    with locating_many():
        before = {fault.problem.key_path for fault in plain_secrets(inputs, old.known)}
        for fault in plain_secrets(inputs, new.known):
            at = fault.problem.key_path
            if at not in before or any(at[: len(path)] == path for path in paths):
                yield replace(fault, severity="warning")


def _reason(step: Step) -> str:
    """Say why a resource is rebuilt: parts that are another object, needs that are."""
    reasons = [f"{key_path_text(path)} changes" if path else "any change" for path in step.paths]
    return ", ".join([*reasons, *(f"needs {name}" for name in step.needs)])


def _show(page: Page, plan: Plan, old: Side, new: Side, inputs: Inputs, *, hide: Hiding) -> None:
    if not plan.changes:
        page.sentence("Nothing changes: no reload.")
    for sign, path, before, after in _rows(plan.changes, old, new):
        values = [] if hide.everything else [shown(v, path, hide=hide) for v in (*before, *after)]
        tail = f": {' -> '.join(values)}" if values else ""
        page.sentence(f"{sign} {key_path_text(path)}{tail}")
    if inputs.live is None:
        return
    page.line()
    for name, reason in plan.rebuilt:
        page.sentence(f"rebuilds  {name} ({reason})", kind="warn", mark="rebuilds")
    for name in plan.kept:
        page.sentence(f"keeps     {name}", kind="good", mark="keeps")
    if not plan.rebuilt and not plan.kept:
        page.line("The application has no resources.")
    if plan.verdict is not None and plan.changes:
        page.line()
        show_verdict(page, plan.verdict)


def _rows(
    changes: Diff, old: Side, new: Side
) -> Iterator[tuple[str, KeyPath, tuple[object, ...], tuple[object, ...]]]:
    """Return each changed key path with its values before and after, in the order of the files."""
    for path in changes.changed:
        yield "~", path, (_at(old.tree, path),), (_at(new.tree, path),)
    for path in changes.added:
        yield "+", path, (), (_at(new.tree, path),)
    for path in changes.removed:
        yield "-", path, (_at(old.tree, path),), ()


def _at(tree: object, path: KeyPath) -> object:
    for key in path:
        _, tree = step_into(tree, key)
    return tree


def _document(compared: _Compared) -> dict[str, Any]:
    plan, old, new, faults = compared.plan, compared.old, compared.new, compared.faults
    hide = compared.hide
    if plan is None:
        return {"ok": False, "problems": [problem_document(fault) for fault in faults]}
    judged: dict[str, Any] = {}
    if plan.verdict is not None:
        problems = [problem_document(fault) for fault in faults]
        judged = {"problems": problems, "verdict": verdict_document(plan.verdict)}
    kinds = {"~": "changed", "+": "added", "-": "removed"}
    return {
        "ok": plan.verdict is None or not plan.verdict.is_refused,
        "changes": [
            {
                "kind": kinds[sign],
                "key_path": key_path_text(path),
                "old": told(before[0], path, hide=hide) if before else None,
                "new": told(after[0], path, hide=hide) if after else None,
            }
            for sign, path, before, after in _rows(plan.changes, old, new)
        ],
        "rebuilds": [{"resource": name, "reason": reason} for name, reason in plan.rebuilt],
        "keeps": list(plan.kept),
        **judged,
    }

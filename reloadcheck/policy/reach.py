"""Which values and which changed paths a term of a contract is about, in one edit.

Functions of trees and configurations; nothing here judges.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from .._config.key_path import lookup
from ..seams.gates import Proposal
from ..types import KeyPath
from .patterns import Pattern, children
from .terms import ABSENT, KeyTerms

MOST_LEAVES: Final = 10_000
"""Changed key paths of one edit that are looked at one by one; beyond, by their sections."""


def found_by(one: KeyTerms, loaded: Any) -> Iterable[tuple[KeyPath, object]]:
    """Return the values that a key's terms are about, as the schema made them where it can tell."""
    steps = one.pattern.steps
    found = dict(one.pattern.found_in(loaded.tree))
    if not found and "*" not in steps:
        value = value_at(loaded.config, loaded.tree, steps)
        return () if value is ABSENT else ((steps, value),)
    return [(path, value_at(loaded.config, loaded.tree, path)) for path in found]


def value_at(config: object, tree: object, path: KeyPath) -> object:
    """Return the value at a key path as the schema made it, else as it is written."""
    for whole in (config, tree):
        try:
            return lookup(whole, path)
        except KeyError:
            continue
    return ABSENT


def is_at(baseline: object, loaded: Any, path: KeyPath) -> bool:
    """Return whether a key has its baseline, as it is written or as the schema made it.

    A number is one, whichever the schema's field makes of it: 30 is 30.0, and no switch is a 1.
    """
    for whole in (loaded.config, loaded.tree):
        try:
            if _is_same(lookup(whole, path), baseline):
                return True
        except KeyError:
            continue
    return False


def _is_same(value: object, other: object) -> bool:
    for kind in (bool, int | float | Decimal, str):
        if isinstance(value, kind) or isinstance(other, kind):
            return isinstance(value, kind) and isinstance(other, kind) and value == other
    return type(value) is type(other) and value == other


def leaves_of(path: KeyPath, value: object) -> Iterable[tuple[KeyPath, object]]:
    """Return each leaf below a value with its key path; a leaf itself, and what is empty."""
    inner = list(children(value))
    if not inner:
        yield path, value
    for key, part in inner:
        yield from leaves_of((*path, key), part)


def number_of(value: object) -> float | None:
    """Return a value as the number that a range is about; None for what is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        seconds = getattr(value, "total_seconds", None)
        return float(seconds() if callable(seconds) else value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def changed_paths(proposal: Proposal, patterns: Sequence[Pattern]) -> Iterable[KeyPath]:
    """Return each changed key path; what came, went or changed as a whole, leaf by leaf.

    So that a section that becomes null, or a list of another length, is the change of what is in
    it. What is too large to be looked at leaf by leaf is taken to change all that `patterns` name
    in it.
    """
    count = 0
    told: set[KeyPath] = set()
    old = () if proposal.old is None else proposal.old.tree
    for tree, paths in (
        (proposal.new.tree, (*proposal.changes.added, *proposal.changes.changed)),
        (old, (*proposal.changes.removed, *proposal.changes.changed)),
    ):
        for path in paths:
            try:
                found = leaves_of(path, lookup(tree, path))
            except KeyError:
                found = ((path, None),)
            for leaf, _ in found:
                count += 1
                if count > MOST_LEAVES:
                    named = [one.steps for one in patterns if one.meets(path)]
                    yield from (path, *(steps for steps in named if len(steps) > len(path)))
                    break
                if leaf not in told:
                    told.add(leaf)
                    yield leaf

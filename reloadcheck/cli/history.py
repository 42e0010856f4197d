"""`reloadcheck history`: what was live and what was refused, who wanted it and why."""

import argparse
from dataclasses import asdict
from typing import Any, Final

from .._observe.ages import in_letters
from .._state.ledger import Row
from .._state.store_orders import Orders
from ..exceptions import UsageError
from ..types import printable
from ._output import WIDTH, Page, cut
from ._times import age, moment
from ._which_store import asked

__all__ = ["row_document", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    since = None if arguments.since is None else moment(arguments.since, past=True)
    return asked(arguments, lambda orders: _history(arguments, orders, since))


def _history(arguments: argparse.Namespace, orders: Orders, since: float | None) -> int:
    page = Page()
    which: str | None = arguments.reviewed
    if which is not None and which not in _REVIEWED:
        return _review(page, arguments, orders, which)
    rows = orders.history(
        limit=arguments.limit,
        outcome=arguments.outcome,
        since=since,
        key=arguments.key,
        reviewed=None if which is None else _REVIEWED[which],
    )
    if arguments.json:
        page.json({"entries": [row_document(row) for row in rows]})
        return 0
    for row in rows:
        _show(page, row)
    if not rows:
        asked = (arguments.outcome, arguments.since, arguments.key, arguments.reviewed)
        page.line(f"There is nothing{' like that' * any(asked)} in the history.")
    return 0


_REVIEWED: Final = {"no": False, "yes": True}


def _review(page: Page, arguments: argparse.Namespace, orders: Orders, which: str) -> int:
    if not which.isdecimal():
        raise UsageError(f"--reviewed {printable(which)}: write no, yes, or an edition's number")
    entry = orders.review(int(which), why=arguments.why, by=arguments.by)
    if arguments.json:
        page.json({"ok": True, "edition": int(which), "by": entry.actor})
    else:
        page.sentence(f"OK: edition {which} is reviewed by {printable(entry.actor or '')}")
    return 0


def row_document(row: Row) -> dict[str, Any]:
    """Return a row as JSON has it; times are epoch seconds."""
    marks = {"serves": row.serves, "held": row.held, "banned": row.banned}
    marks |= {} if row.reviewed is None else {"reviewed": row.reviewed}
    return {**asdict(row.entry), **marks}


def _show(page: Page, row: Row) -> None:
    entry = row.entry
    number = "-" if entry.edition is None else str(entry.edition)
    what = entry.cause if entry.edition is not None or entry.cause != "file" else entry.outcome
    if entry.of is not None:
        what = f"{what} {entry.of}" if entry.edition is None else f"{entry.of} again, {what}"
    marks = [m for m, on in (("serves", row.serves), ("held", row.held)) if on]
    marks += ["banned"] * row.banned
    marks += ["not kept"] * (entry.edition is not None and not entry.kept)
    if row.reviewed is not None:
        marks += ["override", "reviewed: yes" if row.reviewed else "reviewed: no"]
    parts = [what, *([entry.code] if entry.code else []), *([entry.actor] if entry.actor else [])]
    head = f"{number:>5}  {in_letters(age(entry.at)):>4}  {', '.join(parts)}"
    tail = f"  [{', '.join(marks)}]" if marks else ""
    kind = "good" if row.serves else "error" if row.banned or entry.error else None
    line = cut(printable(head), WIDTH - len(tail)) + tail
    page.line(page.paint(line, kind) if kind else line)
    for text in (entry.why, entry.error, ", ".join(entry.changed) if entry.changed else None):
        if text:
            page.sentence(" " * 13 + text, indent=13)

"""`reloadcheck history`: what was live and what was refused, who wanted it and why."""

import argparse
from dataclasses import asdict
from typing import Any

from .._state.ledger import Row
from .._state.store_orders import Orders
from ..types import printable
from ._board import ago, asked, moment
from ._output import WIDTH, Page, cut

__all__ = ["row_document", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    since = None if arguments.since is None else moment(arguments.since, past=True)
    return asked(arguments, lambda orders: _history(arguments, orders, since))


def _history(arguments: argparse.Namespace, orders: Orders, since: float | None) -> int:
    rows = orders.history(
        limit=arguments.limit, outcome=arguments.outcome, since=since, key=arguments.key
    )
    page = Page()
    if arguments.json:
        page.json({"entries": [row_document(row) for row in rows]})
        return 0
    for row in rows:
        _show(page, row)
    if not rows:
        page.line("There is nothing in the history.")
    return 0


def row_document(row: Row) -> dict[str, Any]:
    """Return a row as JSON has it; times are epoch seconds."""
    marks = {"serves": row.serves, "held": row.held, "banned": row.banned}
    return {**asdict(row.entry), **marks}


def _show(page: Page, row: Row) -> None:
    entry = row.entry
    number = "-" if entry.edition is None else str(entry.edition)
    what = entry.cause if entry.edition is not None or entry.cause != "file" else entry.outcome
    if entry.of is not None and entry.edition is not None:
        what = f"{entry.of} again, {what}"
    marks = [m for m, on in (("serves", row.serves), ("held", row.held)) if on]
    marks += ["banned"] * row.banned
    parts = [what, *([entry.code] if entry.code else []), *([entry.actor] if entry.actor else [])]
    head = f"{number:>5}  {ago(entry.at):>4}  {', '.join(parts)}"
    tail = f"  [{', '.join(marks)}]" if marks else ""
    kind = "good" if row.serves else "error" if row.banned or entry.error else None
    line = cut(printable(head), WIDTH - len(tail)) + tail
    page.line(page.paint(line, kind) if kind else line)
    for text in (entry.why, entry.error, ", ".join(entry.changed) if entry.changed else None):
        if text:
            page.sentence(" " * 13 + text, indent=13)

"""`reloadcheck fleet`: who serves what. Status 1 where more drift than may, 3 unreachable."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .._config.digest import tree_digest
from .._state.fleet import Fleet
from .._state.store_orders import Orders
from ..exceptions import UsageError
from ..types import printable
from ._board import ago, asked
from ._inputs import layers_of
from ._output import WIDTH, Page, cut
from ._reading import known_of

__all__ = ["run"]

_WATCH_SECONDS = 2.0


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    target = None if arguments.against is None else _digest_of(arguments.against)
    return asked(arguments, lambda orders: _fleet(arguments, orders, target))


def _digest_of(words: Sequence[str]) -> str:
    known = known_of(layers_of(words), 2**30)
    if known.parsed is None:
        raise UsageError("--against: the files cannot be read as a configuration")
    return tree_digest(known.parsed.tree)


def _fleet(arguments: argparse.Namespace, orders: Orders, target: str | None) -> int:
    page = Page()
    while True:
        grace = 0.0 if arguments.no_grace else 32.0
        fleet = orders.fleet(target=target, grace=grace)
        if arguments.json:
            page.json(_document(fleet), indent=None if arguments.watch else 2)
        else:
            _show(page, fleet)
        if not arguments.watch:
            return int(fleet.drift > arguments.max_drift)
        time.sleep(_WATCH_SECONDS)


def _show(page: Page, fleet: Fleet) -> None:
    for one in fleet.members:
        member = one.member
        state = "lost" if one.lost else "in step" if one.in_step else "BEHIND"
        edition = "-" if member.edition is None else str(member.edition)
        since = ago(member.since) if member.since else "-"
        worker = f" {member.worker}" if member.worker else ""
        where = f"{member.host} {member.pid}{worker}"
        what = f"  {one.behind or member.code or ''}".rstrip()
        line = cut(printable(f"{state:<8} {edition:>5}  {since:>4}  {where}{what}"), WIDTH)
        page.line(page.paint(line, "good" if one.in_step else "warn"))
        if member.error:
            page.sentence(f"          {member.error}", indent=10)
    page.sentence(
        f"{len(fleet.members)} workers, edition {fleet.edition}, drift {fleet.drift:.0%}, "
        f"score {fleet.score:.1%}"
    )


def _document(fleet: Fleet) -> dict[str, Any]:
    return {
        "edition": fleet.edition,
        "target": fleet.target,
        "drift": fleet.drift,
        "score": fleet.score,
        "members": [
            {
                "id": one.id,
                **asdict(one.member),
                "in_step": one.in_step,
                "behind": one.behind,
                "lost": one.lost,
            }
            for one in fleet.members
        ],
    }

"""`reloadcheck show`: one edition, with what looks secret hidden; `--raw`: the kept documents."""

import argparse
import sys
from typing import Any

from .._config.veil import Veil
from .._state.store_orders import Orders
from ..exceptions import UsageError
from ._board import asked
from ._editions import EditionSource, number_of
from ._history_rows import row_of
from ._output import Page
from ._reading import known_of
from ._values import Hiding, told

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if len(arguments.words) != 1:
        raise UsageError("name one edition, by its number")
    return asked(arguments, lambda orders: _show(arguments, orders))


def _show(arguments: argparse.Namespace, orders: Orders) -> int:
    number = number_of(arguments.words[0])
    page = Page()
    if arguments.raw:
        for name, data in orders.documents(number).items():
            if len(orders.documents(number)) > 1:
                print(f"# {name}", flush=True)
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        return 0
    entry = row_of(orders.edition(number))
    known = known_of([EditionSource.of(orders, number)], 2**30)
    tree: Any = None if known.parsed is None else known.parsed.tree
    veil = Veil()
    veil.learn(tree)
    hidden = told(tree, (), hide=Hiding(False, veil))
    if arguments.json:
        page.json({**entry, "config": hidden})
        return 0
    for name, value in entry.items():
        if value not in (None, [], {}, 0, False):
            page.sentence(f"{name}: {value}")
    page.line()
    page.json(hidden)
    return 0

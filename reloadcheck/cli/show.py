"""`reloadcheck show`: one edition, with what looks secret hidden; `--raw`: the kept documents."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from .._config.veil import Veil
from .._observe.ages import ago
from .._state.ledger import Entry
from .._state.store_orders import Orders
from ..exceptions import UsageError
from ._editions import EditionSource, number_of
from ._history_rows import row_of
from ._output import Page
from ._reading import known_of
from ._times import age, day
from ._values import Hiding, told
from ._which_store import asked

__all__ = ["run"]


_INDENT = 10


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
    veil = Veil(orders.secrets())
    veil.learn(tree)
    hidden = told(tree, (), hide=Hiding(False, veil))
    if arguments.json:
        page.json({**entry, "config": hidden})
        return 0
    for name, text in _lines(orders.edition(number)):
        if text:
            page.sentence(f"{name:<{_INDENT}}{text}", indent=_INDENT)
    page.line()
    page.json(hidden)
    return 0


def _lines(entry: Entry) -> Iterator[tuple[str, str | None]]:
    again = f", edition {entry.of} again" if entry.of is not None else ""
    yield "edition", f"{entry.edition}, {entry.outcome}{again}"
    yield "at", f"{day(entry.at)} ({ago(age(entry.at))})"
    yield "by", entry.actor
    yield "cause", entry.cause
    yield "why", entry.why
    yield "trigger", entry.trigger
    yield "trace", entry.trace
    yield "changed", ", ".join(entry.changed)
    yield "worker", entry.member
    yield "release", entry.release
    yield "took", ", ".join(f"{name} {seconds:.3f} s" for name, seconds in entry.seconds.items())
    yield "content", entry.content
    yield "source", f"{entry.source}, {entry.size} bytes{'' if entry.kept else ', not kept'}"
    for name, digest in entry.layers.items():
        yield "layer", f"{name} {digest}"

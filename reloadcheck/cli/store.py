"""`reloadcheck store init`: make the table of a store that wants one, or print how."""

import argparse
from typing import Any

from ..exceptions import StoreError, UsageError
from ._output import Page
from ._which_store import named_store, unreachable

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if arguments.words != ["init"]:
        raise UsageError("say what to do: reloadcheck store init --store postgresql://…")
    store: Any = named_store(arguments)
    page = Page()
    ddl: str | None = getattr(store, "ddl", None)
    if arguments.sql:
        print(ddl or "-- this store needs no statement", flush=True)
        return 0
    try:
        if ddl is not None:
            store.init()
        else:
            store.look("")
    except StoreError as error:
        return unreachable(page, error, json=arguments.json)
    finally:
        store.close()
    if arguments.json:
        page.json({"ok": True, "store": store.name})
    else:
        page.sentence(f"{store.name} can be used", kind="good", mark=store.name)
    return 0

"""Which store and which application a command is about; what keeps it from being asked.

The command line names them, else the environment, else pyproject.toml, else the engine of `--app`.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any, Final

from .._engine.api import engine_of
from .._state.store_orders import Orders, applications_in
from ..exceptions import OptionError, StoreError, StoreRefusedError, UsageError
from ..stores import SQLiteStore, named
from ..types import Store, printable
from ._inputs import engine_named
from ._output import Page
from ._project import project_of
from ._unanswered import UnansweredError

__all__ = [
    "UNREACHABLE",
    "NoStoreError",
    "application_known",
    "asked",
    "named_store",
    "orders_of",
    "store_named",
    "store_of",
    "unreachable",
]

UNREACHABLE: Final = 3


class NoStoreError(UsageError):
    """No store is named, or there is none."""


def asked(arguments: argparse.Namespace, work: Callable[[Orders], int]) -> int:
    """Do what a command does with a store; say why where it cannot be reached."""
    try:
        orders, store = orders_of(arguments)
        try:
            return work(orders)
        finally:
            store.close()
    except StoreError as error:
        return unreachable(Page(), error, json=arguments.json)


def unreachable(page: Page, error: StoreError, *, json: bool) -> int:
    """Say why nobody can be asked; return the status of that."""
    if json:
        page.json({"ok": False, "code": str(error.code), "error": str(error)})
    else:
        kind = "REFUSED:" if isinstance(error, StoreRefusedError) else "UNREACHABLE:"
        page.sentence(f"{kind} {error}", kind="error", mark=kind)
    return UNREACHABLE


def orders_of(arguments: argparse.Namespace) -> tuple[Orders, Store]:
    """Return what can be asked and ordered, and the store that is to be closed."""
    store, name, release = store_named(arguments)
    try:
        return Orders(store, app=application_known(store, name, release), release=release), store
    except (StoreError, UsageError):
        store.close()
        raise


def application_known(store: Store, name: str | None, release: str | None) -> str:
    """Return the application that is meant; an order to one that nobody knows reaches nobody."""
    groups = applications_in(store)
    found = list(dict.fromkeys(app for app, _ in groups))
    if name is None:
        if len(found) != 1:
            if not found:
                raise UnansweredError("the store holds nothing: no application has started with it")
            listed = ", ".join(map(printable, found))
            raise UnansweredError(f"name the application by --name, of {listed}")
        (name,) = found
    known = [group for app, group in groups if app == name]
    if groups and not known:
        listed = ", ".join(map(printable, found))
        raise UnansweredError(
            f"the store knows no application {printable(name)}; it knows: {listed}"
        )
    if known and release is not None and release not in known:
        listed = ", ".join(map(printable, known))
        raise UnansweredError(
            f"{printable(name)} has no release {printable(release)} in the store; it has: {listed}"
        )
    return name


def named_store(arguments: argparse.Namespace) -> Store:
    """Return the store that a command is about; a file need not be there yet."""
    given = arguments.store or os.environ.get("RELOAD_CHECK_STORE")
    if given is not None:
        return store_of(given, new=True)
    return store_named(arguments, new=True)[0]


def store_named(
    arguments: argparse.Namespace, *, new: bool = False
) -> tuple[Store, str | None, str | None]:
    """Return the store, and the application and release in it that are meant, if any is named.

    `new`: a file need not be there yet. Else it is not made: it would be whose who asks it is, and
    shut to the application.
    """
    project = project_of(arguments.app, None)
    path = arguments.store or os.environ.get("RELOAD_CHECK_STORE") or project.store
    name: str | None = arguments.name or os.environ.get("RELOAD_CHECK_APP") or project.name
    release: str | None = arguments.release or os.environ.get("RELOAD_CHECK_RELEASE")
    if path is not None and arguments.app is None:
        return store_of(path), name, release
    if project.app is None:
        raise NoStoreError(
            "name the store by --store STORE, or an engine that has one by --app MODULE:NAME; "
            "[tool.reloadcheck] store = 'FILE' in pyproject.toml names it for every command"
        )
    engine = engine_of(engine_named("--app", project))
    companion: Any = engine.companion
    if companion is None:
        raise NoStoreError(f"--app {printable(project.app)}: has no store=…")
    options, store = engine.options, companion.keeper.store
    if not new and isinstance(store, SQLiteStore) and not os.path.exists(store.name):
        raise UnansweredError(
            f"{printable(store.name)}: there is no such file; the application makes it at its start"
        )
    return _asking(store), name or companion.application, release or options.release


def _asking(store: Store) -> Store:
    """Let a store be asked and no more: what is damaged is the application's to mend."""
    if isinstance(store, SQLiteStore):
        store.mends = False
    return store


def store_of(given: str, *, new: bool = False) -> Store:
    """Return the store that a text names; raise `UsageError`, which quotes no address.

    `new`: a file need not be there yet.
    """
    if not new and not named.is_address(given):
        try:
            os.stat(given)
        except FileNotFoundError:
            raise UnansweredError(f"--store {printable(given)}: there is no such file") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "cannot be the path of a file"
            raise UnansweredError(f"--store {printable(given)}: {reason}") from None
    try:
        return _asking(named.store_named(given))
    except (OptionError, ModuleNotFoundError) as error:
        reason = str(error)
    raise UsageError(f"--store: {reason}")

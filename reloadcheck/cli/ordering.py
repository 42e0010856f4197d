"""`reloadcheck rollback`, `pin`, `unpin`, `unban`, `freeze`, `fallback` and the like: orders.

Prints what the order does and, with `--wait`, who does not serve it in time: then the status is 1.
"""

import argparse
import math
from collections.abc import Callable
from typing import Final

from .._observe.ages import ago
from .._state.bans import CONTENT, ban_named
from .._state.board import Member
from .._state.ledger import served_before
from .._state.orders import Ordered
from .._state.store_orders import Orders
from ..exceptions import UsageError
from ..types import printable
from ._edition_diff import differences
from ._editions import number_of
from ._history_rows import row_of
from ._output import Page
from ._times import age, moment
from ._which_store import NoStoreError, asked

__all__ = ["run"]

_WHY: Final = ("rollback", "pin", "freeze", "undo")
_OF_NO_EDITION: Final = ("unpin", "freeze", "thaw", "promote", "undo", "retry")
_WITHOUT: Final = {
    "promote": "Without a store an order reaches no worker: call live.promote() in the application",
    "undo": "Without a store an order reaches no worker: put the old content back, which ends a "
    "trial at once in all of them, or call live.undo(reason=…) in the application",
    "retry": "Without a store an order reaches no worker: change the content, or call live.retry() "
    "in the application",
}
_SWITCH: Final = {"on": True, "off": False}


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    verb: str = arguments.verb
    if verb == "fallback" and (len(arguments.words) != 1 or arguments.words[0] not in _SWITCH):
        raise UsageError("say which: reloadcheck fallback on, or off")
    wants_why = verb in _WHY or (verb == "fallback" and arguments.words == ["on"])
    if wants_why and not arguments.why and not getattr(arguments, "dry_run", False):
        command = "fallback on" if verb == "fallback" else verb
        raise UsageError(f"say why: reloadcheck {command} --why 'TEXT'")
    if arguments.words and verb in _OF_NO_EDITION:
        raise UsageError(f"reloadcheck {verb} takes no edition")
    if len(arguments.words) > 1:
        raise UsageError("name one edition, by its number")
    try:
        return asked(arguments, lambda orders: _order(arguments, orders))
    except NoStoreError as error:
        hint = _WITHOUT.get(verb)
        raise error if hint is None else UsageError(f"{error}. {hint}") from None


def _order(arguments: argparse.Namespace, orders: Orders) -> int:
    serving = _serving(orders) if arguments.verb == "rollback" else None
    ordered = _VERBS[arguments.verb](arguments, orders)
    dry = bool(getattr(arguments, "dry_run", False))
    behind: tuple[str, ...] = ()
    wait: float | None = getattr(arguments, "wait", None)
    if wait is not None and math.isnan(wait):
        wait = arguments.timeout
    if wait is not None and not dry:
        behind = orders.wait(wait)
    page = Page()
    if arguments.json:
        page.json(
            {
                "ok": not behind,
                "written": not dry,
                "says": ordered.says,
                "entry": row_of(ordered.entry),
                "behind": list(behind),
            }
        )
        return int(bool(behind))
    page.sentence(f"{'Would be: ' * dry}{ordered.says}", kind="good", mark=ordered.says)
    if serving is not None and ordered.entry.of is not None:
        for line in differences(orders, serving, ordered.entry.of):
            page.sentence(line)
    members = orders.members() if behind else {}
    for name in behind:
        told = f"behind  {_who(members[name])}" if name in members else f"behind  {name}"
        page.sentence(told, kind="warn", mark="behind")
    if wait is not None and not dry and not behind:
        page.sentence(_everybody(len(orders.members())))
    return int(bool(behind))


def _everybody(count: int) -> str:
    if count > 1:
        return f"All {count} live workers serve it."
    return "The one live worker serves it." if count else "No worker is live; who starts serves it."


def _serving(orders: Orders) -> int | None:
    """Return the edition that serves now."""
    target = orders.state().target
    return None if target is None else served_before(orders.entries(), target)


def _who(member: Member) -> str:
    """Say which process it is, what it serves, and what stands in its way."""
    worker = f" {member.worker}" if member.worker else ""
    error = f": {member.error}" if member.error else ""
    edition = "something else" if member.edition is None else f"edition {member.edition}"
    return printable(f"{member.host} {member.pid}{worker} serves {edition}{error}")


def _edition(arguments: argparse.Namespace) -> int | None:
    return number_of(arguments.words[0]) if arguments.words else None


def _rollback(arguments: argparse.Namespace, orders: Orders) -> Ordered:
    return orders.rollback(
        _edition(arguments),
        why=arguments.why,
        by=arguments.by,
        force=arguments.force,
        dry_run=arguments.dry_run,
    )


def _pin(arguments: argparse.Namespace, orders: Orders) -> Ordered:
    edition, force = _edition(arguments), arguments.force
    return orders.pin(edition, why=arguments.why, by=arguments.by, force=force)


def _unban(arguments: argparse.Namespace, orders: Orders) -> Ordered:
    if not arguments.words:
        raise UsageError(f"name what to lift: {_bans(orders) or 'but nothing is banned'}")
    word: str = arguments.words[0]
    named = word.startswith(CONTENT)
    which = word.removeprefix(CONTENT) if named else number_of(word)
    return orders.unban(which, why=arguments.why, by=arguments.by)


def _bans(orders: Orders) -> str:
    """Say what is banned, each as it can be named, by whom and why."""
    said: list[str] = []
    newest = sorted(orders.state().banned.items(), key=lambda item: item[1].at, reverse=True)
    for content, ban in newest:
        who = f" by {printable(ban.by)}" if ban.by else ""
        why = f": {printable(ban.why)}" if ban.why else ""
        name = ban_named(content, ban).removeprefix("edition ")
        said.append(f"{name} ({ago(age(ban.at))}{who}{why})")
    return ", ".join(said)


def _fallback(arguments: argparse.Namespace, orders: Orders) -> Ordered:
    on = _SWITCH[arguments.words[0]]
    return orders.fallback(on, why=arguments.why, by=arguments.by, force=arguments.force)


def _freeze(arguments: argparse.Namespace, orders: Orders) -> Ordered:
    until = None if arguments.until is None else moment(arguments.until, past=False)
    return orders.freeze(until, why=arguments.why, by=arguments.by)


_VERBS: Final[dict[str, Callable[[argparse.Namespace, Orders], Ordered]]] = {
    "rollback": _rollback,
    "pin": _pin,
    "unpin": lambda arguments, orders: orders.unpin(why=arguments.why, by=arguments.by),
    "unban": _unban,
    "freeze": _freeze,
    "fallback": _fallback,
    "thaw": lambda arguments, orders: orders.thaw(why=arguments.why, by=arguments.by),
    "promote": lambda arguments, orders: orders.promote(why=arguments.why, by=arguments.by),
    "undo": lambda arguments, orders: orders.undo(why=arguments.why, by=arguments.by),
    "retry": lambda arguments, orders: orders.retry(why=arguments.why, by=arguments.by),
}

"""The commands that need a store: their options and help texts."""

import argparse
import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ._commands import command_named, count, run_named, seconds

__all__ = ["STORE_COMMANDS", "add_store"]

_ONE_EDITION = "the number of an edition"


_OPERANDS: Final = {
    "rollback": ("EDITION", _ONE_EDITION),
    "pin": ("EDITION", _ONE_EDITION),
    "unban": ("EDITION", _ONE_EDITION),
    "fallback": ("on|off", "which"),
}


def add_store(command: argparse.ArgumentParser, *, app: bool = True) -> None:
    """Add what names a store and an application in it."""
    command.add_argument(
        "--store",
        metavar="STORE",
        help="the store: a file, postgresql://…, etcd://… (else RELOAD_CHECK_STORE, "
        "[tool.reloadcheck] store, the engine's)",
    )
    command.add_argument(
        "--name", help="the application's name in it (else RELOAD_CHECK_APP, the only one)"
    )
    command.add_argument("--release", help="the group of workers, where there are several")
    if app:
        command.add_argument("--app", metavar="M:NAME", help="an engine that has the store")


def _history(commands: Any) -> None:
    command = command_named(
        commands,
        "history",
        "[--store STORE] [--limit N] [--outcome NAME] [--since 2h] [--key KEY.PATH] "
        "[--reviewed no|yes|EDITION]",
        "say what was live and what was refused, who wanted it and why",
        "List the editions of a configuration and the edits that were refused, newest first: age, "
        "cause, who, why, changed keys; marks what serves, is held or banned.",
    )
    command.add_argument("--limit", type=count, default=20, metavar="N", help="so many rows (20)")
    command.add_argument("--outcome", metavar="NAME", help="only these: reloaded, rejected, …")
    command.add_argument("--since", metavar="TIME", help="not older: 2h, or ISO 8601")
    command.add_argument("--key", metavar="KEY.PATH", help="only what changed it, or below it")
    command.add_argument(
        "--reviewed",
        metavar="WHICH",
        help="overrides alone: those that nobody has looked at (no), that somebody has (yes); with "
        "an edition's number, take note that you have",
    )
    command.add_argument("--why", metavar="TEXT", help="what you found, with --reviewed EDITION")
    command.add_argument("--by", metavar="WHO", help="who has looked (who you are, @host)")
    add_store(command)


def _show(commands: Any) -> None:
    command = command_named(
        commands,
        "show",
        "EDITION [--raw] [--store STORE]",
        "show one edition, with what looks secret hidden",
        "Show what is known of an edition and the configuration that it was, as far as it is kept. "
        "--raw prints the kept documents as they were.",
    )
    command.add_argument("words", nargs="*", metavar="EDITION", help=_ONE_EDITION)
    command.add_argument("--raw", action="store_true", help="print the documents, nothing hidden")
    add_store(command)


def _store(commands: Any) -> None:
    command = command_named(
        commands,
        "store",
        "init [--store STORE] [--sql]",
        "make what a store needs before it can be used",
        "`init` makes the table of a PostgreSQL store, unless it is there; --sql prints the "
        "statements instead, for whoever may. Other stores make theirs by themselves.",
    )
    command.add_argument("words", nargs="*", metavar="init", help="what to do")
    command.add_argument("--sql", action="store_true", help="print the statements, run none")
    add_store(command)


def _fleet(commands: Any) -> None:
    command = command_named(
        commands,
        "fleet",
        "[--store STORE] [--watch] [--against FILE... | --git REV:PATH] [--max-drift SHARE]",
        "say which worker serves what, and who is behind",
        "List every worker as the store knows it, of all applications unless one is named: what it "
        "serves, since when, whether that is what it should. Status 1 where a larger share than "
        "--max-drift does not, half a minute after that has changed (at once where a worker says "
        "that it cannot); 3 where nobody can say. Lost workers are listed, and not counted.",
    )
    command.add_argument("--watch", action="store_true", help="again and again, until Ctrl-C")
    command.add_argument("--against", nargs="+", metavar="FILE", help="compare with these files")
    command.add_argument(
        "--git", metavar="REV:PATH", help="compare with a file as git has it, as HEAD:config.yaml"
    )
    command.add_argument(
        "--max-drift", type=_share, default=0.0, metavar="SHARE", help="from 0 (none) to 1"
    )
    command.add_argument("--no-grace", action="store_true", help="right after a change, too")
    add_store(command)
    command.set_defaults(interrupted=0)


def _order(name: str, usage: str, short: str, long: str, commands: Any) -> None:
    command = command_named(commands, name, f"{usage} [--store STORE]", short, long)
    command.set_defaults(run=partial(run_named, "ordering"), verb=name)
    words, meant = _OPERANDS.get(name, ("", argparse.SUPPRESS))  # what is given is refused in words
    command.add_argument("words", nargs="*", metavar=words, help=meant)
    command.add_argument("--why", metavar="TEXT", help="the reason, for the history")
    command.add_argument("--by", metavar="WHO", help="who orders it (who you are, @host)")
    if name in ("rollback", "pin", "unpin", "promote", "undo", "fallback"):
        command.add_argument(
            "--wait",
            type=seconds,
            nargs="?",
            const=math.nan,
            metavar="S",
            help="until all workers serve it, at most so long",
        )
        command.add_argument(
            "--timeout", type=seconds, default=30.0, metavar="S", help="the same, with --wait (30)"
        )
    if name in ("rollback", "pin", "fallback"):
        command.add_argument("--force", action="store_true", help="over another's pin, too")
    if name == "rollback":
        command.add_argument("--dry-run", action="store_true", help="say what it would do")
    if name == "freeze":
        command.add_argument("--until", metavar="TIME", help="2h, or ISO 8601 with an offset")
    add_store(command)


_ORDERS: Final = (
    (
        "rollback",
        "[EDITION] --why TEXT [--wait [S]] [--dry-run] [--force]",
        "serve an older edition everywhere, and ban what serves now",
        "Serve an older edition on all workers until the sources hold something else that is good; "
        "what serves now is banned, whatever comments it gets. Without a number: the newest older "
        "edition that is not banned. Waits for no window, approval or vote.",
    ),
    (
        "pin",
        "[EDITION] --why TEXT [--wait [S]] [--force]",
        "serve an edition whatever the sources hold",
        "Serve an edition until `unpin`; without a number what serves now, which is to stop "
        "following the sources. Edits meanwhile are told as pending.",
    ),
    ("unpin", "[--why TEXT] [--wait [S]]", "follow the sources again", "End a pin; bans stay."),
    (
        "unban",
        "EDITION|content:DIGEST [--why TEXT]",
        "let a banned edition be served again",
        "Lift the ban of a content, so that it goes live where the sources hold it. One that was "
        "never an edition is named by the beginning of its digest. Without either: say what is "
        "banned.",
    ),
    (
        "freeze",
        "--why TEXT [--until TIME]",
        "let no edit go live",
        "Hold every edit back, until a time or `thaw`. Orders are still carried out.",
    ),
    ("thaw", "[--why TEXT]", "let edits go live again", "End a freeze; it ends no roll-back."),
    (
        "promote",
        "[--why TEXT] [--wait [S]]",
        "let what is tried serve everybody",
        "End the trial that is on in the workers: what they try serves everybody from now on; a "
        "second one ends the watch after it.",
    ),
    (
        "undo",
        "--why TEXT [--wait [S]]",
        "take back what is tried, or what serves",
        "End the trial that is on in the workers: what they try is taken back and stays refused. "
        "Where nothing is tried, the edition before serves and what serves now is banned, as by "
        "`rollback`.",
    ),
    (
        "fallback",
        "on|off --why TEXT [--wait [S]] [--force]",
        "serve the application's fall-back instead of its sources",
        "`on` has every worker serve what its `fallback=` names until `off`, whatever the sources "
        "hold; edits meanwhile are told as pending. Waits for no window, approval or vote.",
    ),
    (
        "retry",
        "[--why TEXT]",
        "try again what was refused",
        "Forget refusals, back-offs, and the bans of what was never live for all: edits that a "
        "trial took back, or that waited when a roll-back came.",
    ),
)

STORE_COMMANDS: Final[tuple[Callable[[Any], None], ...]] = (
    _history,
    _show,
    _fleet,
    _store,
    *(partial(_order, *words) for words in _ORDERS),
)
"""What adds each command to a parser."""


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("must be a share from 0 to 1")
    return share

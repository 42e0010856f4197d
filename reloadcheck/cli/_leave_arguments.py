"""The commands of leave: digest, approve and override, their options and help texts."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ._commands import add_engine, add_project, command_named, run_named

__all__ = ["LEAVE_COMMANDS"]

_APP = (
    "the engine of an application, as MODULE:NAME, which has the contract (else "
    "[tool.reloadcheck] app = 'MODULE:NAME' in pyproject.toml)"
)


def _digest(commands: Any) -> None:
    command = command_named(
        commands,
        "digest",
        "FILE... [--app M:NAME]",
        "print the digest of a configuration",
        "Print the digest that a status shows and that statements of leave name: of what the files "
        "mean together, whatever their comments and the order of keys. With --app, one file takes "
        "its place among the application's sources.",
    )
    command.add_argument("words", nargs="*", metavar="FILE", help="files are layers")
    add_engine(command, _APP)


def _leave(name: str, short: str, long: str, commands: Any) -> None:
    command = command_named(
        commands,
        name,
        "FILE --app M:NAME --why TEXT [--key FILE] [--as WHO] [--until TIME]",
        short,
        long,
    )
    command.set_defaults(run=partial(run_named, "leave"), verb=name)
    command.add_argument(
        "words", nargs="*", metavar="FILE", help="the application's file, or its successor"
    )
    command.add_argument("--why", metavar="TEXT", help="the reason, which is signed too")
    command.add_argument(
        "--key",
        metavar="FILE",
        help="a private key, or a public one that the agent or a hardware key has the other half "
        "of; without it, what to sign and how is printed",
    )
    command.add_argument("--as", dest="person", metavar="WHO", help="whose key it must be")
    command.add_argument(
        "--until", metavar="TIME", help="2h, or ISO 8601 with an offset: until then it is good"
    )
    command.add_argument("--keys", metavar="KEYS", help="key paths, with commas between them")
    command.add_argument(
        "--from",
        dest="base",
        metavar="DIGEST",
        help="what serves: a digest, or a file (else a running application is asked, by "
        "RELOAD_CHECK_STATUS_URL; else the application's own file, where FILE is another one)",
    )
    command.add_argument(
        "--store",
        nargs="?",
        const="",
        metavar="STORE",
        help="write it into the store instead: the engine's, or the one that is named",
    )
    command.add_argument("--name", help="the application's name in it (else the engine's)")
    command.add_argument("--release", help="the group of workers, where there are several")
    command.add_argument("--app", metavar="M:NAME", help=_APP)
    add_project(command)


LEAVE_COMMANDS: Final[tuple[Callable[[Any], None], ...]] = (
    _digest,
    partial(
        _leave,
        "approve",
        "sign an edit that waits for somebody's leave",
        "Write and sign, by ssh-keygen, the statement that lets an edit through, beside the "
        "application's file as FILE.approval; where that holds the same statement already, sign it "
        "too. It is good for one content on top of one other, for a day unless --until says so.",
    ),
    partial(
        _leave,
        "override",
        "break the glass: sign an edit past windows, freezes and leave",
        "Write and sign, by ssh-keygen, a statement that skips windows, freezes and leave, beside "
        "the application's file as FILE.override; no rule, schema or probe is skipped. It is good "
        "for one content or, with --keys, for some keys, as long as the contract allows.",
    ),
)
"""What adds each command to a parser."""

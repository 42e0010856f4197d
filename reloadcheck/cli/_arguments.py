"""What can be said on the command line: the commands, their options, their help texts.

Gives a parser whose result names the function to run; that function imports its command.
"""

import argparse
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..demo.apps import APPS

__all__ = ["parser_of"]

_STATUS = (
    "Exit status: 0 fine, 1 the check failed, 2 wrong usage, 3 unreachable. "
    "Coloured on a terminal, unless NO_COLOR is set."
)
_INTERRUPTED = 128 + 2
"""The status that shells give to what SIGINT ended."""

_FILES = "files are layers: later ones override earlier ones. A directory holds a file per key."
_APP = "the engine of an application, as MODULE:NAME; it gives the schema and the resources"
_ORIGIN = "the engine of an application, as MODULE:NAME; it gives the files, unless some are named"


def parser_of() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="reloadcheck",
        description="Live configuration for Python web applications.",
        epilog=f"`reloadcheck COMMAND --help` tells more. {_STATUS}",
    )
    parser.add_argument("--version", action="version", version=f"reloadcheck {_version()}")
    parser.set_defaults(refuse=parser.error)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_validate, _explain, _diff, _doctor, _watch, _status, _demo):
        add(commands)
    return parser


def _validate(commands: Any) -> None:
    command = _command(
        commands,
        "validate",
        "FILE... [--schema M:NAME | --app M:NAME]",
        "say everything that is wrong with a configuration, before it is rolled out",
        "Read, parse, merge and validate a configuration as a running application would, and name "
        "every problem at file:line:column. Values are never shown. Warns of YAML that readers of "
        "version 1.2 take otherwise, of keys that a later file overrides, and of keys that the "
        f"schema does not know. Several {_FILES}",
    )
    command.add_argument("words", nargs="*", metavar="FILE", help="a YAML, JSON or TOML file")
    _add_engine(command, _ORIGIN)


def _explain(commands: Any) -> None:
    command = _command(
        commands,
        "explain",
        "FILE... KEY.PATH [--app M:NAME]",
        "say where a value comes from and what it overrides",
        "Show the value at a key path, the place that sets it, and every layer that it overrides "
        "or that hides it. What looks secret by its name or its form is hidden. A key path is "
        f'written as in `database.hosts[2]."a.b"`. Several {_FILES}',
    )
    command.add_argument(
        "words", nargs="*", metavar="FILE... KEY.PATH", help="the layers, then the key path"
    )
    _add_engine(command, _ORIGIN)
    command.add_argument("--hide-values", action="store_true", help="show no value at all")


def _diff(commands: Any) -> None:
    command = _command(
        commands,
        "diff",
        "OLD NEW [--app M:NAME]",
        "say what an edit would change and what it would rebuild",
        "Compare two configurations by what they mean; comments and the order of keys do not "
        "count. With --app, also say which resources the edit would rebuild and which it leaves "
        "alone; nothing is built. Where OLD or NEW is one of the application's own files, its "
        "other sources are taken along on both sides.",
    )
    command.add_argument("words", nargs="*", metavar="OLD NEW", help="files or directories")
    _add_engine(command, _APP)
    command.add_argument("--hide-values", action="store_true", help="show key paths alone")


def _doctor(commands: Any) -> None:
    command = _command(
        commands,
        "doctor",
        "FILE... [--app M:NAME]",
        "say whether edits will reach an application on this machine",
        "Look at the files and at this machine the way an expert would: file systems, mounts, "
        "links, permissions, limits, systemd, uWSGI, versions. Says pass, warn or fail, and what "
        "to do about it. Run it as the application's user, where the application runs.",
    )
    command.add_argument("words", nargs="*", metavar="FILE", help="a file, or a directory of keys")
    command.add_argument("--app", metavar="M:NAME", help=_ORIGIN)


def _watch(commands: Any) -> None:
    command = _command(
        commands,
        "watch",
        "FILE... [--schema M:NAME | --app M:NAME]",
        "print each accepted or rejected edit as it happens, until Ctrl-C",
        "Follow a configuration as an application would, and print a line for each edit: when, "
        "what came of it, the version, the changed keys. With --json, a JSON document a line. "
        f"Several {_FILES}",
    )
    command.add_argument("words", nargs="*", metavar="FILE", help="a YAML, JSON or TOML file")
    _add_engine(command, _ORIGIN)
    command.set_defaults(interrupted=0)  # Ctrl-C is how it is meant to end
    command.add_argument(
        "--interval", type=_seconds, default=0.5, metavar="S", help="seconds between checks (0.5)"
    )


def _status(commands: Any) -> None:
    command = _command(
        commands,
        "status",
        "URL [--token-env VAR]",
        "ask a running application what it serves",
        "Read the status endpoint of a running application: version, digest, age, the last "
        "attempt and its error, resources. Status 1 when the last edit was not taken, 3 when the "
        "application does not answer with a status. The token is read from the environment, so "
        "that no list of processes shows it.",
    )
    command.add_argument("words", nargs="*", metavar="URL", help="http://host:port/status-path")
    command.add_argument(
        "--token-env",
        metavar="VAR",
        default="RELOAD_CHECK_STATUS_TOKEN",
        help="the variable that holds the token (RELOAD_CHECK_STATUS_TOKEN)",
    )
    command.add_argument(
        "--timeout", type=_seconds, default=5.0, metavar="S", help="seconds to wait (5)"
    )


def _demo(commands: Any) -> None:
    demo = _command(
        commands,
        "demo",
        "[--keep] [--sqlite] [--app NAME]",
        "edit the configuration of a running service under load, and see what happens",
        "Start a private PostgreSQL and a service with two workers, put it under load, edit "
        "its configuration in every way, and check that no request fails. Takes about 30 s; "
        "leaves nothing behind.",
    )
    demo.set_defaults(run=_run_demo)
    demo.add_argument("--keep", action="store_true", help="leave it running, until Ctrl-C")
    demo.add_argument("--sqlite", action="store_true", help="use SQLite instead of PostgreSQL")
    names = ", ".join(APPS)
    demo.add_argument(
        "--app", choices=APPS, default="starlette", metavar="NAME", help=f"the example: {names}"
    )


def _command(
    commands: Any, name: str, usage: str, short: str, long: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        usage=f"reloadcheck {name} [--json] {usage}",
        help=short,
        description=long,
        epilog=_STATUS,
    )
    command.add_argument("--json", action="store_true", help="print JSON, and only that")
    run = partial(_run, name)
    command.set_defaults(run=run, refuse=command.error, interrupted=_INTERRUPTED)
    return command


def _add_engine(command: argparse.ArgumentParser, app: str) -> None:
    command.add_argument(
        "--schema",
        metavar="M:NAME",
        help="as MODULE:NAME: a frozen pydantic model, msgspec struct or dataclass, a function",
    )
    command.add_argument("--app", metavar="M:NAME", help=app)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a number of seconds") from None
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 3600")
    return seconds


def _version() -> str:
    try:
        return version("reloadcheck")
    except PackageNotFoundError:
        return "(not installed)"


def _run(name: str, arguments: argparse.Namespace) -> int:
    """Import the command of that name, and run it."""
    run: Callable[[argparse.Namespace], int] = import_module(f".{name}", __package__).run
    return run(arguments)


def _run_demo(arguments: argparse.Namespace) -> int:
    from ..demo.run import Options, demo

    keep, json, sqlite = arguments.keep, arguments.json, arguments.sqlite
    return demo(Options(keep=keep, json=json, sqlite=sqlite, app=arguments.app))

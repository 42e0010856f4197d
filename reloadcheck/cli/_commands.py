"""What commands have in common on the command line: how one is added, and its usual options."""

import argparse
import re
import sys
import textwrap
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NoReturn, TextIO

__all__ = [
    "FILE",
    "FILES",
    "ORIGIN",
    "STATUS",
    "Parser",
    "add_engine",
    "add_json",
    "add_project",
    "command_named",
    "complaint",
    "count",
    "seconds",
]

STATUS = (
    "Exit status: 0 fine, 1 the check failed, 2 wrong usage, 3 unreachable, 4 waiting (an edit is "
    "good and not allowed yet, or on trial). Coloured on a terminal, unless NO_COLOR is set."
)
FILES = (
    "files are layers: later ones override earlier ones. A directory holds a file per key, - is "
    "standard input."
)
FILE = "a YAML, JSON or TOML file, a directory, or - for standard input"
ORIGIN = (
    "the engine of an application, as MODULE:NAME; it gives the schema, and the files unless some "
    "are named (else [tool.reloadcheck] app = 'MODULE:NAME' in pyproject.toml)"
)
_WIDTH = 80
_INTERRUPTED = 128 + 2
"""The status that shells give to what SIGINT ended."""


def complaint(text: str, out: TextIO) -> str:
    """Return what is wrong as a line; as several that fit, where it is for a terminal."""
    if not out.isatty():  # a program looks for sentences
        return text
    how: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(text, _WIDTH, subsequent_indent="    ", **how)


class Parser(argparse.ArgumentParser):
    """A parser whose complaints fit a terminal."""

    def error(self, message: str) -> NoReturn:
        """Print usage and what is wrong with it, and exit."""
        self.print_usage(sys.stderr)
        self.exit(2, complaint(f"{self.prog}: error: {message}", sys.stderr) + "\n")


def command_named(
    commands: Any, name: str, usage: str, short: str, long: str, *, json: bool = True
) -> argparse.ArgumentParser:
    """Add a command, run by the module of its name; `json`: it can say the same in JSON."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        usage=_folded(f"reloadcheck {name} {'[--json] ' * json}{usage}"),
        help=short,
        description=long,
        epilog=STATUS,
    )
    if json:
        add_json(command, action="store_true")
    command.set_defaults(
        run=partial(run_named, name),
        refuse=command.error,
        print_help=command.print_help,
        options=command._option_string_actions,  # no other way to ask for them
        interrupted=_INTERRUPTED,
    )
    return command


def _folded(usage: str) -> str:
    """Break a line of usage between options, so that `usage: ` and it fit a terminal."""
    whole = re.sub(r"\[[^\]]*\]+", lambda one: one[0].replace(" ", "\0"), usage)
    whole = re.sub(r"(--\S+) (?=[A-Z])", "\\1\0", whole)
    lines = textwrap.wrap(whole, _WIDTH - 7, break_long_words=False, break_on_hyphens=False)
    return "\n           ".join(lines).replace("\0", " ")


def add_json(command: argparse.ArgumentParser, **how: Any) -> None:
    """Add the switch for programs."""
    command.add_argument("--json", help="print JSON, and only that", **how)


def add_engine(command: argparse.ArgumentParser, app: str) -> None:
    """Add what names a schema, or an engine."""
    command.add_argument(
        "--schema",
        metavar="M:NAME",
        help="as MODULE:NAME: a frozen pydantic model, msgspec struct or dataclass, a function",
    )
    command.add_argument("--app", metavar="M:NAME", help=app)
    add_project(command)


def add_project(command: argparse.ArgumentParser) -> None:
    """Add where an engine is looked for, and how standard input is written."""
    command.add_argument(
        "--app-dir", metavar="DIR", help="where MODULE is looked for (the working directory)"
    )
    command.add_argument(
        "--no-app", action="store_true", help="do without the app that pyproject.toml names"
    )
    command.add_argument(
        "--format",
        choices=("yaml", "json", "toml"),
        default="yaml",
        help="the format of standard input (yaml)",
    )


def count(text: str) -> int:
    """Read a number of things."""
    if not text.isdecimal() or not 0 < int(text) <= 1000:
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 1000")
    return int(text)


def seconds(text: str) -> float:
    """Read a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a number of seconds") from None
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 3600")
    return seconds


def run_named(name: str, arguments: argparse.Namespace) -> int:
    """Import the command of that name, and run it."""
    run: Callable[[argparse.Namespace], int] = import_module(f".{name}", __package__).run
    return run(arguments)

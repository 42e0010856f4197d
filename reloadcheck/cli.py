"""The command line: parses the words, imports the one command that is wanted, gives its status.

Exit status: 0 fine, 1 the check failed, 2 wrong usage. Nothing heavy is imported before a command
is known.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

__all__ = ["main"]

AddParser = Callable[..., argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, the process's own unless one is given."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        status = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; say so by the status, not by a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reloadcheck", description="Live configuration for Python web applications."
    )
    parser.add_argument("--version", action="version", version=f"reloadcheck {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
    _add_demo(commands.add_parser)
    return parser


def _add_demo(add_parser: AddParser) -> None:
    demo = add_parser(
        "demo",
        help="edit the configuration of a running service under load, and see what happens",
        description=(
            "Start a private PostgreSQL and a service with two workers, put it under load, edit "
            "its configuration in every way, and check that no request fails. Takes about 30 s; "
            "leaves nothing behind."
        ),
    )
    demo.add_argument("--keep", action="store_true", help="leave it running, until Ctrl-C")
    demo.add_argument("--json", action="store_true", help="print the table as JSON, and only that")
    demo.add_argument("--sqlite", action="store_true", help="use SQLite instead of PostgreSQL")
    demo.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from .demo.run import Options, demo

    return demo(Options(keep=arguments.keep, json=arguments.json, sqlite=arguments.sqlite))


def _version() -> str:
    try:
        return version("reloadcheck")
    except PackageNotFoundError:
        return "(not installed)"

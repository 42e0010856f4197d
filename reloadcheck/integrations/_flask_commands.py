"""`flask reloadcheck`: asks the core's questions of each engine that an app follows.

An answer goes to standard output, a refusal to standard error with exit status 1.
"""

from collections.abc import Callable

import click
from flask import current_app
from flask.cli import AppGroup

from ._commands import COMMANDS, Command


def commands() -> AppGroup:
    """Return the group of commands for an app's command line."""
    group = AppGroup("reloadcheck", help="Look at the live configuration of this app.")
    for name, command in COMMANDS.items():
        group.command(name, help=command.__doc__)(_running(command))
    return group


def _running(command: Command) -> Callable[[], None]:
    def run() -> None:
        answers = [command(live) for live in current_app.extensions["reloadcheck"]]
        for answer in answers:
            click.echo(answer.text, err=not answer.good)
        if not all(answer.good for answer in answers):
            raise SystemExit(1)

    return run

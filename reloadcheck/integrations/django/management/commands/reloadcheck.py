"""`manage.py reloadcheck …`: what an operator asks of a site's configuration.

`status`, `check` and `validate` start the site's engine in the command's process, for each server
process has one of its own. All else, and these where more is said, is the command line of
`reloadcheck` with this site as its application. Exit status: 0 fine, 1 the configuration cannot be
used, 2 wrong usage or settings, 3 unreachable.
"""

import argparse
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from .....cli import main, verbs
from .....exceptions import UsageError
from .....types import printable
from ...._commands import COMMANDS
from ...engine import ready_engine

__all__ = ["Command"]

_SITE = ("--app", "reloadcheck.integrations.django:live")
_WORDS = "what the question takes, as on the command line of reloadcheck: QUESTION --help tells"


class Command(BaseCommand):
    """Ask the site's engine, or the command line."""

    help = "Look at the live configuration of this site."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a question, and what it asks for in the words of the command line."""
        words = {name: _help_of(command) for name, command in COMMANDS.items()}
        words = {name: verb.short for name, verb in verbs().items()} | words
        told = "; ".join(f"{name}: {text}" for name, text in words.items())
        parser.add_argument("question", nargs="?", metavar="QUESTION", help=told)
        parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help=_WORDS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the answer, or end with the reason why nothing can be used."""
        question: str | None = options["question"]
        words = _without_djangos(options["words"])
        known = {*verbs(), *COMMANDS}
        if question is None:
            self.stderr.write(self.create_parser("manage.py", "reloadcheck").format_help())
            raise CommandError("name a QUESTION, `check` for example", returncode=2)
        if question not in known:
            close = get_close_matches(question, sorted(known), 1)
            meant = (
                f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
            )
            raise CommandError(f"there is no {printable(question)}; {meant}", returncode=2)
        try:
            live = ready_engine()
        except (ImproperlyConfigured, UsageError) as error:
            raise CommandError(str(error), returncode=2) from None
        if words or question not in COMMANDS:
            status = main([question, *(_SITE if verbs()[question].takes_app else ()), *words])
            if status:
                raise SystemExit(status)
            return
        try:
            answer = COMMANDS[question](live)
        except UsageError as error:
            raise CommandError(str(error), returncode=2) from None
        if not answer.good:
            raise CommandError(answer.text, returncode=1)
        self.stdout.write(answer.text)


def _help_of(command: object) -> str:
    text = str(command.__doc__).strip().rstrip(".")
    return text[0].lower() + text[1:]


def _without_djangos(words: list[str]) -> list[str]:
    """Leave out what every command of Django's takes, and has taken by now."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--settings", "--pythonpath"):
        parser.add_argument(option)
    return parser.parse_known_args(words)[1]

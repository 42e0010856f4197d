"""`manage.py reloadcheck status|check|validate`: what an operator asks of a site's configuration.

Exit status: 0 fine, 1 the configuration cannot be used, 2 wrong usage or settings. Each server
process has an engine of its own; this asks one in the command's process.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from .....exceptions import UsageError
from ...._commands import COMMANDS
from ...engine import ready_engine

__all__ = ["Command"]


class Command(BaseCommand):
    """Ask the core's questions of the site's engine."""

    help = "Look at the live configuration of this site."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take one word."""
        words = "; ".join(f"{name}: {command.__doc__}" for name, command in COMMANDS.items())
        parser.add_argument("question", choices=tuple(COMMANDS), help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the answer, or end with the reason why nothing can be used."""
        question: str = options["question"]
        try:
            answer = COMMANDS[question](ready_engine())
        except (ImproperlyConfigured, UsageError) as error:
            raise CommandError(str(error), returncode=2) from None
        if not answer.good:
            raise CommandError(answer.text, returncode=1)
        self.stdout.write(answer.text)

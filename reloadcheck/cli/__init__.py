"""The command line: parses the words, imports the one command that is wanted, gives its status.

Exit status: 0 fine, 1 the check failed, 2 wrong usage, 3 unreachable. Nothing heavy is imported
before a command is known.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from ..exceptions import UsageError
from ..types import printable
from ._arguments import parser_of

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, the process's own unless one is given."""
    parser = parser_of()
    arguments, more = parser.parse_known_args(argv)
    _take_further_words(arguments, more)
    if more:
        arguments.refuse(f"unrecognized arguments: {printable(' '.join(more))}")
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        status = run(arguments)
        sys.stdout.flush()
    except UsageError as error:
        arguments.refuse(str(error))
        raise
    except KeyboardInterrupt:
        return int(arguments.interrupted)
    except BrokenPipeError:  # `| head` has seen enough; say so by the status, not by a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _take_further_words(arguments: argparse.Namespace, more: list[str]) -> None:
    """Add the words that stand after an option to those before it, which argparse does not."""
    if hasattr(arguments, "words") and not any(word.startswith("-") for word in more):
        arguments.words += more
        more.clear()

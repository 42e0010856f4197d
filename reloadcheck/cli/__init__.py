"""The command line: parses the words, imports the one command that is wanted, gives its status.

Exit status: 0 fine, 1 the check failed, 2 wrong usage, 3 unreachable, 4 waiting (an edit is good
and not allowed yet, or on trial). Nothing heavy is imported before a command is known.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from ..exceptions import OrderRefusedError, UsageError
from ..types import printable
from ._arguments import Verb, parser_of
from ._arguments import verbs as verbs
from ._commands import complaint
from ._unanswered import UnansweredError

__all__ = ["Verb", "main", "verbs"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, the process's own unless one is given."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = parser_of()
    if not words:
        parser.print_help()
        return 2
    _refuse_unknown(parser, words[0])
    arguments, more = parser.parse_known_args(words)
    _take_further_words(arguments, more)
    if more:
        meant = _meant(more[0].split("=")[0], arguments.options)
        arguments.refuse(f"unrecognized arguments: {printable(' '.join(more))}{meant}")
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        status = run(arguments)
        sys.stdout.flush()
    except (OrderRefusedError, UnansweredError) as error:  # the words were right: no usage
        _complain(words[0], printable(str(error)))
        return 2
    except UsageError as error:
        if len(words) == 1:  # the command alone: somebody wants to know what it takes
            arguments.print_help(sys.stderr)
            print(file=sys.stderr)
            _complain(words[0], str(error))
            return 2
        arguments.refuse(str(error))
        raise
    except KeyboardInterrupt:
        return int(arguments.interrupted)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # `| head` has seen enough
            place = f"{printable(str(error.filename))}: " if error.filename is not None else ""
            reason = error.strerror or type(error).__name__
            _complain(words[0], place + reason)
        if error.filename is None:  # what is left to print would fail again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _complain(command: str, reason: str) -> None:
    print(complaint(f"reloadcheck {command}: error: {reason}", sys.stderr), file=sys.stderr)


def _refuse_unknown(parser: argparse.ArgumentParser, word: str) -> None:
    """Say which command was meant, rather than list them all."""
    commands: Sequence[str] = parser.get_default("commands")
    if word.startswith("-") or word in commands:
        return
    meant = _meant(word, commands) or f"; the commands are: {', '.join(commands)}"
    parser.error(f"there is no command {printable(word)}{meant}")


def _meant(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _take_further_words(arguments: argparse.Namespace, more: list[str]) -> None:
    """Add the words that stand after an option to those before it, which argparse does not."""
    if hasattr(arguments, "words") and not any(word.startswith("-") for word in more):
        arguments.words += more
        more.clear()

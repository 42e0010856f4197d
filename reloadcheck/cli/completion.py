"""`reloadcheck completion`: what bash, zsh or fish need to complete the commands and their options.

Made from the parser itself, so that no option is forgotten.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ..exceptions import UsageError
from ..types import printable
from ._arguments import parser_of
from ._output import Page

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    if len(arguments.words) != 1 or arguments.words[0] not in _SHELLS:
        given = printable(" ".join(arguments.words)) or "nothing"
        raise UsageError(f"name one shell, bash, zsh or fish, not {given}")
    Page().line(_SHELLS[arguments.words[0]](_commands()))
    return 0


def _commands() -> Mapping[str, tuple[str, Sequence[tuple[str, str]]]]:
    """Return each command with its sentence and its options with theirs."""
    groups = parser_of()._subparsers  # the parser has no public list of its commands
    actions = [] if groups is None else groups._group_actions
    found: dict[str, tuple[str, Sequence[tuple[str, str]]]] = {}
    for action in actions:
        listed: Any = action  # the list of the commands
        helps: dict[str, str] = {one.dest: one.help or "" for one in listed._get_subactions()}
        choices: Mapping[str, argparse.ArgumentParser] = listed.choices
        for name, parser in choices.items():
            found[name] = (helps.get(name, ""), list(_options(parser)))
    return found


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                yield option, action.help or ""


def _bash(commands: Mapping[str, tuple[str, Sequence[tuple[str, str]]]]) -> str:
    cases = "\n".join(
        f'    {name}) words="{" ".join(option for option, _ in options)}" ;;'
        for name, (_, options) in commands.items()
    )
    return f"""\
_reloadcheck() {{
  local words="" current="${{COMP_WORDS[COMP_CWORD]}}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join(commands)} --help --version" -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}}
complete -F _reloadcheck reloadcheck"""


def _zsh(commands: Mapping[str, tuple[str, Sequence[tuple[str, str]]]]) -> str:
    listed = "\n".join(f"    {_quoted(f'{name}:{said}')}" for name, (said, _) in commands.items())
    cases = "\n".join(
        f"    {name}) _arguments {' '.join(_quoted(_zsh_option(o, s)) for o, s in options)}"
        " '*:file:_files' ;;"
        for name, (_, options) in commands.items()
    )
    return f"""\
#compdef reloadcheck
_reloadcheck() {{
  local -a commands=(
{listed}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
{cases}
  esac
}}
compdef _reloadcheck reloadcheck"""


def _zsh_option(option: str, said: str) -> str:
    return f"{option}[{said.replace('[', '(').replace(']', ')')}]"


def _fish(commands: Mapping[str, tuple[str, Sequence[tuple[str, str]]]]) -> str:
    lines = ["complete -c reloadcheck -n __fish_use_subcommand -l version -d 'the version'"]
    for name, (said, options) in commands.items():
        lines.append(
            f"complete -c reloadcheck -n __fish_use_subcommand -a {name} -d {_quoted(said)}"
        )
        for option, words in options:
            lines.append(
                f"complete -c reloadcheck -n '__fish_seen_subcommand_from {name}' "
                f"-l {option.removeprefix('--')} -d {_quoted(words)}"
            )
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_SHELLS: Final[
    Mapping[str, Callable[[Mapping[str, tuple[str, Sequence[tuple[str, str]]]]], str]]
] = {"bash": _bash, "zsh": _zsh, "fish": _fish}

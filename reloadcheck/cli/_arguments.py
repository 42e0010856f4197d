"""What can be said on the command line: the commands, their options, their help texts.

Gives a parser whose result names the function to run; that function imports its command.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..demo.apps import APPS
from ..exceptions import UsageError
from ._commands import (
    FILE,
    FILES,
    ORIGIN,
    STATUS,
    Parser,
    add_engine,
    add_json,
    add_project,
    command_named,
)
from ._leave_arguments import LEAVE_COMMANDS
from ._running_arguments import add_status, add_watch
from ._store_arguments import STORE_COMMANDS, add_store

__all__ = ["Verb", "parser_of", "verbs"]

_APP = (
    "the engine of an application, as MODULE:NAME; it gives the schema and the resources (else "
    "[tool.reloadcheck] app = 'MODULE:NAME' in pyproject.toml)"
)


def parser_of() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    parser = Parser(
        prog="reloadcheck",
        description="Live configuration for Python web applications.",
        epilog=f"`reloadcheck COMMAND --help` tells more. {STATUS}",
    )
    parser.add_argument("--version", action="version", version=f"reloadcheck {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _validate,
        _explain,
        _diff,
        _schema,
        _doctor,
        add_watch,
        add_status,
        *STORE_COMMANDS,
    ):
        add(commands)
    for add in (*LEAVE_COMMANDS, _init, _completion, _demo):
        add(commands)
    parser.set_defaults(refuse=parser.error, commands=tuple(commands.choices))
    return parser


@dataclass(frozen=True, slots=True)
class Verb:
    """A command as others may offer it: its help, and whether it wants an engine by `--app`."""

    short: str
    takes_app: bool


def verbs() -> Mapping[str, Verb]:
    """Return the commands that make sense for an application that is there already."""
    commands = _Commands()
    own = (_validate, _explain, _diff, _doctor, add_watch, add_status)
    for add in (*own, *STORE_COMMANDS, *LEAVE_COMMANDS):
        add(commands)
    return {
        name: Verb(short, "--app" in parser.get_default("options"))
        for name, (short, parser) in commands.found.items()
    }


class _Commands:
    """Stands for the parser's commands, and keeps what is added."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[str, argparse.ArgumentParser]] = {}

    def add_parser(self, name: str, **words: Any) -> argparse.ArgumentParser:
        """Keep a command and its help."""
        parser = argparse.ArgumentParser(prog=name)
        self.found[name] = words["help"], parser
        return parser


def _validate(commands: Any) -> None:
    command = command_named(
        commands,
        "validate",
        "FILE... [--strict] [--schema M:NAME | --app M:NAME]",
        "say everything that is wrong with a configuration, before it is rolled out",
        "Read, parse, merge and validate a configuration as a running application would, and name "
        "every problem at file:line:column. Values are never shown. Warns of YAML that readers of "
        "version 1.2 take otherwise, of keys that a later file overrides, and of keys that the "
        f"schema does not know. With --app, asks its rules and its contract. Several {FILES}",
        json=False,
    )
    command.add_argument("words", nargs="*", metavar="FILE", help=FILE)
    add_engine(command, ORIGIN)
    command.add_argument("--strict", action="store_true", help="let a warning fail too")
    command.add_argument("--old", metavar="FILE", help="what serves: judge the edit from it")
    command.add_argument("--each", action="store_true", help="each file for itself, not as layers")
    command.add_argument(
        "--overrides",
        action="store_true",
        help="draw the layers of each key that more than one of them sets, instead of warning",
    )
    command.set_defaults(output_format="text")
    command.add_argument(
        "--output-format",
        choices=("text", "json", "github", "sarif", "junit"),
        help="text, json, or what GitHub, code scanners and build servers read",
    )
    add_json(command, action="store_const", const="json", dest="output_format")


def _explain(commands: Any) -> None:
    command = command_named(
        commands,
        "explain",
        "FILE... KEY.PATH [--app M:NAME]",
        "say where a value comes from and what it overrides",
        "Show the value at a key path, the place that sets it, and every layer that it overrides "
        "or that hides it. What looks secret by its name or its form is hidden. A key path is "
        f'written as in `database.hosts[2]."a.b"`. Several {FILES}',
    )
    command.add_argument(
        "words", nargs="*", metavar="FILE... KEY.PATH", help="the layers, then the key path"
    )
    add_engine(command, ORIGIN)
    command.add_argument("--hide-values", action="store_true", help="show no value at all")


def _schema(commands: Any) -> None:
    command = command_named(
        commands,
        "schema",
        "[--app M:NAME]",
        "print the JSON Schema of an application's configuration",
        "Print what the schema of an engine takes as JSON Schema, for editors that complete YAML: "
        "`reloadcheck schema --app shop.live:live > schema.json`, and in the file's first line "
        "`# yaml-language-server: $schema=schema.json`.",
    )
    add_engine(command, ORIGIN)


def _diff(commands: Any) -> None:
    command = command_named(
        commands,
        "diff",
        "OLD NEW | --git REV FILE... [--app M:NAME]",
        "say what an edit would change, rebuild, and when it could go live",
        "Compare two configurations by what they mean; comments and the order of keys do not "
        "count. With --app, also say which resources the edit would rebuild and which it leaves "
        "alone, which rules judge it, whose leave it needs, and when it could go live; nothing is "
        "built. Where OLD or NEW is one of the application's own files, its "
        "other sources are taken along on both sides. edition:41 is one that a store has kept.",
    )
    command.add_argument(
        "words",
        nargs="*",
        metavar="OLD NEW",
        help="files or directories; - for standard input; edition:41",
    )
    add_engine(command, _APP)
    add_store(command, app=False)
    command.add_argument(
        "--git",
        metavar="REV",
        help="compare each FILE with what that revision has of it: diff --git HEAD FILE...",
    )
    command.add_argument(
        "--exit-code",
        action="store_true",
        help="status 1 when they differ, 2 when they cannot be compared",
    )
    command.add_argument(
        "--may-wait", action="store_true", help="status 0, not 4, where the edit would wait"
    )
    command.add_argument("--hide-values", action="store_true", help="show key paths alone")


def _doctor(commands: Any) -> None:
    command = command_named(
        commands,
        "doctor",
        "FILE... [--app M:NAME] [--store STORE]",
        "say whether edits will reach an application on this machine",
        "Look at the files and at this machine the way an expert would: file systems, mounts, "
        "links, permissions, limits, systemd, uWSGI, versions. Says pass, warn or fail, and what "
        "to do about it. Run it as the application's user, where the application runs.",
    )
    command.add_argument("words", nargs="*", metavar="FILE", help="a file, or a directory of keys")
    command.add_argument("--app", metavar="M:NAME", help=ORIGIN)
    command.add_argument(
        "--store", metavar="STORE", help="look at this store, too (else at the engine's)"
    )
    add_project(command)


def _init(commands: Any) -> None:
    command = command_named(
        commands,
        "init",
        "fastapi|flask|django [DIR]",
        "write the files that a project begins with",
        "Write a configuration, its schema and an application that follows it, and name the engine "
        "in pyproject.toml, so that no other command needs --app. Overwrites nothing.",
        json=False,
    )
    command.add_argument("words", nargs="*", metavar="KIND [DIR]", help="what kind, and where")


def _completion(commands: Any) -> None:
    command = command_named(
        commands,
        "completion",
        "bash|zsh|fish",
        "print what a shell needs to complete these commands",
        "Print a script for a shell: source <(reloadcheck completion bash) in ~/.bashrc, the same "
        "with zsh in ~/.zshrc, reloadcheck completion fish | source in config.fish.",
        json=False,
    )
    command.add_argument("words", nargs="*", metavar="SHELL", help="bash, zsh or fish")


def _demo(commands: Any) -> None:
    demo = command_named(
        commands,
        "demo",
        "[--keep] [--sqlite] [--app NAME] | --fleet",
        "edit the configuration of a running service under load, and see what happens",
        "Start a private PostgreSQL and a service with two workers, put it under load, edit "
        "its configuration in every way, and check that no request fails. Takes about 30 s; "
        "leaves nothing behind. --fleet: three applications over one private etcd, an edit that is "
        "undone, a roll-back, a cut.",
    )
    demo.set_defaults(run=_run_demo)
    demo.add_argument("--keep", action="store_true", help="leave it running, until Ctrl-C")
    demo.add_argument("--sqlite", action="store_true", help="use SQLite instead of PostgreSQL")
    demo.add_argument("--fleet", action="store_true", help="three applications over one etcd")
    names = ", ".join(APPS)
    demo.add_argument(
        "--app", choices=APPS, default="starlette", metavar="NAME", help=f"the example: {names}"
    )


def _version() -> str:
    try:
        return version("reloadcheck")
    except PackageNotFoundError:
        return "(not installed)"


def _run_demo(arguments: argparse.Namespace) -> int:
    from ..demo.run import Options, demo

    keep, json, sqlite = arguments.keep, arguments.json, arguments.sqlite
    options = Options(keep, json, sqlite, arguments.app, arguments.fleet)
    if options.fleet and (keep or sqlite):
        raise UsageError("--fleet goes with neither --keep nor --sqlite")
    return demo(options)

"""The commands that follow what runs: watch and status, their options and help texts."""

from typing import Any

from ._commands import FILE, FILES, ORIGIN, add_engine, command_named, count, seconds

__all__ = ["add_status", "add_watch"]


def add_watch(commands: Any) -> None:
    """Add `watch`."""
    command = command_named(
        commands,
        "watch",
        "FILE... [--app M:NAME] [--until live]",
        "print each accepted or rejected edit as it happens, until Ctrl-C",
        "Follow a configuration as an application would, and print a line for each edit: when, "
        "what came of it, the version, the changed keys. With --json, a JSON document a line. "
        "With --app, its rules and its contract are asked. --until live ends with the next edit: "
        "status 0 when it is live, 1 when it is rejected, 4 when it still waits after --timeout; "
        "where RELOAD_CHECK_STATUS_URL names a running application, that one is asked whether what "
        f"the files hold is live. Several {FILES}",
    )
    command.add_argument("words", nargs="*", metavar="FILE", help=FILE)
    add_engine(command, ORIGIN)
    command.set_defaults(interrupted=0)  # Ctrl-C is how it is meant to end
    command.add_argument(
        "--interval", type=seconds, default=0.5, metavar="S", help="seconds between checks (0.5)"
    )
    command.add_argument("--until", choices=("live",), help="end when the edit is live")
    command.add_argument(
        "--timeout",
        type=seconds,
        metavar="S",
        help="seconds to wait for that (for ever)",
    )


def add_status(commands: Any) -> None:
    """Add `status`."""
    command = command_named(
        commands,
        "status",
        "[URL] [--all | --workers N] [--token-env VAR]",
        "ask a running application what it serves",
        "Read the status endpoint of a running application: version, digest, age, the last "
        "attempt and its error, resources. Asking has a check made. Status 4 when an edit is good "
        "and waits until it may go live; 1 when not all that is written serves for another "
        "reason, or when an edit would not be seen; 3 when the application does not answer with a "
        "status. The token is read from the environment, so that no list of processes shows it. "
        "Without a URL it is RELOAD_CHECK_STATUS_URL, or RELOAD_CHECK_STATUS_PATH at port PORT "
        "(8000) of this host.",
    )
    command.add_argument("words", nargs="*", metavar="URL", help="http://host:port/status-path")
    command.add_argument(
        "--all", action="store_true", help="ask until every worker behind the URL has answered"
    )
    command.add_argument(
        "--workers", type=count, metavar="N", help="ask until N workers have answered"
    )
    command.add_argument(
        "--token-env",
        metavar="VAR",
        default="RELOAD_CHECK_STATUS_TOKEN",
        help="the variable that holds the token (RELOAD_CHECK_STATUS_TOKEN)",
    )
    command.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="S", help="seconds to wait (5)"
    )

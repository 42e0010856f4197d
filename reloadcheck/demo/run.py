"""The demo from start to end: sets everything up, performs the steps, shows the table, clears away.

Gives an exit status. It is the main program while it runs, so it may listen to signals; it must
never leave a process or a directory behind, whichever way it ends.
"""

import importlib.util
import signal
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TextIO

from .apps import APPS
from .postgres import available
from .table import Row, as_json, as_text
from .workspace import StartError, Workspace

__all__ = ["Options", "demo"]

SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
NEEDED = ("psycopg", "psycopg_pool")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said."""

    keep: bool = False
    json: bool = False
    sqlite: bool = False
    app: str = "starlette"
    fleet: bool = False


class Stopped(BaseException):
    """A signal asked the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def demo(options: Options) -> int:
    """Run the demo, and return an exit status.

    0 when every step came out as promised, 1 when not or when a server did not start, 2 when a
    package is missing.
    """
    progress = sys.stderr if options.json else sys.stdout
    if options.fleet:
        return _fleet(options, progress)
    needed = (*NEEDED, *APPS[options.app].needs)
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        needs = ", ".join(name.replace("_", "-") for name in missing)
        print(f'the demo needs {needs}: pip install "reloadcheck[demo]"', file=sys.stderr)
        return 2
    try:
        with _listening():
            return _run(options, sys.stdout, progress)
    except StartError as error:
        hint = "" if options.sqlite else "\n`reloadcheck demo --sqlite` does without PostgreSQL."
        print(f"the demo could not start: {error}{hint}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        with suppress(OSError):  # the terminal may be what went away
            _say(progress, "\nStopped; nothing is left running.")
        return 128 + stopped.number


def _fleet(options: Options, log: TextIO) -> int:
    """Run the demo as a fleet."""
    from . import fleet

    missing = [name for name in fleet.NEEDED if importlib.util.find_spec(name) is None]
    if fleet.etcd_program() is None:
        missing.append("etcd")
    if missing:
        needs = ", ".join(missing)
        print(f'the demo needs {needs}: pip install "reloadcheck[demo]"', file=sys.stderr)
        return 2
    try:
        with _listening(), Workspace.open("reloadcheck-demo-") as workspace:
            return fleet.fleet(workspace, sys.stdout, log, json=options.json)
    except StartError as error:
        print(f"the demo could not start: {error}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        with suppress(OSError):  # the terminal may be what went away
            _say(log, "\nStopped; nothing is left running.")
        return 128 + stopped.number


def _run(options: Options, out: TextIO, log: TextIO) -> int:
    from .bench import Bench, with_stragglers
    from .databases import postgres_database, sqlite_database
    from .load import Load
    from .server import Server
    from .steps import Script
    from .tried import tried

    with ExitStack() as stack:
        workspace = stack.enter_context(Workspace.open("reloadcheck-demo-"))
        reason = "as asked" if options.sqlite else available()
        if reason is None:
            _say(log, "Starting a private PostgreSQL ...")
            database = stack.enter_context(postgres_database())
        else:
            _say(log, f"No PostgreSQL ({reason}): running on SQLite instead.")
            database = stack.enter_context(sqlite_database(workspace.directory))
        app = APPS[options.app]
        _say(log, f"Starting {app.file} under {app.server} with two workers ...")
        script = Script(workspace.directory / "orders.yaml", database)
        server = Server.start(workspace, script.file, app)
        with Load(server.host, server.port) as load:
            bench = Bench(server, database, load, script.content)
            bench.warm_up()
            rows: list[Row] = []
            steps = script.steps()
            for step in [one for one in steps if not one.is_tried]:
                _say(log, f"  {step.title:<34}", end="")
                rows.append(bench.measure(step))
                _say(log, _progress(rows[-1]))
        rows[-1:] = [with_stragglers(row, load.take()) for row in rows[-1:]]
        for step in [one for one in steps if one.is_tried]:
            _say(log, f"  {step.title:<34}", end="")
            rows.append(tried(workspace, app))
            _say(log, _progress(rows[-1]))
        show = as_json if options.json else as_text
        _say(out, ("" if options.json else "\n") + show(rows, database.kind))
        if options.keep:
            _say(log, f"\nStill serving at {server.url} (also {server.url}orders and status).")
            _say(log, f"Edit {script.file} and look again; Ctrl-C ends it all.")
            _wait_for_the_end()
        return int(any(row.broken for row in rows))


def _progress(row: Row) -> str:
    if row.broken:
        return "NOT as promised"
    when = f" after {max(row.seconds.values()):.2f} s" if row.seconds else ""
    return f"{row.promise}{when}"


def _wait_for_the_end() -> None:
    """Return at the first signal; it is how `--keep` is meant to end."""
    try:
        while True:
            time.sleep(3600)
    except Stopped as stopped:
        if stopped.number != signal.SIGINT:
            raise


def _say(stream: TextIO, text: str, end: str = "\n") -> None:
    print(text, end=end, file=stream, flush=True)


@contextmanager
def _listening() -> Generator[None]:
    """Turn the first signal into an exception, and let the clearing up that follows finish.

    Later ones are not heard; what they would interrupt is bounded in time.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

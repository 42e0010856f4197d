"""Run the soak: `python -m tests.soak --minutes 10 [--only psycopg_sync] [--json]`.

Starts PostgreSQL, Valkey, an HTTP upstream and two app servers, asks 200 questions a second, edits
each configuration 50 times a minute, and prints what came of it. The exit status tells whether all
was as it must be.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from reloadcheck.demo.postgres import PostgresServer
from tests.support.ending import unwind_at_sigterm
from tests.support.valkey import valkey_server

from .backends import backends
from .matrix import MATRIX, Kind
from .report import Report
from .sides import Times, side
from .trial import Pace, trial

TIMES = Times(window=0.5, settle=0.1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print the table; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", choices=[one.name for one in MATRIX], help="this resource alone")
    parser.add_argument("--json", action="store_true", help="print the account as JSON")
    chosen = parser.parse_args(arguments)
    report, left_over = soak(chosen.minutes * 60, [chosen.only] if chosen.only else [])
    if left_over:
        report.problems.append(f"open after the servers' end: {sorted(left_over)}")
    print(json.dumps(asdict(report), default=list) if chosen.json else report.table())
    return 1 if report.problems else 0


def soak(seconds: float, names: Sequence[str]) -> tuple[Report, set[str]]:
    """Run a trial of its own; give its report, and what was connected when all had ended."""
    kinds: set[Kind] = {one.kind for one in MATRIX if not names or one.name in names}
    with (
        tempfile.TemporaryDirectory(prefix="reloadcheck-soak-") as scratch,
        PostgresServer.start() as postgres,
        valkey_server() as valkey,
        backends(postgres, valkey) as servers,
        ExitStack() as stack,
    ):
        sides = [
            stack.enter_context(side(kind, servers, Path(scratch), TIMES, names))
            for kind in sorted(kinds)
        ]
        report = trial(sides, servers, Pace(seconds))
        for one in sides:
            one.server.stop()
        left_over = servers.left_over({one.name for one in MATRIX})
    return report, left_over


if __name__ == "__main__":
    unwind_at_sigterm()
    sys.exit(main())

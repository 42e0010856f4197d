"""`python -m tests.trial.judged [--trials 5] [--on uvicorn] [scenario …]`; status 1: one failed."""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.ending import unwind_at_sigterm
from tests.support.postgres import MortalPostgres, mortal_postgres

from .load import Load
from .scenarios import STORIES, UNDONE, Judged, harmless
from .site import SERVERS, Site, site

RATE = 50.0
"""Requests a second."""

HTTP_ONLY = {"a websocket"}
"""Stories that a server of WSGI has no part in."""


@contextmanager
def made(
    kind: str, database: MortalPostgres, trial: Mapping[str, object], **options: Any
) -> Generator[tuple[Site, Load]]:
    """Make a site of four workers on version 1, under load, for the length of a block."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        site(Path(name), kind, database, trial=trial, **options) as shop,
        Load(shop.port, RATE).running() as load,
    ):
        yield shop, load


def judged(name: str, scenario: Judged, shop: Site, load: Load, trials: int) -> tuple[bool, str]:
    """Try a scenario so often; return whether it kept to its bounds, and what it came to."""
    came = [scenario.try_once(shop, load) for _ in range(trials)]
    seconds, failed = sorted(one.seconds for one in came), sorted(one.failed for one in came)
    within = sum(o.seconds <= scenario.seconds and o.failed <= scenario.failed for o in came)
    good = within * 100 >= scenario.percent * trials
    return good, (
        f"{name}: {statistics.median(seconds):.1f} s and {statistics.median(failed):.0f} failed, "
        f"worst {seconds[-1]:.1f} and {failed[-1]}; {within} of {trials} within "
        f"{scenario.seconds:.0f} s and {scenario.failed}; all knew within "
        f"{max(one.spread for one in came):.2f} s; {sorted({one.code for one in came})}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Judge what was asked for, on each server."""
    parser = argparse.ArgumentParser(prog="python -m tests.trial.judged", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *UNDONE, *STORIES], help="all by default")
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--on", choices=sorted(SERVERS), help="both by default")
    chosen = parser.parse_args(arguments)
    names, failed = chosen.names or [*UNDONE, *STORIES], 0
    with mortal_postgres() as database:
        for kind in [chosen.on] if chosen.on else sorted(SERVERS):
            measured = [name for name in UNDONE if name in names]
            if measured:
                with made(kind, database, {}) as (shop, load):
                    for name in measured:
                        good, said = judged(name, UNDONE[name], shop, load, chosen.trials)
                        failed += not good
                        print(f"{'holds' if good else 'FAILS'} on {kind}: {said}", flush=True)
            for name in [name for name in STORIES if name in names]:
                if kind == "gunicorn" and name in HTTP_ONLY:
                    continue
                try:
                    make = partial(made, kind, database)
                    often = name == "harmless"
                    said = harmless(make, chosen.trials) if often else STORIES[name](make)
                except AssertionError as error:
                    failed += 1
                    print(f"FAILS on {kind}: {name}: {error!r}", flush=True)
                else:
                    print(f"holds on {kind}: {name}: {said}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    unwind_at_sigterm()
    sys.exit(main())

"""Run frameworks' own tests bare and behind our doors, and list what newly fails.

`python -m tests.transparency [starlette|werkzeug|flask|fastapi|django|wagtail …] [--short]
[--keep]`
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.ending import unwind_at_sigterm

from .bench import Bench
from .projects import PROJECTS, Project
from .verdict import Run, Verdict, compare

__all__ = ["main"]

AGAIN = 2
"""How often what has failed behind a door must fail there again, and pass bare, to count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen projects; the exit status tells whether nothing newly failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.transparency", description=__doc__)
    parser.add_argument("projects", nargs="*", choices=[[], *PROJECTS], help="all by default")
    parser.add_argument("--short", action="store_true", help="only a few tests of each")
    parser.add_argument("--keep", action="store_true", help="leave sources, logs and notes")
    chosen = parser.parse_args(arguments)
    held = [
        _judge(PROJECTS[name], short=chosen.short, keep=chosen.keep)
        for name in chosen.projects or PROJECTS
    ]
    return 0 if all(held) else 1


def _judge(project: Project, *, short: bool, keep: bool) -> bool:
    begun = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix=f"transparency-{project.name}-"))
    try:
        bench = Bench.set_up(project, directory)
        tests = project.short if short else project.tests
        bare = bench.run("bare", tests, doors=False)
        behind = bench.run("behind", tests, doors=True)
        verdict = _again(bench, compare(bare, behind, project.expected.keys()))
    finally:
        if keep:
            print(f"{project.name}: kept in {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    _report(bench, bare, behind, verdict, time.monotonic() - begun)
    return _tried(bare, behind) and not verdict.broken


def _again(bench: Bench, verdict: Verdict) -> Verdict:
    """Run what failed again, both ways: what is unsteady by itself is not our doing."""
    broken = verdict.broken
    for number in range(1, AGAIN + 1):
        if not broken:
            break
        bare = bench.run(f"bare-again-{number}", broken, doors=False)
        behind = bench.run(f"behind-again-{number}", broken, doors=True)
        broken = compare(bare, behind, frozenset()).broken
    for test in sorted({*verdict.broken} - {*broken}):
        print(f"{bench.project.name}: unsteady: {test}")
    return Verdict(broken, verdict.expected)


def _report(bench: Bench, bare: Run, behind: Run, verdict: Verdict, seconds: float) -> None:
    project = bench.project
    print(f"{project.name} {bench.version}: {seconds:.0f} s, {behind.wrapped} times behind a door")
    print(f"  bare:   {bare}")
    print(f"  behind: {behind}")
    for test in verdict.expected:
        print(f"  expected: {test}: {project.expected[test]}")
    for test in verdict.broken:
        print(f"  NEWLY FAILING: {test}")
    if not _tried(bare, behind):
        print("  NOTHING WAS TRIED: see the logs, with --keep")
    print(f"  newly failing: {len(verdict.broken)}", flush=True)


def _tried(bare: Run, behind: Run) -> bool:
    """Return whether the runs say anything: most tests pass bare, and doors were in use."""
    return bare.count("passed") > bare.count("failed") and behind.wrapped > 0


if __name__ == "__main__":
    unwind_at_sigterm()
    sys.exit(main())

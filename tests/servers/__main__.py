"""`python -m tests.servers [NAME…]`: try each server, print the table; status 1 if a row fails."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.ending import unwind_at_sigterm

from .catalog import SERVERS
from .trial import run
from .verdict import problems, table


def main(names: list[str]) -> int:
    """Try the servers whose names contain one of `names`, or all."""
    kinds = [kind for kind in SERVERS if not names or any(name in kind.name for name in names)]
    with tempfile.TemporaryDirectory() as directory:
        results = asyncio.run(run(kinds, Path(directory)))
    print("\n".join(table(results.values())))
    failed = {name: found for name, one in results.items() if (found := problems(one))}
    for name, found in failed.items():
        print(f"\n{name}: {'; '.join(found)}\n{results[name].log}", file=sys.stderr)
    return bool(failed) or not results


if __name__ == "__main__":
    unwind_at_sigterm()
    raise SystemExit(main(sys.argv[1:]))

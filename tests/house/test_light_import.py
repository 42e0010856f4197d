"""What `import reloadcheck` loads, and what it costs: it stands in every worker's start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LATER = (
    "asyncio", "blake3", "concurrent", "decimal", "email", "http", "logging", "multiprocessing",
    "selectors", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "textwrap", "tomllib",
    "traceback", "yaml",
    "reloadcheck.asgi", "reloadcheck.cli", "reloadcheck.demo", "reloadcheck.integrations",
    "reloadcheck.orders", "reloadcheck.parsers", "reloadcheck.policy",
    "reloadcheck.sources.directory",
    "reloadcheck.sources.dotenv", "reloadcheck.sources.environ", "reloadcheck.sources.http",
    "reloadcheck.stores", "reloadcheck.testing", "reloadcheck.trial", "reloadcheck.wsgi",
    "reloadcheck._doors", "reloadcheck._etcd", "reloadcheck._page", "reloadcheck._state",
    "reloadcheck.seams.", "reloadcheck._words.boards", "reloadcheck._words.trials",
)  # fmt: skip
"""What only those who use it load."""

MOST = 1.35
"""Times what `import asyncio` costs at the same moment.

It was 1.1 times, a third of it the standard library's `dataclasses`, `typing`, `re`, `inspect`.
"""

LOADED = "import sys; before = set(sys.modules); {}; print(*sorted(set(sys.modules) - before))"
TIMED = "import time; begun = time.process_time(); import {}; print(time.process_time() - begun)"


def said(code: str, cache: Path) -> str:
    """Run a program with its byte code kept in `cache`, and give what it prints."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    environ |= {
        "PYTHONPYCACHEPREFIX": str(cache),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout


def loaded(code: str, cache: Path) -> set[str]:
    """Return the modules that a statement loads."""
    return set(said(LOADED.format(code), cache).split())


@pytest.mark.parametrize(
    "code", ["import reloadcheck", "import reloadcheck; reloadcheck.ReloadCheck('config.yaml')"]
)
def test_importing_loads_what_every_engine_needs_and_no_more(code: str, tmp_path: Path) -> None:
    """No parser, no event loop, no library, no kind of source that was not named."""
    found = loaded(code, tmp_path)
    wrong = [name for name in found if name.startswith(LATER)]
    assert wrong == []
    libraries = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
    assert libraries == {"reloadcheck"}


def test_a_kind_of_source_is_loaded_when_it_is_named(tmp_path: Path) -> None:
    """The others stay away."""
    found = loaded("from reloadcheck import EnvironSource", tmp_path)
    assert "reloadcheck.sources.environ" in found
    assert "reloadcheck.sources.directory" not in found


def test_importing_costs_little(tmp_path: Path) -> None:
    """In CPU time, and compared with the standard library at the same moment here."""
    costs: dict[str, list[float]] = {"reloadcheck": [], "asyncio": []}
    for name in costs:
        said(f"import {name}", tmp_path)  # compiles
    for _ in range(12):
        for name, taken in costs.items():
            taken.append(float(said(TIMED.format(name), tmp_path)))
    assert min(costs["reloadcheck"]) <= MOST * min(costs["asyncio"])

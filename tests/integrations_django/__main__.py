"""`python -m tests.integrations_django`: rotations on every kind of site, on real servers."""

import os
import sys
from pathlib import Path

import pytest

from . import ALL_SITES

HERE = Path(__file__).parent

if __name__ == "__main__":
    os.environ[ALL_SITES] = "yes"
    names = ("databases_on_servers", "databases_in_tasks", "caches")
    files = [str(HERE / f"test_{name}.py") for name in names]
    sys.exit(pytest.main(["-q", *files, *sys.argv[1:]]))

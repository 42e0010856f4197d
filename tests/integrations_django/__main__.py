"""`python -m tests.integrations_django`: rotations on every kind of site, on real servers."""

import os
import sys
from pathlib import Path

import pytest

from . import ALL_SITES

HERE = Path(__file__).parent

if __name__ == "__main__":
    os.environ[ALL_SITES] = "yes"
    files = [str(HERE / name) for name in ("test_databases_on_servers.py", "test_caches.py")]
    sys.exit(pytest.main(["-q", *files, *sys.argv[1:]]))

"""The site with its tables and its staff, which its own commands have made."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import ROOT, Server, serving

from .visitor import NAME, PASSWORD

__all__ = ["filled"]


@contextmanager
def filled(
    environ: dict[str, str], command: list[str], directory: Path, *, listen: bool = True
) -> Generator[Server]:
    """Run the site once its own commands have made tables and staff, by the file's password."""
    staff = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DJANGO_SUPERUSER_EMAIL": "staff@example.test"}
    for words in (
        ["check"],
        ["migrate", "--run-syncdb", "--verbosity", "0"],
        ["createsuperuser", "--noinput", "--username", NAME, "--verbosity", "0"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tests.integrations_django.manage", *words],
            cwd=ROOT,
            env={**os.environ, **environ, **staff},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
    with serving(command, environ, directory, listen=listen) as server:
        yield server

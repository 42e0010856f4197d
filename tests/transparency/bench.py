"""A framework's own tests, unpacked in a directory with an environment of their own.

Downloads the source distribution of the version that is installed here, by pip alone, and runs its
tests as they are, as often as asked.
"""

import os
import subprocess
import sys
import tarfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .projects import Project
from .verdict import Run, read

__all__ = ["Bench"]

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).with_name("inside")
RUN_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Bench:
    """One project's tests, ready to run."""

    project: Project
    version: str
    directory: Path
    sources: Path

    @classmethod
    def set_up(cls, project: Project, directory: Path) -> "Bench":
        """Download, unpack and install; raise `CalledProcessError` when pip cannot."""
        found = project.version or version(project.name)
        pinned = f"{project.name}=={found}"
        fetch = ["download", "-qq", "--no-deps", "--no-binary", ":all:"]
        _pip(Path(sys.executable), *fetch, "--dest", str(directory), pinned)
        (archive,) = directory.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(directory, filter="data")
        (sources,) = (one.parent for one in directory.glob("*/PKG-INFO"))
        venv.create(directory / "venv", with_pip=True)
        bench = cls(project, found, directory, sources)
        _pip(bench.python, "install", "-qq", pinned, *project.needs.split())
        _pip(bench.python, "install", "-qq", "--editable", str(ROOT))
        return bench

    @property
    def python(self) -> Path:
        """Return the interpreter of the environment."""
        return self.directory / "venv" / "bin" / "python"

    def run(self, name: str, tests: Sequence[str], *, doors: bool) -> Run:
        """Run tests, bare or behind our doors; the output goes to a log beside the notes."""
        notes = self.directory / f"{name}.jsonl"
        environ = {
            **{key: value for key, value in os.environ.items() if "RELOAD_CHECK" not in key},
            "PYTHONPATH": str(INSIDE),
            "TRANSPARENCY_DOORS": self.project.doors if doors else "none",
            "TRANSPARENCY_RESULTS": str(notes),
        }
        with (self.directory / f"{name}.log").open("wb") as log:
            subprocess.run(
                [str(self.python), *self.project.command, *tests],
                cwd=self.sources / self.project.within,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=RUN_SECONDS,
                check=False,  # its notes tell
            )
        return read(notes)


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run(
        [str(python), "-m", "pip", "--disable-pip-version-check", *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )

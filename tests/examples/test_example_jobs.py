"""The jobs example: threads that follow their file, and end when told to."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tests.support.config import replace
from tests.support.load import until
from tests.support.servers import ROOT, environment, serving

EXAMPLE = ROOT / "examples" / "jobs.py"


def readings(database: Path) -> int:
    """Count the rows that the jobs have left."""
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM readings").fetchone()[0])


def test_jobs_follow_their_file_and_end_on_a_signal(tmp_path: Path) -> None:
    """Another pace, limit and database are taken up between two rounds; a bad edit by none."""
    file = tmp_path / "jobs.yaml"
    text = EXAMPLE.with_suffix(".yaml").read_text()
    text = text.replace("1.0", "0.05").replace("readings.db", str(tmp_path / "first.db"))
    file.write_text(text)
    environ = {**environment(file, tmp_path / "journal"), "JOBS_CONFIG": str(file)}
    with serving([sys.executable, str(EXAMPLE)], environ, tmp_path, listen=False) as jobs:
        jobs.logs("version 1: keeping 100", times=2)
        replace(file, text.replace(" 100\n", " a few\n"))
        jobs.logs("keep")
        replace(file, text.replace(" 100\n", " 3\n").replace("first.db", "second.db"))
        jobs.logs("version 2: keeping 3", times=5)
        until(lambda: readings(tmp_path / "second.db") >= 3)
        assert jobs.stop() == 0
    assert readings(tmp_path / "first.db") > 0
    assert "Traceback" not in jobs.log

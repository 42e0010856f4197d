"""What a system other than Linux lacks is not needed to import anything, nor to look at a file."""

import subprocess
import sys
from pathlib import Path

MISSING = ("fcntl", "resource", "pwd", "grp", "termios", "pty")
CALLS = (
    "getuid", "geteuid", "getgid", "getegid", "getgroups", "getresuid", "fork", "register_at_fork",
    "killpg", "setsid", "setgroups", "sched_getaffinity",
)  # fmt: skip
BARE = f"""
import os, signal, subprocess, sys, importlib.abc
sys.argv[0] = "reloadcheck"
for name in {CALLS!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)


class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {MISSING!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


for name in {MISSING!r}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
"""
MODULES = """
import reloadcheck, reloadcheck.asgi, reloadcheck.wsgi, reloadcheck.testing.memory
import reloadcheck.demo.run, reloadcheck.demo.keeper, reloadcheck.demo.postgres
import reloadcheck.cli.doctor, reloadcheck.cli.status, reloadcheck.cli.watch, reloadcheck.cli.diff
"""


def bare(code: str, directory: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program where only what Windows has too can be had."""
    return subprocess.run(
        [sys.executable, "-c", BARE + code], cwd=directory, capture_output=True, text=True
    )


def test_everything_can_be_imported(tmp_path: Path) -> None:
    """Neither a module that is missing nor a call that is not there ends an import."""
    done = bare(MODULES, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_doctor_looks_at_a_file_all_the_same(tmp_path: Path) -> None:
    """It says what it can, without a traceback; so do the others."""
    (tmp_path / "config.yaml").write_text("a: 1\n")
    for command in ("doctor", "validate"):
        code = f"from reloadcheck.cli import main; sys.exit(main(['{command}', 'config.yaml']))"
        done = bare(code, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "config.yaml" in done.stdout


def test_an_application_follows_its_file_all_the_same(tmp_path: Path) -> None:
    """The engine needs none of it either."""
    (tmp_path / "config.yaml").write_text("a: 1\n")
    code = """
from reloadcheck import ReloadCheck
live = ReloadCheck("config.yaml", settle=0.0)
live.start()
open("config.yaml", "w").write("a: 22\\n")
live.check()
live.check()
print(live.snapshot.config.a)
live.close()
"""
    done = bare(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, "22\n"), done.stderr

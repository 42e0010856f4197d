"""The systemd example: the unit is sound and tight, and gunicorn serves by its file."""

import configparser
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Orders
from reloadcheck.stores import SQLiteStore
from tests.house.test_readme import get
from tests.support.config import replace
from tests.support.load import until
from tests.support.servers import ROOT, environment, serving

EXAMPLE = ROOT / "examples" / "systemd"
UNIT = EXAMPLE / "orders.service"
EXPOSURE = 20
"""Tenths, in `systemd-analyze security`: 0 is the tightest, 100 what a plain unit nearly has."""


class Unit(configparser.RawConfigParser):
    """A unit file: keys keep their case, and may be there more than once."""

    def __init__(self) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#", ";"))
        self.optionxform = str  # type: ignore[assignment, method-assign]
        self.read_string(UNIT.read_text())


def gunicorn_settings() -> dict[str, Any]:
    """Return what the configuration of gunicorn sets."""
    return runpy.run_path(str(EXAMPLE / "gunicorn.conf.py"))


def test_the_unit_and_gunicorn_agree() -> None:
    """It starts what lies beside it, reads what it may, and is given time to stop."""
    service = Unit()["Service"]
    program, *arguments = service["ExecStart"].split()
    assert program.endswith("/bin/gunicorn")
    configured = Path(arguments[arguments.index("-c") + 1])
    assert configured.parent == Path(service["WorkingDirectory"])
    assert (EXAMPLE / configured.name).exists()
    module, name = arguments[-1].split(":")
    assert re.search(rf"^{name} = ", (EXAMPLE / f"{module}.py").read_text(), re.M)
    given = re.findall(r"^Environment=ORDERS_CONFIG=(.+)$", UNIT.read_text(), re.M)
    assert [Path(one).parent for one in given] == [Path("/etc", service["ConfigurationDirectory"])]
    assert (EXAMPLE / Path(given[0]).name).exists()
    store = re.findall(r"^Environment=RELOAD_CHECK_STORE=(.+)$", UNIT.read_text(), re.M)
    assert [Path(one).parent for one in store] == [Path("/var/lib", service["StateDirectory"])]
    assert float(service["TimeoutStopSec"]) > gunicorn_settings()["graceful_timeout"] + 20


def test_the_unit_is_hardened() -> None:
    """What a web service never needs is taken away; what it reads is a directory, not one file."""
    service = Unit()["Service"]
    for key in ("NoNewPrivileges", "PrivateDevices", "ProtectHome", "RestrictNamespaces"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["User"] != "root"
    assert "BindReadOnlyPaths" not in service


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
@pytest.mark.skipif(not os.access("/tmp", os.W_OK), reason="it works in /tmp, which is closed here")
def test_systemd_itself_is_content(tmp_path: Path) -> None:
    """It finds no fault with the unit, nor too much that an intruder could reach."""
    unit = tmp_path / UNIT.name
    program = Unit()["Service"]["ExecStart"].split()[0]
    unit.write_text(UNIT.read_text().replace(program, "/bin/true"))
    verified = analyze("verify", "--man=no", str(unit))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    secured = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", str(unit))
    assert secured.returncode == 0, secured.stdout


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run systemd-analyze, which needs no systemd that runs for this."""
    command = ["systemd-analyze", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_service_follows_its_file(tmp_path: Path) -> None:
    """As the unit starts it, but for the port: both workers take up an edit, with no signal."""
    file = tmp_path / "config.yaml"
    text = (EXAMPLE / "config.yaml").read_text()
    file.write_text(text)
    environ = {
        **environment(file, tmp_path / "journal"),
        "ORDERS_CONFIG": str(file),
        "RELOAD_CHECK_STORE": str(tmp_path / "orders" / "reloadcheck.db"),
        "RELOAD_CHECK_APP": "orders",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", str(EXAMPLE / "gunicorn.conf.py")]
    options = ["--bind", "127.0.0.1:0", "--chdir", str(EXAMPLE), "app:app"]
    with serving([*command, *options], environ, tmp_path) as service:
        assert get(service.port) == (200, "Hello, at most 100\n")
        replace(file, text.replace("100", "200"))
        seen: list[str] = []

        def everywhere() -> bool:
            seen.append(get(service.port)[1])
            return seen[-20:] == ["Hello, at most 200\n"] * 20

        until(everywhere)
        assert set(seen) <= {"Hello, at most 100\n", "Hello, at most 200\n"}
        with closing(SQLiteStore(tmp_path / "orders" / "reloadcheck.db")) as store:
            orders = Orders(store, app="orders")
            until(lambda: len(orders.history()) == 2)
            orders.rollback(why="too many", by="dora")
            until(lambda: get(service.port)[1] == "Hello, at most 100\n")
            assert orders.wait(30) == ()
        assert service.stop() == 0


def test_a_reload_returns_when_the_edit_is_taken_up(tmp_path: Path) -> None:
    """As systemd would see it: RELOADING, and READY with what serves, for a bad edit as well."""
    file = tmp_path / "config.yaml"
    text = (EXAMPLE / "config.yaml").read_text()
    file.write_text(text)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("")  # a name of its own, which is no path: a path may be too long
        manager.settimeout(30)
        environ = {
            "ORDERS_CONFIG": str(file),
            "NOTIFY_SOCKET": f"@{manager.getsockname()[1:].decode()}",
            "RELOAD_CHECK_WINDOW": "3600",  # so that nothing but the signal has a check made
            "RELOAD_CHECK_SETTLE": "0.01",
        }
        command = [sys.executable, str(EXAMPLE / "reload_now.py"), "0"]
        with serving(command, environ, tmp_path) as service:
            assert manager.recv(999) == b"READY=1\nSTATUS=version 1 serves"
            replace(file, text.replace("100", "200"))
            service.process.send_signal(signal.SIGHUP)
            assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", manager.recv(999))
            assert manager.recv(999) == b"READY=1\nSTATUS=version 2 serves"
            assert get(service.port) == (200, "Hello, at most 200\n")
            file.write_text("greeting: [")
            service.process.send_signal(signal.SIGHUP)
            assert manager.recv(999).startswith(b"RELOADING=1")
            told = manager.recv(999).decode()
            assert told.startswith(f"READY=1\nSTATUS=version 2 serves; refused: {file}:1:")
            assert service.stop() == 0
            assert manager.recv(999) == b"STOPPING=1"

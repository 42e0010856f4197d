"""A private PostgreSQL that a test may stop, freeze and start again."""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from reloadcheck.demo.postgres import PostgresServer

from .halting import halt

__all__ = ["MortalPostgres", "mortal_postgres"]


class MortalPostgres:
    """One server; its address stays the same however often it is started."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.url()
        self.password = server.password

    @property
    def server(self) -> PostgresServer:
        """The server that runs at present."""
        return self._server

    def halt(self) -> None:
        """Stop every process of the server, until `go_on`: none answers once this returns."""
        halt(self._pids())

    def go_on(self) -> None:
        """Let all go on; a session may end at this moment."""
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it: SIGINT waits for nobody, SIGTERM for the sessions, SIGQUIT is as a crash."""
        os.kill(self._server.process.pid, number)
        status = self._server.process.wait(30)
        assert status is not None

    def start(self) -> None:
        """Start it on its data."""
        self._server = self._server.again()

    def _pids(self) -> list[int]:
        """Return the server and its children, which are in sessions of their own."""
        parent = self._server.process.pid
        found = [parent]
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                after = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after[1]) == parent:
                found.append(int(path.parent.name))
        return found


@contextmanager
def mortal_postgres() -> Generator[MortalPostgres]:
    """Run a server until the block ends."""
    with PostgresServer.start() as server:
        mortal = MortalPostgres(server)
        try:
            yield mortal
        finally:
            mortal.go_on()

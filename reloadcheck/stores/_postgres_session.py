"""One connection to a PostgreSQL, none of whose calls lasts longer than it may.

Takes statements, gives rows of texts. psycopg connects; what follows is spoken over libpq with
time-outs of our own, since a stopped server is never noticed by TCP. No sentence of it quotes the
address, nor a text of libpq that might.
"""

import os
import selectors
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..exceptions import OptionError

if TYPE_CHECKING:
    import psycopg
    from psycopg import pq

__all__ = ["Row", "Session", "SessionError", "settings_of"]

Row: TypeAlias = tuple[bytes | None, ...]

_BYTEA: Final = 17
_ABANDONED: "list[psycopg.Connection[Any]]" = []
"""Connections that a forked child was left with: dropped, and never spoken on or closed."""

_SAID: Final = {
    "28P01": "refuses the password",
    "28000": "lets this user not in",
    "3D000": "has no such database",
    "42501": "this user has no right to its table",
    "25006": "takes no writes: it is a standby, or read-only",
    "53100": "its disk is full",
    "53300": "has no connection left",
    "55P03": "another writer holds it for too long",
    "57014": "does not answer in time",
    "57P01": "was shut down",
    "57P02": "has crashed",
    "57P03": "is starting or shutting down",
}
_AT_CONNECTING: Final = (
    ("password authentication failed", "refuses the password"),
    ("no password supplied", "wants a password"),
    ("no pg_hba.conf entry", "lets this user not in"),
    ("too many clients", "has no connection left"),
    ("remaining connection slots", "has no connection left"),
    ("does not exist", "has no such user or database"),
    ("Connection refused", "nobody listens there"),
    ("could not translate host name", "has a name that is not known here"),
    ("failed to resolve host", "has a name that is not known here"),
    ("certificate", "its certificate is not trusted here: sslrootcert"),
    ("SSL", "does not speak TLS as expected: sslmode"),
    ("starting up", "is starting or shutting down"),
    ("shutting down", "is starting or shutting down"),
    ("timeout", "does not answer in time"),
    ("No such file or directory", "has no socket on this machine: name its host"),
    ("Permission denied", "has a socket that this user may not use"),
)


class SessionError(Exception):
    """A call failed; `state` is PostgreSQL's code where it told one, `over` that nothing works."""

    def __init__(self, reason: str, state: str | None = None, *, over: bool = False) -> None:
        super().__init__(reason)
        self.state = state
        self.over = over


def settings_of(address: str) -> dict[str, Any]:
    """Return what an address says; raise `OptionError`, which never quotes it."""
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        words = "psycopg is not installed: pip install 'reloadcheck[postgres]'"
        raise ModuleNotFoundError(words, name="psycopg") from None
    try:
        return dict(conninfo_to_dict(address))
    except psycopg.ProgrammingError:
        pass
    raise OptionError(
        "the address of a PostgreSQL store cannot be read: write "
        "postgresql://USER@HOST/DATABASE, with special characters of a password as %40"
    )


class Session:
    """A connection, made at once; raises `SessionError`. One thread speaks on it at a time."""

    def __init__(self, settings: dict[str, Any], timeout: float) -> None:
        import psycopg

        self._timeout = timeout
        self._told = False
        self._pid = os.getpid()
        given: dict[str, Any] = {
            "application_name": "reloadcheck",
            "connect_timeout": max(2, round(timeout)),
            **settings,
            "client_encoding": "UTF8",
        }
        try:
            self._connection = psycopg.connect(**given, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            reason = _reason_at_connecting(error)
        else:
            self._connection.add_notify_handler(lambda one: self._notified(one.pid))
            self._pgconn: pq.abc.PGconn = self._connection.pgconn
            self._pgconn.nonblocking = 1
            self.own_pid = self._pgconn.backend_pid
            return
        raise SessionError(reason, over=True)

    def close(self) -> None:
        """Let go of the connection; in a forked child only of its name."""
        if self._pid != os.getpid():
            _ABANDONED.append(self._connection)
            return
        self._connection.close()

    # ------------------------------------------------------------------ calls

    def run(self, statement: str, *given: str | bytes | None) -> list[Row]:
        """Run one statement with parameters `$1` …, and return its rows."""
        values = [value.encode() if isinstance(value, str) else value for value in given]
        types = [_BYTEA if isinstance(value, bytes) else 0 for value in given]
        formats = [1 if isinstance(value, bytes) else 0 for value in given]
        with self._libpq():
            self._pgconn.send_query_params(statement.encode(), values, types, formats)
            return self._rows()[0]

    def script(self, statements: str) -> list[Row]:
        """Run several statements without parameters in one go, and return the last one's rows."""
        with self._libpq():
            self._pgconn.send_query(statements.encode())
            return self._rows()[0]

    def commit(self) -> bool:
        """Return whether the server did, and did not roll back."""
        with self._libpq():
            self._pgconn.send_query(b"COMMIT")
            return self._rows()[1] == b"COMMIT"

    def _libpq(self) -> "_Translated":
        return _Translated()

    def _rows(self) -> tuple[list[Row], bytes]:
        from psycopg import pq

        deadline = time.monotonic() + self._timeout
        while self._pgconn.flush():
            self._ready(deadline, writing=True)
            self._pgconn.consume_input()
        rows: list[Row] = []
        status = b""
        error: SessionError | None = None
        while True:
            while self._pgconn.is_busy():
                self._ready(deadline)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                break
            if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                status = result.command_status or b""
                columns = range(result.nfields)
                rows = [
                    tuple(result.get_value(row, column) for column in columns)
                    for row in range(result.ntuples)
                ]
            elif error is None:
                error = self._error(result.error_field(pq.DiagnosticField.SQLSTATE))
        self._gather()
        if error is not None:
            raise error
        return rows, status

    def _error(self, told: bytes | None) -> SessionError:
        state = None if told is None else told.decode("ascii", "replace")
        if state is None:
            return SessionError("the connection broke", over=True)
        over = self._is_broken() or state.startswith(("57P", "08"))
        return SessionError(_SAID.get(state, f"refuses it with {state}"), state, over=over)

    def _ready(self, deadline: float, *, writing: bool = False) -> None:
        rest = deadline - time.monotonic()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._pgconn.socket, events)
            if rest > 0 and selector.select(rest):
                return
        raise SessionError("does not answer in time", over=True)

    # ------------------------------------------------------------------ what is told meanwhile

    def fileno(self) -> int:
        """Return the socket, which is readable when something is told."""
        return self._pgconn.socket

    def is_broken(self) -> bool:
        """Take what was sent meanwhile, and return whether the connection is of no use now."""
        try:
            with self._libpq():
                self._pgconn.consume_input()
                self._gather()
        except SessionError:
            return True
        return self._is_broken()

    def _is_broken(self) -> bool:
        from psycopg import pq

        return self._pgconn.status != pq.ConnStatus.OK

    def take_told(self) -> bool:
        """Return whether another session told of a change since this was asked last."""
        told, self._told = self._told, False
        return told

    def _gather(self) -> None:
        while (one := self._pgconn.notifies()) is not None:
            self._notified(one.be_pid)

    def _notified(self, pid: int) -> None:
        self._told = self._told or pid != self.own_pid


class _Translated:
    """Turns psycopg's errors, whose texts might quote an address, into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        import psycopg

        if kind is not None and issubclass(kind, psycopg.Error):
            raise SessionError("the connection broke", over=True) from None


def _reason_at_connecting(error: Exception) -> str:
    text = str(error)
    found: Sequence[str] = [said for words, said in _AT_CONNECTING if words in text]
    return found[0] if found else "cannot be connected to"

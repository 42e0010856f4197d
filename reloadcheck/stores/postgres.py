"""A store for many machines: a table in a PostgreSQL that is there already.

One connection a process, which the application never sees. A look asks each time; LISTEN, where no
pooler is in between, only makes a wait shorter. Lives are judged by the server's clock alone.

Long because all that a store can be asked for is one conversation with a server.
"""

import json
import os
import threading
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from .._config.containers import is_dict
from .._runtime.paths import path_text
from ..exceptions import StoreError, StoreLostError, StoreRefusedError, StoreUnsureError
from ..types import Board, Record, Retention
from ._postgres_session import Session, SessionError, settings_of
from ._postgres_sql import SCHEMA, statements_for
from ._postgres_waking import Waking

__all__ = ["PostgresStore"]

T = TypeVar("T")

_END = "\U0010ffff"
_NO_TABLE = "42P01"
_NO_RIGHT = "42501"


class PostgresStore:
    """What the workers of many machines share, in a table that `reloadcheck store init` makes.

    `dsn` is an address as libpq takes it; its password is shown nowhere. `content` keeps the
    documents of editions, so that they can be rolled back to: True always, False never, None where
    nothing in them looks secret. A member that has not beaten for `ttl` seconds is gone. `mirror`
    is a file for a start without the server. No call lasts much longer than `timeout` seconds.
    """

    def __init__(
        self,
        dsn: str,
        table: str = "reloadcheck",
        ttl: float = 30.0,
        mirror: str | os.PathLike[str] | None = None,
        content: bool | None = None,
        keep: int = 100,
        *,
        timeout: float = 2.0,
    ) -> None:
        self._settings = settings_of(dsn)
        self._name = _name_of(self._settings)
        self._table = table
        self._sql = statements_for(table, timeout)
        self._retention = Retention(keep, 64 * 2**20, content)
        self._ttl = ttl
        self._timeout = timeout
        self.mirror: str | None = None
        if mirror is not None:
            self.mirror = os.path.abspath(path_text(mirror, "mirror"))
        self._session: Session | None = None
        self._mine: frozenset[str] = frozenset()
        self._woken = Waking()
        self._made_for(os.getpid())

    def __repr__(self) -> str:
        return f"PostgresStore({self._name!r})"

    @property
    def name(self) -> str:
        """The address without user and password."""
        return self._name

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        return self._retention

    @property
    def ddl(self) -> str:
        """The statements that make the table."""
        return self._sql.create

    def facts(self) -> dict[str, Any]:
        """Return what the server says of itself, for who looks at it."""
        found: Any = json.loads(
            self._tried(lambda session: _text(session.run(self._sql.facts)[0][0]))
        )
        return found if is_dict(found) else {}

    def init(self) -> None:
        """Make the table, unless it is there."""
        self._here()
        with self._lock:
            self._let_go()
            try:
                session = Session(self._settings, self._timeout)
                try:
                    session.script(f"{self._sql.alone}; {self._sql.create}")
                finally:
                    session.close()
            except SessionError as error:
                if error.state != _NO_RIGHT:
                    raise StoreLostError(f"{self._name}: {error}") from None
                words = "this user may not make its table: let one who may run what --sql prints"
                raise StoreRefusedError(f"{self._name}: {words}") from None

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Return the records below `prefix`; None where they are those that `seen` has."""

        def work(session: Session) -> Board | None:
            if seen is not None:
                revision = _number(session.run(self._sql.revision))
                if seen.stamp == (self._birth, revision):
                    return None
            rows = session.run(self._sql.look, prefix, prefix + _END)
            if not rows:
                raise self._no_table()
            records = {
                _text(key): Record(_text(value), int(at or 0))
                for _, key, value, at in rows
                if key is not None
            }
            revision = int(rows[0][0] or 0)
            return Board(revision, records, (self._birth, revision))

        return self._tried(work)

    def put(
        self,
        records: Mapping[str, str | None],
        *,
        same: Mapping[str, int] | None = None,
        none_since: tuple[str, int] | None = None,
        mortal: bool = False,
    ) -> int | None:
        """Write all records or none, and return the new revision; None takes a record away."""
        dies = repr(self._ttl) if mortal else None

        def work(session: Session) -> int | None:
            if same and _number(session.run(self._sql.holds, _json(same))):
                return None
            if none_since is not None:
                lead, revision = none_since
                asked = (lead, lead + _END, str(revision))
                if _number(session.run(self._sql.none_since, *asked)):
                    return None
            return _number(session.run(self._sql.write, _json(records), dies))

        durable = same is not None or none_since is not None
        written = self._written(work, durable=durable)
        if written is not None:
            living = {key for key, value in records.items() if mortal and value is not None}
            self._mine = (self._mine - records.keys()) | living
        return written

    def beat(self) -> bool:
        """Keep what is mortal alive, and take away what has not beaten for its time to live."""
        mine = _json(sorted(self._mine))

        def work(session: Session) -> tuple[int, int]:
            beaten, dead = session.run(self._sql.beat, mine, repr(self._ttl))[0]
            return int(beaten or 0), int(dead or 0)

        beaten, dead = self._tried(work)
        alive = beaten == len(self._mine)
        if not alive:
            self._mine = frozenset()
        if dead:
            self._written(lambda session: session.run(self._sql.bury, "[]"))
        return alive

    def wait(self, seconds: float) -> None:
        """Wait so long, or until another tells of a change, or until `wake`."""
        self._here()
        self._woken.wait(seconds, self._session)

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""
        self._woken.wake()

    def content(self, digest: str) -> bytes | None:
        """Return what was kept under a digest, or None."""

        def work(session: Session) -> bytes | None:
            rows = session.run(self._sql.content, digest)
            return None if not rows else zlib.decompress(_bytea(rows[0][0]))

        try:
            return self._tried(work)
        except (zlib.error, ValueError):
            raise StoreLostError(f"{self._name}: a content of it is damaged") from None

    def keep(self, digest: str, data: bytes | None) -> None:
        """Keep content under its digest; None: keep it no longer."""
        if data is None:
            self._written(lambda session: session.run(self._sql.forget, digest))
        elif self._retention.content is not False:
            packed = zlib.compress(data, 6)
            self._written(lambda session: session.run(self._sql.keep, digest, packed))

    def close(self) -> None:
        """Take away what is mortal and let go of the connection; a later call connects anew."""
        self._here()
        if self._session is not None and self._mine:
            mine = _json(sorted(self._mine))
            with suppress(StoreError):
                self._written(lambda session: session.run(self._sql.bury, mine))
        self._mine = frozenset()
        self._let_go()
        self._woken.close()

    # ------------------------------------------------------------------ one call

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._lock = threading.RLock()
        self._woken.close()  # in a child, its own copies alone
        self._woken = Waking()
        self._mine = frozenset()
        self._birth = ""
        self._let_go()  # in a forked child the parent's connection is not closed

    def _here(self) -> None:
        if self._pid != os.getpid():
            self._made_for(os.getpid())

    def _tried(self, work: Callable[[Session], T]) -> T:
        self._here()
        with self._lock:
            try:
                return work(self._opened())
            except SessionError as error:
                raise self._lost(error) from None

    def _written(self, work: Callable[[Session], T], *, durable: bool = False) -> T:
        """Do a piece of work in a transaction that has the board for itself; None undoes it."""

        def transaction(session: Session) -> T:
            if not session.script(self._sql.begin):
                raise self._no_table()
            if durable:  # a decision survives a power cut, however the database is set
                session.script("SET LOCAL synchronous_commit = on")
            result = work(session)
            if result is None:
                session.script("ROLLBACK")
                return result
            try:
                done = session.commit()
            except SessionError as error:
                self._let_go()
                raise StoreUnsureError(f"{self._name}: {error}") from None
            if not done:
                raise SessionError("has undone it")
            return result

        return self._tried(transaction)

    def _opened(self) -> Session:
        if self._session is not None and self._session.is_broken():
            self._let_go()
        if self._session is not None:
            return self._session
        session = self._session = Session(self._settings, self._timeout)
        found = session.run(self._sql.found)
        if not found:
            raise self._no_table()
        self._birth = self._checked(_text(found[0][0]))
        if int(found[0][1] or 0) == session.own_pid:  # else a pooler's, which is another's next
            with suppress(SessionError):  # a standby has none
                session.script(f"LISTEN {self._sql.channel}")
        return session

    def _checked(self, text: str) -> str:
        try:
            meta: Any = json.loads(text)
        except ValueError:
            meta = None
        schema = meta.get("schema") if is_dict(meta) else None
        if not isinstance(schema, int):
            self._let_go()
            raise StoreRefusedError(f"{self._name}: {self._table} is a table of something else")
        if schema > SCHEMA:
            self._let_go()
            raise StoreRefusedError(
                f"{self._name}: has schema {schema}, and this release knows {SCHEMA}: "
                "upgrade reloadcheck"
            )
        return str(meta.get("birth"))

    def _lost(self, error: SessionError) -> StoreError:
        self._let_go()  # whatever was under way ends with its connection
        if error.state == _NO_TABLE:
            return self._no_table()
        kind = StoreRefusedError if error.state == _NO_RIGHT else StoreLostError
        return kind(f"{self._name}: {error}")

    def _no_table(self) -> StoreRefusedError:
        self._let_go()
        words = "which `reloadcheck store init --store …` makes"
        return StoreRefusedError(f"{self._name}: has no table {self._table}, {words}")

    def _let_go(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _name_of(settings: Mapping[str, Any]) -> str:
    """Name a server by what can be no part of a password that somebody forgot to quote."""
    host = str(settings.get("host") or settings.get("hostaddr") or "localhost")
    port, database = str(settings.get("port") or ""), str(settings.get("dbname") or "")
    plain = f"{host}{database}".replace("/", "").replace(",", "")
    usable = all(char.isalnum() or char in "-_.:[]" for char in plain)
    if not usable or not (port or "1").replace(",", "").isdigit():
        return "postgresql"
    return f"postgresql://{host}{':' * bool(port)}{port}/{database}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def _number(rows: list[tuple[bytes | None, ...]]) -> int:
    return int(rows[0][0] or 0) if rows else 0


def _bytea(value: bytes | None) -> bytes:
    return bytes.fromhex((value or b"").decode("ascii").removeprefix("\\x"))

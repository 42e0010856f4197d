"""Whether a store can be relied on from here: its file, or its servers, as its user sees them.

Reads alone: no file is made and nothing is written. Writability is judged by mode and owner.
"""

import os
import sqlite3
import stat as modes
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from ...exceptions import StoreError
from ...types import Store
from .finding import Finding, failed, passed, warned
from .machine import Machine
from .mounts import mount_of

__all__ = ["store"]

_OLDEST: Final = (3, 26)
_LARGE_LOG: Final = 64 * 2**20
_SLOW: Final = 0.2
_APART: Final = 5.0
_FEW: Final = 10


def store(which: Store, machine: Machine) -> Iterator[Finding]:
    """Say what is to be known of a store, by its kind."""
    kind = type(which).__name__
    if kind == "SQLiteStore":
        yield from _sqlite(which.name, machine)
    elif kind == "PostgresStore":
        yield from _postgres(which, machine)
    elif kind == "EtcdStore":
        yield from _etcd(which, machine)
    else:
        yield _asked(which, machine)


# ---------------------------------------------------------------------- a file


def _sqlite(path: str, machine: Machine) -> Iterator[Finding]:
    directory = os.path.dirname(path)
    while not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    mount = mount_of(directory, machine)
    if mount is not None:
        if mount.is_remote:
            said = f"{path} is on {mount.kind}, where locks may do nothing: it is refused"
            yield failed("file system", said, "put it on a local disk")
        else:
            yield passed("file system", f"{mount.kind}, a local one")
        if mount.is_read_only:
            said = f"{mount.point} is mounted read-only: nothing is remembered"
            yield failed("permissions", said, "mount a volume for it, or name another path")
    if sqlite3.sqlite_version_info[:2] < _OLDEST:
        said = f"SQLite {sqlite3.sqlite_version} is older than 3.26"
        yield failed("version", said, "install a newer SQLite, or another Python")
    else:
        yield passed("version", f"SQLite {sqlite3.sqlite_version}")
    if not os.path.lexists(path):
        yield _creatable(path, directory, machine)
        return
    found = os.lstat(path)
    if not modes.S_ISREG(found.st_mode):  # opening a pipe would wait for ever
        yield failed("permissions", f"{path} is no ordinary file: it is refused", "name the file")
        return
    yield _permissions(path, found, machine)
    yield _log(path)
    yield _integrity(path)


def _creatable(path: str, directory: str, machine: Machine) -> Finding:
    if _may(machine.stat(directory), machine, 0o3):
        return passed("permissions", f"{path} is not there yet; the first start makes it, 0600")
    said = f"{path} is not there, and uid {machine.uid} may make none in {directory}"
    return failed("permissions", said, "let the directory belong to the application's user")


def _permissions(path: str, found: os.stat_result, machine: Machine) -> Finding:
    mode = modes.S_IMODE(found.st_mode)
    directory = os.path.dirname(path)
    if not _may(found, machine, 0o6) or not _may(machine.stat(directory), machine, 0o3):
        said = f"uid {machine.uid} may not write {path} and its directory: nothing is remembered"
        remedy = "run it as the application's user, or let both belong to it"
        return failed("permissions", said, remedy)
    if mode & 0o077:
        said = f"{path} is {mode:04o}: others may read or write what is remembered"
        return warned("permissions", said, f"chmod 600 {path}")
    return passed("permissions", f"{path} is {mode:04o}, this user's alone")


def _log(path: str) -> Finding:
    try:
        size = os.stat(f"{path}-wal").st_size
    except OSError:
        return passed("log", "no write-ahead log: nobody has it open")
    said = f"the write-ahead log has {size / 2**20:.1f} MiB"
    if size <= _LARGE_LOG:
        return passed("log", said)
    return warned("log", f"{said}: a reader stands still", "find who has it open: fuser, lsof")


def _integrity(path: str) -> Finding:
    from ...stores._sqlite_schema import APPLICATION_ID, SCHEMA

    options = "mode=ro" if os.path.exists(f"{path}-wal") else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{Path(path).as_uri()}?{options}", uri=True)) as found:
            (number,) = found.execute("PRAGMA application_id").fetchone()
            (schema,) = found.execute("PRAGMA user_version").fetchone()
            (sound,) = found.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        remedy = "run it as the application's user; a damaged file is moved aside at its next open"
        return failed("integrity", f"{path} cannot be read as a store: {error}", remedy)
    if number != APPLICATION_ID:
        return failed("integrity", f"{path} is a database of something else", "name another file")
    if schema > SCHEMA:
        said = f"{path} has schema {schema}, and this release knows {SCHEMA}"
        return failed("integrity", said, "upgrade reloadcheck")
    if sound != "ok":
        remedy = "stop the workers and move it aside: a new one is begun"
        return failed("integrity", f"{path} is damaged", remedy)
    return passed("integrity", f"sound, schema {schema}")


def _may(found: os.stat_result, machine: Machine, bits: int) -> bool:
    if found.st_uid == machine.uid:
        return found.st_mode >> 6 & bits == bits
    if found.st_gid in machine.gids:
        return found.st_mode >> 3 & bits == bits
    return found.st_mode & bits == bits


# -------------------------------------------------------------------- servers


def _asked(which: Store, machine: Machine) -> Finding:
    """Say whether it answers, and how quickly."""
    begun = machine.monotonic()
    try:
        which.look("")
    except StoreError as error:
        return failed("answers", str(error), _remedy(str(error)))
    return _quick("latency", which.name, machine.monotonic() - begun)


def _quick(check: str, name: str, seconds: float) -> Finding:
    said = f"{name} answers in {seconds * 1000:.0f} ms"
    if seconds < _SLOW:
        return passed(check, said)
    return warned(check, said, "workers wait for it at a start: look at its load and its network")


def _remedy(said: str) -> str:
    if "certificate" in said or "TLS" in said or "SSL" in said:
        return "give the authority that signed it by ca= (sslrootcert= for PostgreSQL)"
    if "password" in said or "authenti" in said or "user" in said or "token" in said:
        return "look at user and password, and at the rights of the user"
    if "store init" in said:
        return "reloadcheck store init --store …, once"
    return "look whether it runs, and whether a firewall is in between"


def _clock(name: str, theirs: float, machine: Machine) -> Finding:
    apart = theirs - machine.wall()
    if abs(apart) < _APART:
        return passed("clock", f"{name} and this machine agree about the time")
    said = f"the clock of {name} is {apart:+.0f} s from this machine's: ages are shown wrongly"
    return warned("clock", said, "let both follow NTP")


def _postgres(which: Any, machine: Machine) -> Iterator[Finding]:
    asked = _asked(which, machine)
    yield asked
    if asked.remedy is not None and asked.check == "answers":
        return
    facts: dict[str, Any] = which.facts()
    yield passed("version", f"PostgreSQL {facts['version']}")
    left = int(facts["most"]) - int(facts["used"] or 0)
    said = f"{left} of {facts['most']} connections are left; each worker holds one"
    remedy = "raise max_connections, or let a pooler be in between"
    yield passed("connections", said) if left >= _FEW else warned("connections", said, remedy)
    if facts["standby"]:
        remedy = "name the primary: target_session_attrs=read-write"
        yield failed("writes", f"{which.name} is a standby, which takes no writes", remedy)
    elif facts["lacks"]:
        said = f"this user lacks {', '.join(facts['lacks'])} on the table"
        yield failed("writes", said, "GRANT SELECT, INSERT, UPDATE, DELETE on it")
    else:
        yield passed("writes", "this user may read and write the table")
    yield _clock(which.name, float(facts["now"]), machine)


def _etcd(which: Any, machine: Machine) -> Iterator[Finding]:
    from ...stores.etcd import client_of

    asked = _asked(which, machine)
    leaders: set[str] = set()
    clients = client_of(which).singles()
    for one in clients:
        begun = machine.monotonic()
        try:
            found: dict[str, Any] = one.call("/v3/maintenance/status", {})
        except StoreError as error:
            said = str(error)
            yield failed("endpoint", said, _remedy(said))
            continue
        finally:
            one.close()
        yield _quick("endpoint", one.name, machine.monotonic() - begun)
        yield passed("version", f"{one.name} is etcd {found.get('version', 'of no known version')}")
        leaders.add(str(found.get("leader", "0")))
        if found.get("errors"):
            remedy = "etcdctl alarm list, endpoint status"
            yield warned("endpoint", f"{one.name} has alarms", remedy)
        if not one.name.startswith("https:"):
            yield warned("tls", f"{one.name} is spoken to in the clear", "https://, with ca=")
        if one.date is not None:
            yield _clock(one.name, parsedate_to_datetime(one.date).timestamp(), machine)
    if len(leaders) > 1 or "0" in leaders:
        said = "the endpoints do not agree on a leader"
        yield failed("endpoint", said, "look at the network between them: etcdctl endpoint status")
    yield asked

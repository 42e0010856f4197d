"""`doctor` on stores that are not as they should be: on a network, damaged, of a stand-in."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from reloadcheck.cli._doctor import store as looked
from reloadcheck.cli._doctor.finding import Finding, Level
from reloadcheck.cli._doctor.machine import Machine
from reloadcheck.exceptions import StoreLostError
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import MemoryStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store's file that has been used."""
    path = tmp_path / "store.db"
    with closing(SQLiteStore(path)) as store:
        store.put({"shop/default/state": "{}"})
    return path


def _found(path: Path, machine: Machine) -> dict[str, Finding]:
    with closing(SQLiteStore(path)) as which:
        return {one.check: one for one in looked.store(which, machine)}


def _mounted(proc: Path, kind: str, options: str) -> None:
    (proc / "self" / "mountinfo").write_text(f"1 0 0:40 / / {options} - {kind} server:/x rw\n")


def test_a_file_on_a_network_or_where_nothing_can_be_written(
    path: Path, machine: Machine, proc: Path
) -> None:
    """The one is refused, in the other nothing is remembered: both are told before a start."""
    _mounted(proc, "nfs4", "rw")
    found = _found(path, machine)["file system"]
    assert (found.level, found.remedy) == (Level.FAIL, "put it on a local disk")
    assert found.said == f"{path} is on nfs4, where locks may do nothing: it is refused"
    _mounted(proc, "ext4", "ro")
    told = [*looked.store(SQLiteStore(path), machine)]
    (first, second) = told[:2]
    assert (first.level, first.check) == (Level.PASS, "file system")
    assert (second.level, second.check) == (Level.FAIL, "permissions")
    assert second.said == "/ is mounted read-only: nothing is remembered"


def test_a_kernel_that_tells_of_no_mounts(path: Path, machine: Machine) -> None:
    """Nothing is said of the file system then; the rest is looked at all the same."""
    assert [*_found(path, machine)] == ["version", "permissions", "log", "integrity"]


def test_an_sqlite_that_is_too_old(
    path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not open the store's file."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 25, 9))
    assert _found(path, machine)["version"].level is Level.FAIL


def test_what_is_no_ordinary_file_is_not_opened(tmp_path: Path, machine: Machine) -> None:
    """It is refused, and nothing else is said of it: opening a pipe would wait for ever."""
    path = tmp_path / "store.db"
    os.mkfifo(path)
    found = _found(path, machine)
    assert [*found] == ["version", "permissions"]
    assert found["permissions"].said == f"{path} is no ordinary file: it is refused"


def test_a_log_of_ordinary_size_is_well(path: Path, machine: Machine) -> None:
    """Somebody has it open, and reads on."""
    with closing(SQLiteStore(path)) as store:
        store.put({"shop/default/state": "{1}"})
        found = looked._log(str(path))
    assert found.level is Level.PASS
    assert "MiB" in found.said


@pytest.mark.parametrize("mode", [0o660, 0o640])
def test_a_file_that_belongs_to_a_group(path: Path, machine: Machine, mode: int) -> None:
    """A member of it may write where the mode lets the group, in the directory too."""
    path.chmod(mode)
    path.parent.chmod(0o770)
    member = replace(machine, uid=os.getuid() + 1, gids=frozenset((path.stat().st_gid,)))
    found = _found(path, member)["permissions"]
    assert found.level is (Level.WARN if mode == 0o660 else Level.FAIL)


def test_a_file_that_is_no_database_and_one_that_is_damaged(path: Path, machine: Machine) -> None:
    """Both are told as what they are, and neither is touched."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE odd AS SELECT NULL AS one")
        connection.execute("PRAGMA writable_schema=1")  # a row that its own table forbids
        changed = "UPDATE sqlite_master SET sql='CREATE TABLE odd(one NOT NULL)' WHERE name='odd'"
        connection.execute(changed)
    data = path.read_bytes()
    assert _found(path, machine)["integrity"].said == f"{path} is damaged"
    assert path.read_bytes() == data
    path.write_bytes(b"x" * 5000)
    found = _found(path, machine)["integrity"]
    assert found.level is Level.FAIL
    assert found.said.startswith(f"{path} cannot be read as a store: ")


def test_another_store_is_asked_and_timed(machine: Machine) -> None:
    """One of a kind that the doctor does not know answers, and how quickly; slowness is told."""
    with closing(MemoryStore()) as which:
        (found,) = looked.store(which, machine)
        assert (found.level, found.check) == (Level.PASS, "latency")
        ticks = iter((10.0, 10.3))
        (found,) = looked.store(which, replace(machine, monotonic=lambda: next(ticks)))
        assert (found.level, found.said) == (Level.WARN, "memory answers in 300 ms")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("etcd: certificate verify failed", "give the authority that signed it by ca="),
        ("etcd: authentication failed", "look at user and password"),
        ("there is no table: run reloadcheck store init", "reloadcheck store init --store …"),
        ("connection refused", "look whether it runs"),
    ],
)
def test_what_a_store_fails_with_has_its_remedy(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str
) -> None:
    """By what the message is about."""

    def look(prefix: str) -> None:
        raise StoreLostError(said)

    with closing(MemoryStore()) as which:
        monkeypatch.setattr(which, "look", look)
        (found,) = looked.store(which, machine)
    assert found.level is Level.FAIL
    assert str(found.remedy).startswith(remedy)


@dataclass
class Endpoint:
    """One endpoint of an etcd, with what it answers."""

    name: str
    answer: Mapping[str, Any]
    date: str | None = None

    def call(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer what is to be answered."""
        return self.answer

    def close(self) -> None:
        """Let go of nothing."""


@dataclass
class EtcdStore:
    """A store of several endpoints."""

    endpoints: tuple[Endpoint, ...]
    name: str = "etcd"
    _etcd: Any = field(init=False)

    def __post_init__(self) -> None:
        """Be one's own client."""
        self._etcd = self

    def look(self, prefix: str) -> None:
        """Answer at once."""

    def singles(self) -> tuple[Endpoint, ...]:
        """Return each endpoint."""
        return self.endpoints


def test_endpoints_that_have_alarms_and_no_common_leader(machine: Machine) -> None:
    """An alarm, two leaders and a clock that is apart are told; https:// is not warned of."""
    which: Any = EtcdStore(
        (
            Endpoint("https://a", {"version": "3.5.1", "leader": "1", "errors": ["NOSPACE"]}),
            Endpoint("https://b", {"leader": "2"}, formatdate(1000)),
        )
    )
    found = [*looked.store(which, replace(machine, wall=lambda: 1060.0))]
    bad = {one.said: one.level for one in found if one.level is not Level.PASS}
    assert bad == {
        "https://a has alarms": Level.WARN,
        "the clock of https://b is -60 s from this machine's: ages are shown wrongly": Level.WARN,
        "the endpoints do not agree on a leader": Level.FAIL,
    }
    assert "https://b is etcd of no known version" in [one.said for one in found]


@dataclass
class PostgresStore:
    """A store of a server, with what that says of itself."""

    told: Mapping[str, Any]
    name: str = "postgresql://db/shop"

    def look(self, prefix: str) -> None:
        """Answer at once."""

    def facts(self) -> Mapping[str, Any]:
        """Return what the server says."""
        return self.told


def test_a_standby_that_has_few_connections_left(machine: Machine) -> None:
    """It takes no writes, whatever the user's rights; and workers may find no connection."""
    told = {"version": "16", "most": 20, "used": 15, "standby": True, "lacks": [], "now": 7.0}
    which: Any = PostgresStore(told)
    found = {one.check: one for one in looked.store(which, replace(machine, wall=lambda: 7.0))}
    assert found["writes"].level is Level.FAIL
    assert found["writes"].said == "postgresql://db/shop is a standby, which takes no writes"
    assert found["connections"].level is Level.WARN

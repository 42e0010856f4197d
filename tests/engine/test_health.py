"""A readiness check on a real database: it tells "down" from "the configuration is bad"."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from reloadcheck import FrozenDict, Outcome, ReloadCheck, Status
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.testing import MemorySource, apush, assert_all_closed, push

ROLE, PASSWORD = "clinic", "canary-5d1e"


class Clinic:
    """A role of its own that can be shut out: its sessions ended, its logins refused."""

    def __init__(self, server: PostgresServer, admin: "psycopg.Connection[tuple[object, ...]]"):
        self._admin = admin
        self.info = make_conninfo(server.url(ROLE, PASSWORD), connect_timeout=5)

    def close(self) -> None:
        """Let nobody in, and nobody stay."""
        self._admin.execute(f"ALTER ROLE {ROLE} NOLOGIN")
        self._admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,)
        )

    def open(self) -> None:
        """Let it in again."""
        self._admin.execute(f"ALTER ROLE {ROLE} LOGIN")

    def configuration(self) -> dict[str, object]:
        """Return a configuration that leads here."""
        return {"database": {"info": self.info}, "note": 1}


@pytest.fixture
def clinic(postgres: PostgresServer) -> Iterator[Clinic]:
    """A database that is open."""
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        clinic = Clinic(postgres, admin)
        yield clinic
        clinic.close()
        admin.execute(f"DROP ROLE {ROLE}")


def is_ready(status: Status) -> bool:
    """Return what the readiness check of the README tells."""
    return status.version is not None and not status.failed_probes


def reason(status: Status) -> str:
    """Return why the one resource did not pass."""
    (one,) = status.resources
    assert one.probe is not None
    assert PASSWORD not in str(status)
    return str(one.probe.error)


def test_a_pool_whose_database_is_down(clinic: Clinic) -> None:
    """Down: the configuration is good and the probe fails; a bad edit: the reverse; both heal."""

    def ping(pool: ConnectionPool) -> None:
        with pool.connection(timeout=0.5) as connection:
            connection.execute("SELECT 1")

    source = MemorySource(clinic.configuration(), "clinic.json")
    live: ReloadCheck[FrozenDict] = ReloadCheck(source)

    @live.resource("database", probe=ping)
    def database(part: FrozenDict) -> Iterator[ConnectionPool]:
        pool: ConnectionPool = ConnectionPool(part["info"], min_size=1, max_size=1, open=False)
        with pool:
            pool.wait(30)
            yield pool

    live.start()
    pool = live.snapshot[database]
    assert is_ready(live.status(probe=True))

    assert push(live, source, "{") is Outcome.REJECTED
    status = live.status(probe=True)
    assert status.error is not None
    assert is_ready(status)
    assert push(live, source, clinic.configuration()) is Outcome.UNCHANGED

    clinic.close()
    status = live.status(probe=True)
    assert (status.outcome, status.error, status.version) == (Outcome.UNCHANGED, None, 1)
    assert not is_ready(status)
    assert reason(status).startswith(("raised AdminShutdown", "raised OperationalError"))
    assert live.snapshot[database] is pool
    assert push(live, source, {**clinic.configuration(), "note": 2}) is Outcome.RELOADED

    clinic.open()
    deadline = time.monotonic() + 30
    while not is_ready(live.status(probe=True)):
        assert time.monotonic() < deadline
    live.close()
    assert_all_closed(live)


def test_an_async_pool_whose_database_is_down(clinic: Clinic) -> None:
    """The same with an async pool, asked from its own event loop and from another thread."""

    async def ping(pool: AsyncConnectionPool) -> None:
        async with pool.connection(timeout=0.5) as connection:
            await connection.execute("SELECT 1")

    async def main() -> None:
        source = MemorySource(clinic.configuration(), "clinic.json")
        live: ReloadCheck[FrozenDict] = ReloadCheck(source)

        @live.resource("database", probe=ping)
        async def database(part: FrozenDict) -> AsyncIterator[AsyncConnectionPool]:
            pool: AsyncConnectionPool = AsyncConnectionPool(
                part["info"], min_size=1, max_size=1, open=False
            )
            async with pool:
                await pool.wait(30)
                yield pool

        await live.astart()
        pool = live.snapshot[database]
        assert is_ready(await live.astatus(probe=True))
        assert is_ready(await asyncio.to_thread(lambda: live.status(probe=True)))
        clinic.close()
        assert "raised " in reason(await live.astatus(probe=True))
        assert not is_ready(await asyncio.to_thread(lambda: live.status(probe=True)))
        assert live.snapshot[database] is pool
        assert await apush(live, source, {**clinic.configuration(), "note": 2}) is (
            Outcome.RELOADED
        )
        clinic.open()
        deadline = time.monotonic() + 30
        while not is_ready(await live.astatus(probe=True)):
            assert time.monotonic() < deadline
        await live.aclose()
        assert_all_closed(live)

    asyncio.run(main())

"""A contract behind real servers and a real PostgreSQL: a window, leave, break glass, a restart."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reloadcheck._config.digest import tree_digest
from reloadcheck._state.store_orders import Orders
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.parsers import parse
from reloadcheck.stores import SQLiteStore
from reloadcheck.types import Document
from tests.policy.signing import Signers
from tests.policy.test_gate import signers
from tests.support.load import until
from tests.support.servers import Server, serving

__all__ = ["signers"]

pytestmark = pytest.mark.alone

BERLIN = ZoneInfo("Europe/Berlin")
NOON, NIGHT = (datetime(2026, 11, 24, hour, tzinfo=BERLIN).timestamp() for hour in (12, 2))
CONTRACT = """\
reloadcheck: 1
service: shop
zone: Europe/Berlin
keys:
  server.bind:       {restart: true}
  database.url:      {required_in: [production], secret: true}
  database.pool_max: {range: 1..10, window: quiet, approve: [dba, architect]}
  log.level:         {window: quiet}
windows: {quiet: [mon-fri 00:00-06:00]}
rules:
  - {key: database.pool_max, rule: self.database.pool_max <= oldSelf.database.pool_max * 2, says: a pool may at most double}
  - {key: log.level, rule: 'environment != "production" || self.log.level != "DEBUG"', says: no DEBUG in production}
approvers: allowed_signers
roles:     {dba: [dora@example.test], architect: [arno@example.test], oncall: [otto@example.test]}
override:  {roles: [oncall], at_most: 4h}
"""  # noqa: E501 - as an operator writes it
CONFIG = """\
server: {bind: a}
database: {url: "${file:database}", pool_max: 2}
log: {level: INFO}
"""
SERVERS = {
    "gunicorn": ["gunicorn", "tests.servers.contracted:wsgi", "--bind", "127.0.0.1:0",
                 "--workers", "4", "-k", "gthread", "--threads", "4"],
    "uvicorn": ["uvicorn", "tests.servers.contracted:asgi", "--port", "0", "--host", "127.0.0.1",
                "--no-access-log"],
}  # fmt: skip


class Site:
    """The server, its files, and those who sign."""

    def __init__(self, server: Server, place: Path, people: Signers, workers: int) -> None:
        self.server, self.place, self.people, self.workers = server, place, people, workers
        self.orders = Orders(SQLiteStore(place / "store.db"), app="shop")

    def says(self) -> set[str]:
        """Return what the workers answer, asked some times."""
        found: set[str] = set()
        for _ in range(4 * self.workers):
            url = f"http://127.0.0.1:{self.server.port}/"
            with urllib.request.urlopen(url, timeout=20) as response:
                found.add(response.read().decode())
        return found

    def serves(self, wanted: str) -> None:
        """Wait until every worker answers the same."""
        until(lambda: self.says() == {f"{wanted} 1"} and self.counted("reloaded") > 0, 40.0)

    def counted(self, outcome: str) -> int:
        """Return how many workers came to an outcome last."""
        self.says()
        return sum(one.outcome == outcome for one in self.orders.members().values())

    def edit(self, old: str, new: str) -> tuple[str, str]:
        """Edit the file, and return the digests of what it meant before and means now."""
        file = self.place / "config.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        return _digest(text), _digest(file.read_text())

    def clock(self, now: float) -> None:
        """Set the clock of all workers."""
        (self.place / "now.new").write_text(str(now))
        (self.place / "now.new").replace(self.place / "now")

    def sign(self, kind: str, *people: str, base: str, to: str, keys: str) -> None:
        """Put a statement beside the file."""
        end = "2099-01-01T00:00+00:00" if kind == "approval" else "2026-11-24T15:00+01:00"
        text = self.people.statement(*people, kind=kind, base=base, to=to, keys=keys, until=end)
        (self.place / f"config.yaml.{kind}").write_text(text)


def _digest(text: str) -> str:
    return tree_digest(parse(Document("config.yaml", text.encode(), "yaml"), lambda: None))


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL."""
    with PostgresServer.start() as server:
        yield server


@pytest.fixture(params=sorted(SERVERS))
def site(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer, signers: Signers
) -> Iterator[Site]:
    """The shop behind one server, at noon."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "database").write_text(postgres.url())
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "allowed_signers").write_text("\n".join(signers.lines) + "\n")
    (tmp_path / "now").write_text(str(NOON))
    old = time.time() - 3600
    os.utime(tmp_path / "secrets" / "database", (old, old))
    command = [sys.executable, "-m", *SERVERS[request.param]]
    with serving(command, {"CONTRACTED": str(tmp_path)}, tmp_path) as server:
        made = Site(server, tmp_path, signers, 4 if request.param == "gunicorn" else 1)
        made.serves("2 a INFO")
        yield made


def test_a_contract_holds_on_every_worker(site: Site) -> None:
    """A rule, a window with the leave of two, break glass, a restart; one after another."""
    site.edit("INFO", "DEBUG")
    site.edit("pool_max: 2", "pool_max: 9")
    until(lambda: site.counted("rejected") > 0, 40.0)
    assert site.says() == {"2 a INFO 1"}

    site.edit("DEBUG", "INFO")
    base, to = _digest(CONFIG), site.edit("pool_max: 9", "pool_max: 4")[1]
    until(lambda: site.counted("waiting") > 0, 40.0)
    people = ("dora@example.test", "arno@example.test")
    site.sign("approval", *people, base=base, to=to, keys="database.pool_max")
    time.sleep(1.0)
    assert site.says() == {"2 a INFO 1"}  # it is signed, and noon
    site.clock(NIGHT)
    site.serves("4 a INFO")

    site.clock(NOON)
    base, to = site.edit("INFO", "WARNING")
    until(lambda: site.counted("waiting") > 0, 40.0)
    site.sign("override", "otto@example.test", base=base, to=to, keys="any")
    site.serves("4 a WARNING")
    assert any(row.reviewed is False for row in site.orders.history())

    site.edit("bind: a", "bind: b")
    time.sleep(1.0)
    site.serves("4 a WARNING")  # an idle worker may have been behind
    assert not any(" b " in one for one in site.says())
    if site.workers > 1:  # a worker that is recycled keeps what its siblings keep
        recycled = _children(site)[0]
        os.kill(int(recycled), signal.SIGTERM)
        until(lambda: recycled not in _children(site), 20.0)
        until(lambda: len(_children(site)) == site.workers, 20.0)
        site.serves("4 a WARNING")


def _children(site: Site) -> list[str]:
    pid = str(site.server.process.pid)
    done = subprocess.run(
        ["ps", "--ppid", pid, "-o", "pid="], capture_output=True, text=True, check=True
    )
    return done.stdout.split()

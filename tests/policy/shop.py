"""A shop behind its contract, on Monday noon, and the people who may sign for it."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reloadcheck import Outcome, ReloadCheck
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import begin

from .signing import Signers

SHOP = """\
reloadcheck: 1
service: shop
zone: Europe/Berlin                  # wall-clock times below are meant there
keys:                                # holds for everything below the key; the nearest wins
  server.bind:       {restart: true}
  database.url:      {required_in: [staging, production], approve: [dba]}
  database.pool_max: {baseline: 20, range: 1..100, window: quiet, approve: [dba, architect], owner: payments}
  payment.timeout:   {baseline: 3.0, range: 0.1..30, window: office, signal: payment-failed}
  payment.api_key:   {window: any, approve: none, secret: true}   # a rotation waits for nobody
  http.timeout:      {not_baseline_in: [production], baseline: 30}
  flags:             {trial: {shares: [0.5], seconds: 30}}
windows:
  office: [mon-thu 10:00-16:00, fri 10:00-12:00]
  quiet:  [mon-fri 00:00-06:00]
freezes:
  - {from: 2026-11-27T00:00, until: 2026-12-01T06:00, why: Black Friday}
rules:
  - {key: database.pool_max, rule: self.database.pool_max >= self.database.pool_min, says: the maximum is below the minimum}
  - {key: database.pool_max, rule: self.database.pool_max <= oldSelf.database.pool_max * 2, says: a pool may at most double}
  - {key: log.level, rule: environment != "production" || self.log.level != "DEBUG", says: no DEBUG in production}
trial:     {shares: [0.01, 0.2], seconds: 60, watch: 60, luck: 0.001}
rehearse:  [GET /healthz, GET /products?limit=1]
approvers: allowed_signers
roles:     {dba: [dora@example.test], architect: [arno@example.test], oncall: [otto@example.test]}
override:  {roles: [oncall], at_most: 4h}
notify:    [{url_file: /run/secrets/webhook, on: [rejected, undone, override]}]
"""  # noqa: E501 - as an operator writes it
CONFIG = """\
server: {bind: 0.0.0.0:80}
database: {url: db.example.test, pool_max: 20, pool_min: 2}
payment: {timeout: 3.0, api_key: abcabcabc}
http: {timeout: 10}
log: {level: INFO}
flags: {}
"""
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN).timestamp()
TUESDAY_NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=BERLIN).timestamp()
BLACK_FRIDAY = datetime(2026, 11, 27, 11, 0, tzinfo=BERLIN).timestamp()
DORA, ARNO, OTTO = "dora@example.test", "arno@example.test", "otto@example.test"
NIGHT_EDIT = ("pool_max: 20", "pool_max: 30")


class Shop:
    """The shop behind its contract, its file, and people who sign beside it."""

    def __init__(self, make: Make, directory: Path, clock: FakeClock, signers: Signers) -> None:
        self.file = directory / "config.yaml"
        self.file.write_text(CONFIG)
        (directory / "allowed_signers").write_bytes(
            (signers.directory / "allowed_signers").read_bytes()
        )
        self.contract = directory / "contract.yaml"
        self.contract.write_text(SHOP)
        self.signers, self.clock, self.make = signers, clock, make
        self.live: ReloadCheck[Any] = self.engine()

    def engine(self, **options: Any) -> ReloadCheck[Any]:
        """Return an engine that is not started."""
        given = {"environment": "production", "contract": self.contract, **options}
        return self.make(self.file, settle=0.0, verify=0.0, window=1.0, **given)

    def begin(self) -> None:
        """Start it; a second check has ended then."""
        begin(self.live)

    def edit(self, old: str, new: str) -> Outcome:
        """Replace a text in the file and have it checked."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))
        outcome = self.live.check()
        if outcome is Outcome.RELOADED:  # the check that follows each reload has ended then
            assert self.live.check() is Outcome.UNCHANGED
        return outcome

    def at(self, moment: float) -> None:
        """Set the wall clock."""
        self.clock.set_wall(moment)

    def sign(self, *people: str, kind: str = "approval", **words: str) -> None:
        """Lay a statement beside the file that fits the edit in it, but for `words`."""
        to = self.live.status().waiting
        fitting = {
            "base": self.live.snapshot.digest,
            "to": "" if to is None else to.digest,
            "kind": kind,
            **words,
        }
        path = self.file.with_name(f"config.yaml.{kind}")
        path.write_text(self.signers.statement(*people, **fitting))

"""The shop on a real server with a real PostgreSQL, and an operator who edits, signs and looks.

Sees to it that no request fails that the test does not mean to, and that what is not allowed
changes no answer.
"""

import http.client
import json
import os
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from reloadcheck._config.digest import tree_digest
from reloadcheck._state.store_orders import Orders
from reloadcheck.parsers import parse
from reloadcheck.stores import SQLiteStore
from reloadcheck.types import Document
from tests.policy.shop import SHOP
from tests.policy.signing import Signers
from tests.support.load import Load, get, until
from tests.support.processes import children_of
from tests.support.servers import Server, serving

__all__ = ["ARNO", "DORA", "EVE", "GUNICORN", "OTTO", "UVICORN", "Shop", "berlin", "open_shop"]

DORA, ARNO, OTTO, EVE = (f"{one}@example.test" for one in ("dora", "arno", "otto", "eve"))
SECONDS: Final = 40.0
"""How long anything may take on a busy machine."""

KEYS = ("kanarie-eins-7x", "quartz-zwei-9y", "molten-drei-5z")
"""Values of `payment.api_key`, one after another, which no output has."""

CONFIG = """\
server: {{bind: a}}
database: {{url: "{url}", pool_max: 4, pool_min: 1}}
payment: {{timeout: 5.0, api_key: {key}}}
http: {{timeout: 10}}
log: {{level: INFO}}
flags: {{}}
"""
GUNICORN = ["gunicorn", "tests.servers.contracted:wsgi", "--bind", "127.0.0.1:0", "--workers", "4",
            "-k", "gthread", "--threads", "4"]  # fmt: skip
UVICORN = ["uvicorn", "tests.servers.contracted:asgi", "--host", "127.0.0.1", "--port", "0",
           "--workers", "4", "--no-access-log"]  # fmt: skip
WORKERS = 4


def berlin(text: str) -> float:
    """Return the instant of a local time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


class Shop:
    """The shop's files, its server, and what its visitors see."""

    def __init__(
        self, place: Path, people: Signers, url: str, hook: str, command: Sequence[str]
    ) -> None:
        self.place, self.people, self.command = place, people, command
        self.file, self.contract = place / "config.yaml", place / "contract.yaml"
        self.file.write_text(CONFIG.format(url=url, key=KEYS[0]))
        (place / "webhook").write_text(hook)
        # Word for word as operators have it, but for the directory of this machine's secrets.
        self.contract.write_text(SHOP.replace("/run/secrets", str(place)))
        (place / "allowed_signers").write_text("\n".join(people.lines) + "\n")
        (place / "ahead").write_text("0")
        self.clock("2026-11-24T12:00")
        self.orders = Orders(SQLiteStore(place / "store.db"), app="shop")
        self.server: Server
        self.load: Load
        self.took: dict[str, float] = {}
        self._edited = 0.0

    @contextmanager
    def serves(self) -> Generator[None]:
        """Run the server, with visitors, until the block ends."""
        command = [sys.executable, "-m", *self.command]
        with serving(command, {"CONTRACTED": str(self.place)}, self.place) as server:
            self.server = server
            self._wait_for_workers()
            with Load(server.port, clients=6, pace=0.05) as self.load:
                until(lambda: len(self.members()) == WORKERS, SECONDS)
                yield

    def _wait_for_workers(self) -> None:
        """Ask until each worker has answered; on a busy machine one imports for long."""
        found: set[int] = set()

        def all_answer() -> bool:
            with suppress(OSError, http.client.HTTPException):
                found.add(get(self.server.port).worker)
            return len(found) == WORKERS

        until(all_answer, 3 * SECONDS)

    # ------------------------------------------------------------------ what an operator does

    def clock(self, moment: str) -> None:
        """Set the clock of all workers to a local time in Berlin."""
        self._write(self.place / "now", str(berlin(moment)))

    def pass_by(self, seconds: float) -> None:
        """Let so much time pass for all workers at once."""
        path = self.place / "ahead"
        self._write(path, str(float(path.read_text()) + seconds))

    def edit(self, *pairs: tuple[str, str]) -> None:
        """Edit the configuration."""
        text = self.file.read_text()
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        self._write(self.file, text)
        self._edited = time.monotonic()

    def digest(self) -> str:
        """Return the digest of what the file means."""
        document = Document("config.yaml", self.file.read_bytes(), "yaml")
        return tree_digest(parse(document, lambda: None))

    def sign(self, kind: str, *people: str, **words: str) -> None:
        """Put a statement beside the file; it fits its edit and what serves, but for `words`.

        With `said` it says that for a reason, and not the one that was signed.
        """
        until_ = "2099-01-01T00:00+00:00" if kind == "approval" else "2026-11-24T15:00+01:00"
        said = words.pop("said", "more traffic")
        fitting = {"base": self.digest(), "to": self.digest(), "until": until_, **words}
        text = self.people.statement(*people, kind=kind, **fitting)
        text = text.replace("more traffic", said)
        self._write(self.place / f"config.yaml.{kind}", text)
        self._edited = time.monotonic()

    def promote(self) -> None:
        """End the trial for all, and wait until everybody has what was tried."""
        self.orders.promote(why="it is good")
        self.come_to("reloaded")

    # ------------------------------------------------------------------ what an operator sees

    def members(self) -> list[Any]:
        """Return the workers as the store knows them."""
        return [*self.orders.members().values()]

    def come_to(self, outcome: str, code: str | None = None, said: str = "") -> None:
        """Wait until every worker has come to this by the present file."""
        own = self.digest()

        def all_have() -> bool:
            found = self.members()
            return len(found) == WORKERS and all(
                (one.outcome, one.code) == (outcome, code)
                and said in (one.error or "")
                and (outcome not in ("waiting", "trying") or one.pending == own)
                for one in found
            )

        try:
            until(all_have, SECONDS)
        except AssertionError:
            last = [(one.outcome, one.code, one.error, one.pending) for one in self.members()]
            rows = [
                (row.entry.outcome, row.entry.code, row.entry.cause, row.entry.why)
                for row in self.orders.history()[:6]
            ]
            found = f"{own} {last} {rows}"
            raise AssertionError(f"no {outcome}, {code}, {said!r}: {found}") from None

    def is_refused(self, code: str, said: str = "") -> None:
        """Wait until every worker has refused it; see that no visitor has seen any of it."""
        before = self.seen()
        self.come_to("rejected", code, said)
        assert self.seen() == before

    def waits(self, code: str, said: str = "") -> None:
        """Wait until it waits everywhere; see that no visitor has seen any of it."""
        before = self.seen()
        self.come_to("waiting", code, said)
        assert self.seen() == before

    def is_undone(self, code: str, said: str) -> None:
        """Wait until all have undone it for this; who had not begun yet hears of it by the ban."""

        def all_have() -> bool:
            found = self.members()
            return (
                len(found) == WORKERS
                and {one.outcome for one in found} == {"undone"}
                and {code} <= {one.code for one in found} <= {code, "undone-before"}
                and all(said in (one.error or "") for one in found)
            )

        try:
            until(all_have, SECONDS)
        except AssertionError:
            found = [(one.outcome, one.code, one.error) for one in self.members()]
            raise AssertionError(f"not undone by {code}, {said!r}: {found}") from None

    def is_tried(self, name: str) -> None:
        """Wait until every worker tries it, and take note how long that took."""
        self.come_to("trying")
        self.took[name] = time.monotonic() - self._edited

    def is_live(self, name: str, **facts: object) -> None:
        """Wait until all visitors of every worker see this, and take note how long that took."""
        until(lambda: {one.outcome for one in self.members()} == {"reloaded"}, SECONDS)
        self.took[name] = time.monotonic() - self._edited
        self.shows(**facts)

    def shows(self, **facts: object) -> None:
        """See that every visitor from now on gets just this."""
        seen = self.seen()
        assert all(
            f'"{key}": {json.dumps(value)}' in one for one in seen for key, value in facts.items()
        ), seen

    def seen(self) -> set[str]:
        """Return what those visitors got who came since just now, from every worker."""
        self.load.outlast()
        first = len(self.load.answers)

        def everybody() -> bool:
            return len({one.worker for one in self.load.answers[first:]}) >= WORKERS

        until(everybody, SECONDS)
        return {
            json.dumps({key: value for key, value in one.said.items() if key != "pid"})
            for one in self.load.answers[first:]
        }

    def ask(self, path: str) -> str:
        """Return what the status page says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            headers = {"Authorization": "Bearer t0k3n-of-the-test", "Connection": "close"}
            connection.request("GET", path, headers=headers)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def status(self) -> Mapping[str, Any]:
        """Return what one worker's status page says, as JSON."""
        found: Mapping[str, Any] = json.loads(self.ask("/status?format=json"))
        return found

    def children(self) -> list[int]:
        """Return the workers' processes."""
        return children_of(self.server.process.pid)

    def _write(self, path: Path, text: str) -> None:
        new = path.with_name(f"{path.name}.new")
        new.write_text(text)
        os.replace(new, path)


@contextmanager
def open_shop(
    place: Path, people: Signers, url: str, hook: str, command: Sequence[str] = GUNICORN
) -> Generator[Shop]:
    """Run the shop on four workers, at noon on a Tuesday, until the block ends."""
    shop = Shop(place, people, url, hook, command)
    with shop.serves():
        yield shop

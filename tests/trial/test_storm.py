"""A storm of edits, undos, promotions and requests at once: no torn request, never a third pool."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from reloadcheck import ReloadCheck, Snapshot, UsageError
from reloadcheck.testing import MemorySource, RecordingFactory
from reloadcheck.trial import Trial
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.rig import until

SECONDS = 2.0


def _seventh(snapshot: Snapshot[Any]) -> str | None:
    return "no" if snapshot.config.a % 7 == 0 else None


class Storm:
    """Users and operators in threads, on a site whose edits are rehearsed and tried."""

    def __init__(self) -> None:
        self.source, self.pool = MemorySource("a: 1"), RecordingFactory()
        quick = Trial(shares=(0.3, 0.6), first=0.2, seconds=0.5, units=0, watch=0.4)
        self.live: ReloadCheck[Any] = ReloadCheck(
            self.source, trial=quick, window=0.05, drain=2.0, environ={}
        )
        self.handle = self.live.resource("a", name="pool")(self.pool)
        self.live.rehearsal(_seventh)
        self.door = ReloadCheckMiddleware(self._app, self.live)
        self.wrong: list[str] = []
        self.most = 0
        self.over = threading.Event()

    def _app(self, environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        snapshot = environ["reloadcheck.snapshot"]
        pool = snapshot[self.handle]
        if pool.arguments != (snapshot.config.a,):
            self.wrong.append("torn")
        if random.random() < 0.01:
            raise KeyError
        start("200 OK", [])
        return self._stream(pool)

    def _stream(self, pool: Any) -> Iterator[bytes]:
        for _ in range(random.choice((1, 1, 1, 20))):
            if pool.closed:
                self.wrong.append("closed under a request")
            time.sleep(0.002)
            yield b"x"

    def user(self) -> None:
        """Ask again and again; some streams outlive the trial that they began in."""
        while not self.over.is_set():
            with suppress(KeyError):
                body: Any = self.door({"PATH_INFO": "/"}, lambda *_: None)
                list(body)
                body.close()
            self.most = max(self.most, len(self.pool.open))

    def operator(self) -> None:
        """Edit, put the old bytes back, undo twice, promote, in no order."""
        live, edit = self.live, self.source.edit
        orders: list[Callable[[], object]] = [live.undo, live.undo, live.promote, live.retry]
        orders += [lambda: edit(f"a: {random.randrange(1, 12)}"), lambda: edit("a: 1"), live.check]
        while not self.over.is_set():
            time.sleep(random.random() * 0.1)
            with suppress(UsageError):
                random.choice(orders)()


def test_a_storm_leaves_nothing_behind() -> None:
    """Each request sees one version, two pools at most are open, and the last edit serves."""
    storm = Storm()
    storm.live.start()
    threads = [threading.Thread(target=storm.user) for _ in range(4)]
    threads += [threading.Thread(target=storm.operator) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    storm.over.set()
    for thread in threads:
        thread.join()
    storm.source.edit("a: 100")
    until(lambda: storm.live.check() and storm.live.snapshot.config.a == 100)
    storm.live.close()
    assert storm.wrong == []
    assert storm.most <= 2
    assert storm.pool.open == []

"""Many members of a fleet in one process: `python -m tests.benchmarks.member COUNT SPREAD PACE …`.

Each is what an application's worker is towards etcd: a source that is looked at once a window, and
the store thread's own keeper over a store with a watch and a lease. It says on standard output when
it has an edit; what it was told to be is whatever the document says. They start over `SPREAD`
seconds. All that is done every so many seconds, and every time-out, is stretched by `PACE`, so that
a machine with too few cores for a thousand is as one that has more. Addresses of etcd follow.
"""

import json
import logging
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from reloadcheck import EtcdSource
from reloadcheck._etcd import quiet
from reloadcheck._runtime.clock import SystemClock
from reloadcheck._state import presence
from reloadcheck._state.board import Member, prefix_of
from reloadcheck._state.history_writer import Fact
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry
from reloadcheck.exceptions import SourceError
from reloadcheck.stores import EtcdStore, etcd

__all__ = ["APP", "KEY", "PREFIX"]

APP, KEY, PREFIX = "fleet", "fleet.json", "fleet/"
WINDOW, TIMEOUT, TTL = 1.0, 2.0, 30.0

_said = threading.Lock()
_ended = threading.Event()


def main(arguments: Sequence[str]) -> None:
    """Be so many members until standard input ends."""
    threading.stack_size(512 * 1024)
    count, spread, pace, *urls = arguments
    logging.getLogger("reloadcheck").setLevel(logging.CRITICAL)  # they are counted instead
    for module, name in (
        (quiet, "RANGE"),
        (etcd, "RANGE"),
        (presence, "BEAT_SECONDS"),
        (presence, "TELL_SECONDS"),
    ):
        setattr(module, name, getattr(module, name) * float(pace))
    args = [(number, float(spread), float(pace), urls) for number in range(int(count))]
    threads = [threading.Thread(target=_member, args=one) for one in args]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    _ended.set()
    for thread in threads:
        thread.join(10)


def _member(number: int, spread: float, pace: float, urls: Sequence[str]) -> None:
    chance = random.Random()
    _ended.wait(chance.uniform(0.0, spread))
    window, timeout = WINDOW * pace, TIMEOUT * pace
    source = EtcdSource(urls, KEY, timeout=timeout)
    serves = Member(host=f"host{number}", pid=number, app=APP, state="serving")
    known: list[Member] = [serves]
    keeper = Keeper(
        EtcdStore(urls, PREFIX, ttl=TTL * pace, timeout=timeout),
        lambda: prefix_of(APP),
        lambda: known[0],
        clock=SystemClock(),
    )
    keeper.begin()
    version, before, due, away = 0, None, time.monotonic(), False
    while not _ended.is_set():
        if time.monotonic() >= due:
            due = max(due + window, time.monotonic())
            try:
                stamp = source.stamp()
                if stamp != before:
                    text = source.read(stamp, 2**20)[0].data.decode()
                    said = json.loads(text)["number"]
                    _say(["has", said, time.monotonic()])
                    version, before = version + 1, stamp
                    now = time.time()
                    content = f"{said:064x}"
                    known[0] = replace(
                        serves, version=version, content=content, digest=content, since=now
                    )
                    entry = Entry(None, "reloaded", now, content, content, member=keeper.id)
                    keeper.note(Fact(entry, first=version == 1))
            except SourceError:
                pass
        keeper.step()
        if keeper.known.error is not None and not away:
            _say(["away", 0, time.monotonic()])
        away = keeper.known.error is not None
        if keeper.known.error is None and version and keeper.edition is not None:
            _told(number, keeper.edition)
        keeper.store.wait(max(due - time.monotonic(), 0.01))
    keeper.store.close()


_editions: dict[int, int] = {}


def _told(number: int, edition: int) -> None:
    """Say once when a member has told that it serves an edition."""
    if _editions.get(number) != edition:
        _editions[number] = edition
        _say(["told", edition, time.monotonic()])


def _say(what: list[object]) -> None:
    with _said:
        print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

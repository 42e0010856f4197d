"""An etcd that is away under load: `python -m tests.stores.outage --seconds 60 [--killed]`.

Three applications of two workers each: one has its configuration in the etcd, one in a file, and
one in a file that its workers take up together; the etcd is the store of all.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reloadcheck._etcd.wire import b64
from tests.support.config import replace
from tests.support.etcd import EtcdServer, etcd_server
from tests.support.load import Load, get, until
from tests.support.relay import Relay, relay
from tests.support.servers import Server, gunicorn, serving

__all__ = ["Result", "Site", "network", "outage"]

APP = "tests.support.network_app:app"
KEY = "network.yaml"


def network(
    kind: str, etcd: int, directory: Path, count: int, key: str | None = None, **more: str
) -> tuple[list[str], dict[str, str]]:
    """Return the command and the variables of one application; without a key it has a file."""
    url = f"127.0.0.1:{etcd}"
    environ = {
        "NET_ETCD": f"http://{url}",
        "RELOAD_CHECK_STORE": f"etcd://{url}/",
        "RELOAD_CHECK_APP": kind,
        **more,
    }
    file = directory / f"{kind}.yaml"
    replace(file, "number: 1\n")
    environ |= {"NET_FILE": str(file)} if key is None else {"NET_KEY": key}
    return gunicorn(APP, "--workers", str(count)), environ


def write(etcd: EtcdServer, number: int) -> None:
    """Write a document into the etcd."""
    etcd.ask("/v3/kv/put", {"key": b64(KEY), "value": b64(f"number: {number}\n")})


@dataclass
class Site:
    """One application: its server behind a relay to the etcd, under a load."""

    server: Server
    between: Relay
    load: Load
    everyone: set[int] = field(default_factory=set[int])

    def says(self, name: str, value: object, workers: int) -> bool:
        """Return whether each of so many workers says this of itself at present."""
        found: dict[int, Any] = {}
        for _ in range(8 * workers):
            answer = get(self.server.port)
            found[answer.worker] = answer.said[name]
        self.everyone |= found.keys()
        return len(self.everyone) == workers and {value} == set(found.values())


@contextmanager
def site(kind: str, etcd: int, directory: Path, count: int = 2, **options: Any) -> Generator[Site]:
    """Run an application until its workers serve, and are told of in the store."""
    with relay(etcd) as between:
        command, environ = network(kind, between.port, directory, count, **options)
        with serving(command, environ, directory) as server, Load(server.port, 2, 0.03) as load:
            found = Site(server, between, load)
            until(lambda: found.says("edition", 1, count), 40.0)
            yield found


@dataclass(frozen=True)
class Result:
    """What came of an outage: requests, failures, seconds, and how often the etcd was asked.

    `asked` is by a worker and second: by the store of a file's application, and by store and source
    of the other. `live` is after how long an edit of the file served, `waited` whether that of the
    workers that act together did not; `back` after how long, from when it could be had, the right
    value served: of the key, and of what waited.
    """

    requests: int
    failures: tuple[str, ...]
    asked: float
    asked_by_both: float
    live: float
    waited: bool
    back: float
    back_together: float


def outage(seconds: float, *, killed: bool) -> Result:
    """Have the etcd away for so long, stopped or killed."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        etcd = stack.enter_context(etcd_server())
        write(etcd, 1)
        of_key = stack.enter_context(site("key", etcd.port, directory, key=KEY))
        of_file = stack.enter_context(site("file", etcd.port, directory))
        more: dict[str, Any] = {"RELOAD_CHECK_TOGETHER": "all"}
        together = stack.enter_context(site("together", etcd.port, directory, **more))
        sites = (of_key, of_file, together)
        _away(etcd, killed=killed)
        until(lambda: all(one.says("store", "store", 2) for one in sites))
        begun, before = time.monotonic(), [len(one.between.links) for one in sites]
        replace(directory / "together.yaml", "number: 2\n")
        live = _reaches(of_file, lambda: replace(directory / "file.yaml", "number: 2\n"))
        until(lambda: together.says("outcome", "deferred", 2))
        time.sleep(max(0.0, begun + seconds - time.monotonic()))
        lasted = time.monotonic() - begun
        asked = [len(one.between.links) - at for one, at in zip(sites, before, strict=True)]
        waited = not together.load.seen(2)
        _back(etcd, killed=killed)
        could = time.monotonic()
        back = _reaches(of_key, lambda: write(etcd, 2))
        together.load.reaches(2, together.everyone)
        back_together = time.monotonic() - could
        until(lambda: all(one.says("store", None, 2) for one in sites))
        return Result(
            sum(len(one.load.answers) for one in sites),
            tuple(failure for one in sites for failure in one.load.failures),
            max(asked[1:]) / lasted / 2,
            asked[0] / lasted / 2,
            live,
            waited,
            back,
            back_together,
        )


def _reaches(one: Site, act: Callable[[], None]) -> float:
    act()
    begun = time.monotonic()
    one.load.reaches(2, one.everyone)
    return time.monotonic() - begun


def _away(etcd: EtcdServer, *, killed: bool) -> None:
    if killed:
        etcd.stop()
    else:
        etcd.halt()


def _back(etcd: EtcdServer, *, killed: bool) -> None:
    if killed:
        etcd.start()
    else:
        etcd.go_on()
        etcd.ready()


def main() -> None:
    """Run it and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.stores.outage", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--killed", action="store_true", help="killed instead of stopped")
    chosen = parser.parse_args()
    found = outage(chosen.seconds, killed=chosen.killed)
    print(f"load average {os.getloadavg()[0]:.0f}; {found}")


if __name__ == "__main__":
    main()

"""The metrics: right in one process and over four, at no cost to a request."""

import http.client
import json
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reloadcheck import ReloadCheck
from reloadcheck._page.metrics import Metric
from reloadcheck.integrations.prometheus import instrument
from reloadcheck.testing import FakeClock, MemoryStore
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.config import replace
from tests.support.fixtures import Make
from tests.support.load import until
from tests.support.rig import Text
from tests.support.servers import gunicorn, serving

Values = dict[tuple[str, ...], float]


def parsed(text: str) -> Values:
    """Return each sample's value by its name and its labels'; those of a pid are added up."""
    values: Values = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = [value for name, value in sorted(sample.labels.items()) if name != "pid"]
            values[(sample.name, *labels)] += sample.value
    return values


def scraped(registry: CollectorRegistry) -> Values:
    """Scrape a registry of this process."""
    return parsed(generate_latest(registry).decode())


def counted(live: ReloadCheck[Any], registry: CollectorRegistry) -> Callable[[], bool]:
    """Ask whether the last check is counted, which is after it has been answered."""
    return lambda: live.status().checks == scraped(registry)[("reloadcheck_checks_total",)]


def refusing(part: object) -> object:
    """Refuse one value."""
    if part == "bad":
        raise ConnectionError
    return part


def test_one_process_tells_everything(make: Make, text: Text) -> None:
    """Reloads, rejections, builds, phases and the version are counted; the first load is none."""
    live: ReloadCheck[Any] = make(settle=0.0)
    live.resource("a", name="pool")(refusing)
    registry = CollectorRegistry()
    instrument(live, registry=registry)
    assert scraped(registry)[("reloadcheck_live_snapshots",)] == 0
    live.start()
    live.check()
    for number in (2, 3):
        text.write(f"a: {number}")
        live.check()
        live.check()
    text.write("a: bad")
    live.check()
    failed = ("reloadcheck_resource_builds_total", "failed", "pool")
    until(lambda: scraped(registry)[failed] == 1)  # it is counted last
    values = scraped(registry)
    digest = live.snapshot.digest
    infos = [key[1:] for key in values if key[0] == "reloadcheck_config_info"]
    assert [(digest, "3")] == infos
    assert tuple(
        values[(f"reloadcheck_config_{name}",)] for name in ("version", "last_reload_successful")
    ) == (3, 0)
    assert tuple(
        values[("reloadcheck_reloads_total", outcome)] for outcome in ("reloaded", "rejected")
    ) == (2, 1)
    assert tuple(
        values[("reloadcheck_resource_builds_total", outcome, "pool")]
        for outcome in ("built", "failed")
    ) == (3, 1)
    assert live.status().checks == values[("reloadcheck_checks_total",)]
    assert values[("reloadcheck_reload_duration_seconds_count", "build")] == 4
    assert values[("reloadcheck_reload_duration_seconds_count", "parse")] == 4
    assert (
        live.status().loaded_at
        == (values[("reloadcheck_config_last_reload_success_timestamp_seconds",)])
    )
    with live.lease():
        assert scraped(registry)[("reloadcheck_leases",)] == 1
    text.write("a: 3")
    live.check()
    until(lambda: scraped(registry)[("reloadcheck_config_last_reload_successful",)] == 1)


def test_pickup_counts_from_the_newest_time(make: Make, clock: FakeClock) -> None:
    """The time from a file's newest stamp to the swap is observed for edits, not for the start."""
    text = Text("a: 1", clock)
    live = make(text, settle=0.0)
    registry = CollectorRegistry()
    instrument(live, registry=registry)
    live.start()
    live.check()
    assert scraped(registry)[("reloadcheck_pickup_seconds_count",)] == 0
    text.write("a: 2")
    clock.advance(3.0)
    live.check()
    until(lambda: scraped(registry)[("reloadcheck_pickup_seconds_count",)] == 1)
    values = scraped(registry)
    assert (
        values[("reloadcheck_pickup_seconds_count",)],
        values[("reloadcheck_pickup_seconds_sum",)],
    ) == (1, 3.0)


def test_another_start_goes_on_counting(make: Make) -> None:
    """An engine that is closed and started again adds to its counters, from nought or not."""
    live = make()
    registry = CollectorRegistry()
    instrument(live, registry=registry)
    live.start()
    first = live.status().checks
    live.close()
    assert scraped(registry)[("reloadcheck_live_snapshots",)] == 0
    before = scraped(registry)[("reloadcheck_checks_total",)]
    live.start()
    live.check()
    assert before >= first
    checks = ("reloadcheck_checks_total",)
    until(lambda: before + live.status().checks == scraped(registry)[checks])


def test_a_request_pays_nothing(make: Make, text: Text) -> None:
    """While the window lasts, requests touch no metric: counting happens after checks alone."""
    live = make(window=60.0)
    registry = CollectorRegistry()
    instrument(live, registry=registry)

    def app(environ: object, start_response: object) -> list[bytes]:
        return [b"ok"]

    door = ReloadCheckMiddleware(app, live)
    door({"PATH_INFO": "/"}, print)
    live.check()
    until(counted(live, registry))
    before = scraped(registry)
    for _ in range(100):
        door({"PATH_INFO": "/"}, print)
    assert before == scraped(registry)


def test_the_names_are_the_pages() -> None:
    """The page's own text and the client's registry agree in every name that both have."""
    registry = CollectorRegistry()
    instrument(ReloadCheck(Text("a: 1"), store=MemoryStore()), registry=registry)
    names = {family.name for family in registry.collect()}
    assert {metric.title.removesuffix("_total") for metric in Metric} == names


def get(port: int, path: str) -> bytes:
    """Ask on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        return response.read()
    finally:
        connection.close()


class Traffic:
    """Requests from eight threads; `seen` maps each worker to the number that it served last."""

    def __init__(self, port: int) -> None:
        self.seen: dict[int, int] = {}
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(8)]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            said = json.loads(get(self._port, "/"))
            self.seen[said["pid"]] = said["number"]

    def reached(self, number: int) -> Callable[[], bool]:
        """Ask whether all four workers serve a number."""
        return lambda: [number] * 4 == list(self.seen.copy().values())


def pids(port: int, name: str) -> list[float]:
    """Return a gauge's value for each worker."""
    families = text_string_to_metric_families(get(port, "/metrics").decode())
    samples = [sample for family in families for sample in family.samples]
    return [one.value for one in samples if one.name == f"reloadcheck_{name}"]


BUILDS = ("reloadcheck_resource_builds_total", "built", "pool")


def scraped_at(port: int) -> Values:
    """Scrape a server."""
    return parsed(get(port, "/metrics").decode())


def test_four_workers_add_up(tmp_path: Path) -> None:
    """After 20 edits, one of them bad, a scrape of any of 4 gunicorn workers has the right totals.

    Old label sets cannot be removed there, so the version is a gauge of each live worker, and there
    is no `config_info`.
    """
    config, shared = tmp_path / "app.yaml", tmp_path / "metrics"
    shared.mkdir()
    replace(config, "number: 0\n")
    environ = {
        "RIG_CONFIG": str(config),
        "PROMETHEUS_MULTIPROC_DIR": str(shared),
        "RELOAD_CHECK_WINDOW": "0.05",
        "RELOAD_CHECK_SETTLE": "0.01",
    }
    options = ["--workers", "4", "--config", "python:tests.page.metrics_app", "--preload"]
    command = gunicorn("tests.page.metrics_app:app", *options)
    with serving(command, environ, tmp_path) as server, Traffic(server.port) as traffic:
        until(traffic.reached(0))
        for number in range(1, 21):
            if number != 10:
                replace(config, f"number: {number}\n")
                until(traffic.reached(number))
                continue
            replace(config, "number: [\n")
            until(lambda: scraped_at(server.port)[("reloadcheck_reloads_total", "rejected")] == 4)
            until(lambda: pids(server.port, "config_last_reload_successful") == [0] * 4)
        until(lambda: scraped_at(server.port)[BUILDS] == 4 * 20)  # it is counted last
        until(lambda: scraped_at(server.port)[("reloadcheck_live_snapshots",)] == 4)
        values = scraped_at(server.port)
        assert pids(server.port, "config_version") == [20.0] * 4
        assert pids(server.port, "config_last_reload_successful") == [1.0] * 4
    assert tuple(
        values[("reloadcheck_reloads_total", outcome)] for outcome in ("reloaded", "rejected")
    ) == (4 * 19, 4)
    assert values[BUILDS] == 4 * 20
    assert values[("reloadcheck_reload_duration_seconds_count", "build")] == 4 * 20
    assert values[("reloadcheck_pickup_seconds_count",)] == 4 * 19
    assert values[("reloadcheck_live_snapshots",)] == 4
    assert values[("reloadcheck_checks_total",)] > 4 * 20
    assert not [name for name in values if name[0] == "reloadcheck_config_info"]

"""Prometheus by `prometheus_client`: counts after each check, and answers scrapes.

Its text format without that library is `_page/metrics`'; gauges of a trial and a store, which come
and go, are `_prometheus_gauges`'. The engine thread counts after each check; what only a scrape can
tell is looked up then. Requests pay nothing, and nothing is labelled with what an edit contains.
"""

import os
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from .._engine.api import ReloadCheck, engine_of
from .._observe.history import Attempt
from .._observe.status import Status
from .._page.metrics import Metric, is_successful, store_gauges, trial_samples
from ..seams.store import StoreStatus
from ..types import Outcome
from ._extras import missing

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise missing(error, "reloadcheck[metrics]") from None

from ._prometheus_gauges import STORE_MODES, TRIAL_LABELS, StoreMeters, TrialGauges

__all__ = ["instrument"]

PICKUP_BUCKETS = (0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
PHASE_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def instrument(live: ReloadCheck[Any], *, registry: CollectorRegistry = REGISTRY) -> None:
    """Keep an engine's metrics in `registry`; call it once, before the engine starts.

    In multiprocess mode (`PROMETHEUS_MULTIPROC_DIR`) the metrics exist from a worker's first check
    on, so that a parent that only forks has none; `config_info` is left out there, because old
    label sets cannot be removed. A second engine needs a registry of its own.
    """
    shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
    has_store = engine_of(live).companion is not None
    meters = None if shared else _Meters(registry, has_store=has_store)
    counting = _Counting(live, registry, meters)
    engine_of(live).listeners.add_pulse(counting.pulse)
    if not shared:
        registry.register(_Scrape(live))


class _Meters:
    """The metrics of one process."""

    def __init__(
        self, registry: CollectorRegistry, *, has_store: bool, shared: bool = False
    ) -> None:
        def gauge(metric: Metric, mode: Any) -> Gauge:
            return Gauge(metric.title, metric.help, registry=registry, multiprocess_mode=mode)

        def counter(metric: Metric, *labels: str) -> Counter:
            return Counter(metric.title, metric.help, labels, registry=registry)

        self.successful = gauge(Metric.SUCCESSFUL, "liveall")
        self.success_time = gauge(Metric.SUCCESS_TIME, "liveall")
        self.version = gauge(Metric.VERSION, "liveall")
        self.checks = counter(Metric.CHECKS)
        self.unknown = gauge(Metric.UNKNOWN, "livemax")
        self.reloads = counter(Metric.RELOADS, "outcome")
        self.builds = counter(Metric.BUILDS, "resource", "outcome")
        self.forced = counter(Metric.FORCED, "resource")
        self.duration = Histogram(
            Metric.DURATION.title,
            Metric.DURATION.help,
            ("phase",),
            buckets=PHASE_BUCKETS,
            registry=registry,
        )
        self.pickup = Histogram(
            Metric.PICKUP.title, Metric.PICKUP.help, buckets=PICKUP_BUCKETS, registry=registry
        )
        # One process's are looked up by each scrape; of the other workers only files can tell.
        self.snapshots = gauge(Metric.SNAPSHOTS, "livesum") if shared else None
        self.leases = gauge(Metric.LEASES, "livesum") if shared else None
        self.of_trial = TrialGauges(registry) if shared else None
        self.of_store = StoreMeters(registry, shared=shared) if has_store else None


class _Counting:
    """Adds, after each check, what has happened since the one before; in the engine thread only."""

    def __init__(
        self, live: ReloadCheck[Any], registry: CollectorRegistry, meters: _Meters | None
    ) -> None:
        self._live = live
        self._registry = registry
        self._meters = meters
        self._thread: weakref.ref[object] | None = None
        self._seen: dict[tuple[str, ...], int] = {}

    def pulse(self) -> None:
        """Bring the metrics up to date."""
        thread = engine_of(self._live).thread
        if thread is None:
            return
        if self._thread is None or self._thread() is not thread:  # another start, or a fork
            self._thread, self._seen = weakref.ref(thread), {}
        has_store = engine_of(self._live).companion is not None
        meters = self._meters = self._meters or _Meters(
            self._registry, has_store=has_store, shared=True
        )
        status, history = self._live.status(), thread.reload.report.history
        news = self._more(history.noted, "attempts")
        for attempt in status.history[-news:] if news else ():
            _count(meters, attempt)
        self._tell(meters, status)

    def _tell(self, meters: _Meters, status: Status) -> None:
        meters.checks.inc(self._more(status.checks, "checks"))
        meters.unknown.set(status.unknown_keys)
        meters.successful.set(is_successful(status))
        if status.version is not None and status.loaded_at is not None:
            meters.success_time.set(status.loaded_at)
            meters.version.set(status.version)
        for one in status.resources:
            for outcome, count in (("built", one.builds), ("failed", one.failed_builds)):
                more = self._more(count, one.name, outcome)
                meters.builds.labels(one.name, outcome).inc(more)
            meters.forced.labels(one.name).inc(self._more(one.forced_closes, one.name))
        if meters.of_trial is not None and engine_of(self._live).trial is not None:
            meters.of_trial.tell(status)
        if status.store is not None:
            self._tell_store(meters, status.store)
        if meters.snapshots is not None and meters.leases is not None:
            meters.snapshots.set(len(status.leases))
            meters.leases.set(sum(status.leases.values()))

    def _tell_store(self, meters: _Meters, store: StoreStatus) -> None:
        of_store = meters.of_store
        if of_store is None:
            return
        news = self._more(store.rounds, "rounds")
        for seconds in store.last_rounds[-news:] if news else ():
            of_store.rounds.observe(seconds)
        of_store.refusals.inc(self._more(store.refusals, "refusals"))
        of_store.tell(store)

    def _more(self, count: int, *name: str) -> int:
        """Return by how much a count has grown since the last time."""
        before, self._seen[name] = self._seen.get(name, 0), count
        return count - before


def _count(meters: _Meters, attempt: Attempt) -> None:
    if attempt.is_undone:
        meters.reloads.labels(str(Outcome.UNDONE)).inc()
    if attempt.outcome not in (Outcome.RELOADED, Outcome.REJECTED):
        return
    if not attempt.first:
        meters.reloads.labels(str(attempt.outcome)).inc()
    for phase in attempt.phases:
        meters.duration.labels(phase.name).observe(phase.seconds)
    if attempt.pickup is not None:
        meters.pickup.observe(attempt.pickup)


class _Scrape(Collector):
    """What only the moment of a scrape can tell, of this process."""

    def __init__(self, live: ReloadCheck[Any]) -> None:
        self._live = live

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return it."""
        return list(self._families(self._live.status()))

    def _families(self, status: Status) -> Iterator[GaugeMetricFamily]:
        info = GaugeMetricFamily(Metric.INFO.title, Metric.INFO.help, labels=("version", "digest"))
        if status.version is not None and status.digest is not None:
            info.add_metric((str(status.version), status.digest), 1)
        yield info
        for metric, value in (
            (Metric.SNAPSHOTS, len(status.leases)),
            (Metric.LEASES, sum(status.leases.values())),
        ):
            yield GaugeMetricFamily(metric.title, metric.help, value=value)
        if engine_of(self._live).companion is not None:
            known = {} if status.store is None else dict(store_gauges(status.store))
            for gauge in STORE_MODES:
                family = GaugeMetricFamily(gauge.title, gauge.help)
                if gauge in known:
                    family.add_metric((), known[gauge])
                yield family
        trial = {
            metric: GaugeMetricFamily(metric.title, metric.help, labels=labels)
            for metric, labels in TRIAL_LABELS.items()
        }
        for metric, of, amount in trial_samples(status):
            trial[metric].add_metric(tuple(of.values()), amount)
        yield from trial.values()

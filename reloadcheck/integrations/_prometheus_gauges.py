"""What Prometheus is told of a trial and of a store, which come and go; `prometheus` has the rest.

Where several processes share their metrics by files, a gauge is set here after each check; else a
scrape looks it up. A label set cannot be taken away from a file: what is over stands at what says
so, no share and no doubt.
"""

from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Summary

from .._observe.status import Status
from .._page.metrics import Metric, store_gauges, trial_samples
from ..seams.store import StoreStatus

__all__ = ["STORE_MODES", "TRIAL_LABELS", "StoreMeters", "TrialGauges"]

STORE_MODES: Final = {
    Metric.IN_STEP: "liveall",
    Metric.EDITION: "liveall",
    Metric.HOLD: "livemax",
    Metric.STORE_UP: "liveall",
}
"""How several processes' are put together: drift is the average of all of them."""

TRIAL_LABELS: Final = {
    Metric.TRIAL_SHARE: (),
    Metric.TRIAL_UNITS: ("on",),
    Metric.TRIAL_BAD: ("signal", "on"),
    Metric.TRIAL_LUCK: ("signal",),
}

_MODES: Final = {
    Metric.TRIAL_SHARE: "livemax",
    Metric.TRIAL_UNITS: "livesum",
    Metric.TRIAL_BAD: "livesum",
    Metric.TRIAL_LUCK: "livemin",
}
"""How several processes' are put together: what was counted is summed, the least luck is told."""


class TrialGauges:
    """The gauges of one process; each from when it has a value."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._gauges: dict[Metric, Gauge] = {}
        self._told: set[tuple[Metric, tuple[str, ...]]] = set()

    def tell(self, status: Status) -> None:
        """Set all that there is to tell of a trial, and end what is over."""
        over = set(self._told)
        for metric, labels, value in trial_samples(status):
            where = metric, tuple(labels.values())
            over.discard(where)
            self._told.add(where)
            self._set(*where, value)
        for metric, names in over:
            self._set(metric, names, 1 if metric is Metric.TRIAL_LUCK else 0)
        self._told -= over

    def _set(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        gauge = self._gauges.get(metric)
        if gauge is None:
            mode: Any = _MODES[metric]
            gauge = self._gauges[metric] = Gauge(
                metric.title,
                metric.help,
                TRIAL_LABELS[metric],
                registry=self._registry,
                multiprocess_mode=mode,
            )
        (gauge.labels(*labels) if labels else gauge).set(value)


class StoreMeters:
    """What there is with a store only; each gauge from when it has a value, as 0 is one, too."""

    def __init__(self, registry: CollectorRegistry, *, shared: bool) -> None:
        self._registry = registry
        self._shared = shared
        self._gauges: dict[Metric, Gauge] = {}
        rounds, refusals = Metric.ROUND_SECONDS, Metric.REFUSALS
        self.rounds = Summary(rounds.title, rounds.help, registry=registry)
        self.refusals = Counter(refusals.title, refusals.help, registry=registry)

    def tell(self, store: StoreStatus) -> None:
        """Set the gauges, where no scrape can look them up by itself."""
        for metric, value in store_gauges(store) if self._shared else ():
            mode: Any = STORE_MODES[metric]
            if metric not in self._gauges:
                self._gauges[metric] = Gauge(
                    metric.title, metric.help, registry=self._registry, multiprocess_mode=mode
                )
            self._gauges[metric].set(value)

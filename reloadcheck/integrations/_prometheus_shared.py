"""The gauges of a trial where several processes share their metrics by files.

A label set cannot be taken away there: what is over stands at what says so, no share and no doubt.
"""

from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge

from .._observe.status import Status
from .._page.metrics import Metric, trial_samples

__all__ = ["TRIAL_LABELS", "TrialGauges"]

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

"""The status in Prometheus' text format, and the names that all metrics of this package have.

Pure: from a `Status` to text. The adapter for prometheus_client takes names and helps from here.
"""

from collections.abc import Iterator, Mapping
from enum import Enum

from .._observe.status import Status
from ..seams.store import StoreStatus
from ..types import Code, Outcome


class Metric(Enum):
    """Each metric: its name, its type, and what it tells."""

    SUCCESSFUL = (
        "reloadcheck_config_last_reload_successful",
        "gauge",
        "Whether the configuration as it is written is the one that serves (1), or not (0).",
    )
    SUCCESS_TIME = (
        "reloadcheck_config_last_reload_success_timestamp_seconds",
        "gauge",
        "When the configuration that serves was loaded; 0 while there is none.",
    )
    VERSION = (
        "reloadcheck_config_version",
        "gauge",
        "The version that serves, from 1 in each process; 0 while there is none.",
    )
    INFO = (
        "reloadcheck_config_info",
        "gauge",
        "Which configuration serves; always 1.",
    )
    RELOADS = (
        "reloadcheck_reloads_total",
        "counter",
        "Edits that went live, were rejected or undone; the first load does not count.",
    )
    DURATION = (
        "reloadcheck_reload_duration_seconds",
        "summary",
        "How long each phase of a reload or rejection took.",
    )
    CHECKS = (
        "reloadcheck_checks_total",
        "counter",
        "How often the sources were checked.",
    )
    SNAPSHOTS = (
        "reloadcheck_live_snapshots",
        "gauge",
        "Snapshots that serve or that units of work still hold.",
    )
    LEASES = (
        "reloadcheck_leases",
        "gauge",
        "Units of work that hold a snapshot.",
    )
    BUILDS = (
        "reloadcheck_resource_builds_total",
        "counter",
        "How often a resource was built, by outcome: built or failed.",
    )
    FORCED = (
        "reloadcheck_forced_closes_total",
        "counter",
        "Resources that were closed at their drain deadline while in use.",
    )
    UNKNOWN = (
        "reloadcheck_unknown_keys",
        "gauge",
        "Keys of the configuration that its schema does not know, as a misspelt one.",
    )
    TRIAL_SHARE = (
        "reloadcheck_trial_share",
        "gauge",
        "The share of the units of work that an edit has on trial; 0 while none is tried.",
    )
    TRIAL_UNITS = (
        "reloadcheck_trial_units",
        "gauge",
        "Units of work that ended during the trial, on the candidate and on what serves.",
    )
    TRIAL_BAD = (
        "reloadcheck_trial_bad",
        "gauge",
        "Bad units of work of the trial, by signal and by where they fell.",
    )
    TRIAL_LUCK = (
        "reloadcheck_trial_luck",
        "gauge",
        "How likely a harmless edit ever looks this bad; at the least luck it is undone.",
    )
    IN_STEP = (
        "reloadcheck_in_step",
        "gauge",
        "Whether what serves is what all workers should serve (1), or not (0); with a store only.",
    )
    EDITION = (
        "reloadcheck_edition",
        "gauge",
        "The store's number of what serves; 0 while it has none. With a store only.",
    )
    HOLD = (
        "reloadcheck_hold",
        "gauge",
        "Whether an order holds what serves (1): a roll-back, a pin or the fall-back.",
    )
    STORE_UP = (
        "reloadcheck_store_up",
        "gauge",
        "Whether the store could be asked at the last look (1), or not (0).",
    )
    ROUND_SECONDS = (
        "reloadcheck_round_seconds",
        "summary",
        "How long the tries to activate an edit together were open.",
    )
    REFUSALS = (
        "reloadcheck_refusals_total",
        "counter",
        "Tries to activate an edit together that were refused.",
    )
    PICKUP = (
        "reloadcheck_pickup_seconds",
        "histogram",
        "From the newest time of the sources to the swap.",
    )

    @property
    def title(self) -> str:
        """Return the name."""
        return self.value[0]

    @property
    def kind(self) -> str:
        """Return the type."""
        return self.value[1]

    @property
    def help(self) -> str:
        """Return the sentence that explains it."""
        return self.value[2]


def is_successful(status: Status) -> bool:
    """Return whether nothing is known to be wrong with what is written at present."""
    return status.version is not None and status.code in (None, Code.DRAIN)


def exposition(status: Status) -> str:
    """Return the text that a Prometheus server scrapes."""
    lines: list[str] = []
    last: Metric | None = None
    for metric, suffix, labels, value in _samples(status):
        if metric is not last:
            lines.append(f"# HELP {metric.title} {metric.help}")
            lines.append(f"# TYPE {metric.title} {metric.kind}")
            last = metric
        lines.append(f"{metric.title}{suffix}{_labels(labels)} {value!r}")
    return "\n".join(lines) + "\n"


def _samples(status: Status) -> Iterator[tuple[Metric, str, Mapping[str, str], float]]:
    yield Metric.SUCCESSFUL, "", {}, int(is_successful(status))
    yield Metric.SUCCESS_TIME, "", {}, status.loaded_at or 0.0
    yield Metric.VERSION, "", {}, status.version or 0
    if status.version is not None and status.digest is not None:
        yield Metric.INFO, "", {"version": str(status.version), "digest": status.digest}, 1
    yield Metric.RELOADS, "", {"outcome": str(Outcome.RELOADED)}, status.edits
    yield Metric.RELOADS, "", {"outcome": str(Outcome.REJECTED)}, status.rejections
    yield Metric.RELOADS, "", {"outcome": str(Outcome.REBUILT)}, status.rebuilds
    yield Metric.RELOADS, "", {"outcome": str(Outcome.UNDONE)}, status.undone
    for phase, count, total in status.seconds:
        yield Metric.DURATION, "_count", {"phase": phase}, count
        yield Metric.DURATION, "_sum", {"phase": phase}, total
    yield Metric.CHECKS, "", {}, status.checks
    yield Metric.UNKNOWN, "", {}, status.unknown_keys
    yield Metric.SNAPSHOTS, "", {}, len(status.leases)
    yield Metric.LEASES, "", {}, sum(status.leases.values())
    for one in status.resources:
        yield Metric.BUILDS, "", {"resource": one.name, "outcome": "built"}, one.builds
        yield Metric.BUILDS, "", {"resource": one.name, "outcome": "failed"}, one.failed_builds
    for one in status.resources:
        yield Metric.FORCED, "", {"resource": one.name}, one.forced_closes
    for metric, labels, value in trial_samples(status):
        yield metric, "", labels, value
    if status.store is not None:
        for metric, value in store_gauges(status.store):
            yield metric, "", {}, value
        yield Metric.ROUND_SECONDS, "_count", {}, status.store.rounds
        yield Metric.ROUND_SECONDS, "_sum", {}, status.store.round_seconds
        yield Metric.REFUSALS, "", {}, status.store.refusals


def store_gauges(store: StoreStatus) -> Iterator[tuple[Metric, float]]:
    """Return what a store says of this worker, as far as anybody can tell."""
    if store.in_step is not None:
        yield Metric.IN_STEP, int(store.in_step)
    yield Metric.EDITION, store.edition or 0
    yield Metric.HOLD, int(store.hold is not None)
    yield Metric.STORE_UP, int(store.code is None)


def trial_samples(status: Status) -> Iterator[tuple[Metric, Mapping[str, str], float]]:
    """Return what is measured of the trial that runs; its share alone where none does."""
    trial = status.trial
    trying = trial is not None and trial.phase == "trying"
    yield Metric.TRIAL_SHARE, {}, trial.share if trial is not None and trying else 0
    if trial is None:
        return
    yield Metric.TRIAL_UNITS, {"on": "candidate"}, trial.units
    yield Metric.TRIAL_UNITS, {"on": "baseline"}, trial.baseline_units
    for one in trial.signals:
        yield Metric.TRIAL_BAD, {"signal": one.name, "on": "candidate"}, one.on_candidate
        yield Metric.TRIAL_BAD, {"signal": one.name, "on": "baseline"}, one.bad - one.on_candidate
    for one in trial.signals:
        yield Metric.TRIAL_LUCK, {"signal": one.name}, one.luck


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

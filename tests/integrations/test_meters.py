"""Metrics of several processes, set by each as it goes; spans that nobody records."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from prometheus_client import CollectorRegistry

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._observe.events import ReloadEvent
from reloadcheck.integrations import opentelemetry
from reloadcheck.integrations._prometheus_gauges import StoreMeters
from reloadcheck.integrations.prometheus import _Counting, _Meters
from reloadcheck.seams.store import StoreStatus
from reloadcheck.types import Diff
from tests.support.rig import Text

STORE = StoreStatus("store.db", edition=7, in_step=True, rounds=3, last_rounds=(0.5, 1.5))


def _samples(registry: CollectorRegistry) -> dict[str, float]:
    return {one.name: one.value for family in registry.collect() for one in family.samples}


def test_where_processes_share_metrics_each_sets_those_of_its_store() -> None:
    """A scrape cannot look them up; where there is one process it does."""
    registry = CollectorRegistry()
    meters = StoreMeters(registry, shared=True)
    meters.tell(STORE)
    meters.tell(StoreStatus("store.db", edition=8, in_step=False))
    told = _samples(registry)
    edition = [value for name, value in told.items() if "edition" in name]
    assert edition == [8.0]
    alone = CollectorRegistry()
    StoreMeters(alone, shared=False).tell(STORE)
    assert not [name for name in _samples(alone) if "edition" in name]


def test_the_rounds_of_a_store_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are new since the last time; an engine that has no thread counts nothing."""
    live: ReloadCheck[Any] = ReloadCheck(Text("a: 1"), environ={})
    registry = CollectorRegistry()
    meters = _Meters(registry, has_store=True, shared=False)
    counting = _Counting(live, registry, meters)
    counting.pulse()
    before = _samples(registry)
    counting._tell_store(meters, STORE)
    counting._tell_store(meters, STORE)
    after = _samples(registry)
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert sorted(value for name, value in changed.items() if "created" not in name) == [2.0, 2.0]
    storeless = _Meters(CollectorRegistry(), has_store=False, shared=False)
    counting._tell_store(storeless, STORE)


def _event(outcome: Outcome, **more: Any) -> ReloadEvent:
    return ReloadEvent(outcome, 3, "d", Diff(), **more)


def test_what_a_trial_came_to_is_told_without_one_that_is_known() -> None:
    """An edit that was given up while it waited was withdrawn; what went live was no trial's."""
    live: ReloadCheck[Any] = ReloadCheck(Text("a: 1"), environ={})
    verdict = opentelemetry._verdict
    assert verdict(live, _event(Outcome.WAITING, edit="e")) == {"verdict": "withdrawn"}
    assert verdict(live, _event(Outcome.UNDONE)) == {"verdict": "undone"}
    assert verdict(live, _event(Outcome.WAITING)) is None
    assert verdict(live, _event(Outcome.RELOADED)) is None


def test_a_span_that_nobody_records_is_not_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The snapshot is not even looked for."""
    monkeypatch.setattr(opentelemetry, "current_snapshot", lambda: pytest.fail("it was looked for"))
    silent = SimpleNamespace(is_recording=lambda: False)
    monkeypatch.setattr(trace, "get_current_span", lambda: silent)
    opentelemetry._mark()

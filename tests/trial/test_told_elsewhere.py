"""A trial in what collects from several processes, and in traces."""

import os
import subprocess
import sys
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

from reloadcheck import Outcome
from reloadcheck.integrations import opentelemetry
from reloadcheck.integrations._prometheus_gauges import TrialGauges
from tests.support.rig import until

from .site import Making, fails_at
from .test_seen import metrics

WORKER = """
import struct, time
from contextlib import suppress
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from reloadcheck import ReloadCheck
from reloadcheck.integrations.prometheus import instrument
from reloadcheck.testing import MemorySource, trial

source = MemorySource("a: 1")
live = ReloadCheck(source, trial=True, environ={})
instrument(live)
live.start()
with trial(live, source, "a: 2", share=1.0):
    with live.lease(trial=True):
        live.mark("wrong")
    told, until = "", time.monotonic() + 30
    while "trial_luck{" not in told and time.monotonic() < until:
        live.check()
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        with suppress(struct.error):  # a file that the client is about to make, in this process
            told = generate_latest(registry).decode()
    print(told)
live.close()
"""


def test_several_workers_metrics_have_the_trial(tmp_path: Path) -> None:
    """Share, units, bad ones and luck are in the files that workers share."""
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WORKER], env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    values = metrics(done.stdout)
    assert values[("reloadcheck_trial_share",)] == 0.01
    assert values[("reloadcheck_trial_units", "candidate")] == 1
    assert values[("reloadcheck_trial_bad", "candidate", "marked: wrong")] == 1
    assert values[("reloadcheck_trial_luck", "marked: wrong")] < 0.1


def test_what_is_over_is_told_as_over(site: Making) -> None:
    """A label set stays for ever there: no share, nothing bad, and no doubt about it."""
    shop = site()
    registry = CollectorRegistry()
    gauges = TrialGauges(registry)
    shop.edit(2)
    shop.page = fails_at(2)
    shop.get(on_candidate=True)
    gauges.tell(shop.live.status())
    values = metrics(generate_latest(registry).decode())
    assert values[("reloadcheck_trial_bad", "candidate", "failed")] == 1
    assert values[("reloadcheck_trial_luck", "failed")] < 1
    shop.live.undo()
    gauges.tell(shop.live.status())
    values = metrics(generate_latest(registry).decode())
    assert values[("reloadcheck_trial_share",)] == 0
    assert values[("reloadcheck_trial_bad", "candidate", "failed")] == 0
    assert values[("reloadcheck_trial_luck", "failed")] == 1


def verdicts(spans: tuple[ReadableSpan, ...]) -> list[dict[str, object]]:
    """Return what the spans tell of verdicts."""
    events = [event for span in spans for event in span.events if event.name == "trial.verdict"]
    return [dict(event.attributes or {}) for event in events]


def test_a_span_tells_the_verdict(site: Making) -> None:
    """Undone with its code and sentence, superseded as withdrawn, promoted with its counts."""
    shop = site()
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    stop = opentelemetry.instrument(shop.live, tracer_provider=provider)
    shop.edit(2)
    shop.edit(3)
    until(lambda: len(verdicts(exporter.get_finished_spans())) == 1)
    assert shop.live.undo(reason="wrong prices") is Outcome.UNDONE
    until(lambda: len(verdicts(exporter.get_finished_spans())) == 2)
    shop.edit(4)
    shop.live.promote()
    until(lambda: shop.live.snapshot.config.a == 4)
    until(lambda: len(verdicts(exporter.get_finished_spans())) == 3)
    told = verdicts(exporter.get_finished_spans())
    assert [one["verdict"] for one in told] == ["withdrawn", "undone", "promoted"]
    assert told[1]["code"] == "undone-by-hand"
    assert "undone by hand: version 3: wrong prices" in str(told[1]["sentence"])
    assert told[2]["version"] == 4
    stop()
    provider.shutdown()

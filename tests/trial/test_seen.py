"""A trial as people see it: the page, its JSON, metrics, the command line, and the log."""

import json
import logging
import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reloadcheck import Outcome, Status
from reloadcheck._observe.identity import Identity
from reloadcheck._observe.status import Standing
from reloadcheck._page.page import View, Wanted, page
from reloadcheck._page.values import Leaves
from reloadcheck.cli._output import Page
from reloadcheck.cli._status_lines import show
from reloadcheck.integrations.prometheus import instrument
from tests.support.rig import until

from .site import Making, Site, fails_at

NOW = 1_800_000_000.0
WHO = Identity("shop", "web-1", 4711, None, "/etc")


def body(status: Status, wanted: Wanted) -> str:
    """Return what the page answers."""
    return page(View(status, Leaves(), NOW, WHO, "1.0", ""), wanted).body.decode()


def told(status: Status) -> dict[str, Any]:
    """Return the page's JSON."""
    answer: dict[str, Any] = json.loads(body(status, Wanted.JSON))
    return answer


def metrics(text: str) -> dict[tuple[str, ...], float]:
    """Return the samples of an exposition."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def lines(status: Status, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what `reloadcheck status` prints."""
    show(Page(), told(status))
    return capsys.readouterr().out


@pytest.fixture
def tried(site: Making) -> Site:
    """A site in a trial that has seen one failure on either side."""
    shop = site()
    shop.edit(2)
    shop.page = fails_at(2)
    shop.get(on_candidate=True)
    shop.page = fails_at(1)
    shop.get()
    return shop


def undo(shop: Site) -> Status:
    """Have enough fail; return the status after the undo."""
    shop.page = fails_at(2)
    for _ in range(3):
        shop.get(on_candidate=True)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    return shop.live.status()


def test_the_page_shows_a_trial(tried: Site) -> None:
    """Amber while it is tried; who has which share, the counts, and the luck, without a script."""
    status = tried.live.status()
    assert status.standing is Standing.WARN
    html = body(status, Wanted.HTML)
    assert 'class="state warn"' in html
    assert "Version 1 is serving; an edit is tried on 1%" in html
    assert "1% to version 2, 99% to version 1" in html
    assert "1 units of work on it, 1 on the version before" in html
    assert html.count("<svg") == 2
    assert "<script" not in html
    assert not re.search(r"(?:src|href)=\"(?!\?|data:)", html)


def test_the_page_says_that_nothing_bad_was_seen(site: Making) -> None:
    """In words, where there is no table yet; and of a trial that a newer edit has ended."""
    shop = site()
    shop.edit(2)
    shop.get(on_candidate=True)
    assert "Nothing bad was seen on either version." in body(shop.live.status(), Wanted.HTML)
    shop.edit(1)
    until(lambda: shop.live.status().trial is None)
    html = body(shop.live.status(), Wanted.HTML)
    assert "It ended without a verdict." in html
    assert '<p class="error warn">version 2 is not tried on' in html


def test_the_page_shows_a_verdict(tried: Site) -> None:
    """Red once it is undone, with the sentence that counts."""
    status = undo(tried)
    assert status.standing is Standing.FAIL
    html = body(status, Wanted.HTML)
    assert "Version 1 is serving; the last edit was undone" in html
    assert "edit undone: version 2 after 0.0 s: 4 of the 5 failed requests" in html
    assert "The last trial: version 2" in html


def test_the_json_has_both(tried: Site) -> None:
    """`trial` while it runs, `last_trial` afterwards."""
    before = told(tried.live.status())
    assert (before["trial"]["version"], before["trial"]["share"]) == (2, 0.01)
    assert before["trial"]["signals"][0]["bad"] == 2
    assert before["last_trial"] is None
    after = told(undo(tried))
    assert after["trial"] is None
    assert after["undone"] == 1
    assert after["last_trial"]["explanation"].startswith("undone: version 2")


def test_metrics_of_a_trial(tried: Site) -> None:
    """The page's own text has the share, the units, what was bad, and counts what was undone."""
    values = metrics(body(tried.live.status(), Wanted.METRICS))
    assert values[("reloadcheck_trial_share",)] == 0.01
    assert values[("reloadcheck_trial_units", "candidate")] == 1
    assert values[("reloadcheck_trial_bad", "failed", "candidate")] == 1
    assert values[("reloadcheck_trial_bad", "failed", "baseline")] == 1
    assert 0.001 < values[("reloadcheck_trial_luck", "failed")] <= 1
    assert values[("reloadcheck_reloads_total", "undone")] == 0
    values = metrics(body(undo(tried), Wanted.METRICS))
    assert values[("reloadcheck_trial_share",)] == 0
    assert values[("reloadcheck_reloads_total", "undone")] == 1


def test_metrics_through_the_client(site: Making) -> None:
    """`instrument` has the same; what was superseded is no undone edit."""
    shop = site()
    registry = CollectorRegistry()
    instrument(shop.live, registry=registry)

    def values() -> dict[tuple[str, ...], float]:
        return metrics(generate_latest(registry).decode())

    shop.edit(2)
    shop.edit(3)
    assert values()[("reloadcheck_trial_share",)] == 0.01
    assert shop.live.undo() is Outcome.UNDONE
    until(lambda: values().get(("reloadcheck_reloads_total", "undone")) == 1)
    assert values()[("reloadcheck_trial_share",)] == 0


def test_the_command_line_tells_it(tried: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Share, counts and luck; afterwards the sentence; within 80 columns."""
    text = lines(tried.live.status(), capsys)
    assert "trying version 2: 1% of all, 60 s left" in text
    assert "failed: 1 of 2; luck" in text
    after = lines(undo(tried), capsys)
    assert "the last one: undone: version 2" in after
    assert max(map(len, (text + after).splitlines())) <= 80


def test_the_log_tells_it(site: Making, caplog: pytest.LogCaptureFixture) -> None:
    """One line when it begins, one for the verdict, with its code."""
    caplog.set_level(logging.INFO, "reloadcheck")
    shop = site()
    shop.edit(2)
    undo(shop)

    def said() -> list[tuple[int, str]]:
        return [(one.levelno, one.getMessage()) for one in caplog.records]

    until(lambda: any("undone" in text for _, text in said()))
    begins = "configuration version 2 is tried on a share of the requests; changed: a"
    assert (logging.INFO, begins) in said()
    (verdict,) = [one for one in said() if one[1].startswith("undone")]
    assert verdict[0] == logging.WARNING

"""The examples for Prometheus and Grafana name what there is, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reloadcheck._page.metrics import Metric
from tests.support.servers import ROOT

MONITORING = ROOT / "examples" / "monitoring"
ENDINGS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_bucket", "_sum", "_count")}
KNOWN = {metric.title + ending for metric in Metric for ending in ENDINGS.get(metric.kind, ("",))}
LABELS = {
    "job", "instance", "pid", "resource", "outcome", "phase", "digest", "version", "le",
    "signal", "on",
    "severity", "summary", "description",
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    """Return every alert rule."""
    (group,) = yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Return each expression of the rules and of the dashboard, with where it stands."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for note in dashboard["annotations"]["list"]:
        yield note["name"], note["expr"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_names_what_is_exported(where: str, expression: str) -> None:
    """Each metric of an expression is one of ours, each label one that it can have."""
    named = set(re.findall(r"reloadcheck_\w+", expression))
    assert named, where
    assert named <= KNOWN
    for group in re.findall(r"(?:by|on) \(([^)]*)\)", expression):
        assert set(re.split(r",\s*", group)) <= LABELS
    assert expression.count("(") == expression.count(")")


def test_every_rule_says_what_to_do_and_is_tested() -> None:
    """Each alert has a severity, a summary and a description, and a case that makes it fire."""
    tests = yaml.safe_load((MONITORING / "rules.test.yaml").read_text())["tests"]
    fired = {
        case["alertname"]
        for test in tests
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert {rule["alert"] for rule in rules()} == fired
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_the_dashboard_is_whole() -> None:
    """Panels have numbers of their own, do not overlap, and use the variables that there are."""
    text = (MONITORING / "dashboard.json").read_text()
    dashboard = json.loads(text)
    panels = dashboard["panels"]
    assert len(panels) == len({panel["id"] for panel in panels}) >= 8
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
    names = {one["name"] for one in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)\}?", text))
    assert {"datasource", "job", "instance"} == names == used - {""}


def test_the_readme_names_every_file() -> None:
    """The table of the example lists what is beside it."""
    readme = (MONITORING / "README.md").read_text()
    there = {path.name for path in MONITORING.iterdir() if path.is_file()} - {"README.md"}
    assert there == set(re.findall(r"^\| `([\w.]+)`", readme, re.M))
    assert Path(MONITORING / "gunicorn.conf.py").read_text().count("mark_process_dead") == 1

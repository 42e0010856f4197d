"""Shows reports: to people, to programs, and as a section of the documentation."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .judging import BAND, Claim, Report, Row

__all__ = ["as_json", "as_markdown", "as_text", "from_json", "machine", "shown", "with_section"]

BEGIN, END = "<!-- costs -->\n", "<!-- /costs -->\n"


def machine() -> str:
    """Say on what the numbers were measured, and what else it was doing."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text()
    except OSError:
        cpuinfo = ""
    lines = [line.partition(":") for line in cpuinfo.splitlines()]
    models = {value.strip() for key, _, value in lines if key.strip() == "model name"}
    model = ", ".join(sorted(models)) or platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    cores = len(os.sched_getaffinity(0))
    return f"{python}, {platform.system()} {platform.release()}, {cores} cores of {model}"


def load() -> str:
    """Say how many processes wanted to run in the last minute."""
    return f"load average {os.getloadavg()[0]:.1f}"


def shown(value: float, unit: str) -> str:
    """Return a number with three digits that count, and its unit."""
    if unit == "×" and 0 < value < 0.1:
        return f"1/{1 / value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def as_text(reports: Iterable[Report]) -> str:
    """Return reports as tables."""
    return "\n".join(_text(report) for report in reports)


def _text(report: Report) -> str:
    lines = [f"== {report.title}"]
    for row in report.rows:
        spread = f"({shown(row.low, '').strip()} … {shown(row.high, '').strip()})"
        lines.append(f"   {row.name:42} {shown(row.median, row.unit):>14}  {spread}")
    lines += [f"   ({note})" for note in report.notes]
    lines += [f" → {_claim(claim)}" for claim in report.claims]
    return "\n".join(lines) + "\n"


def _claim(claim: Claim) -> str:
    control = "" if claim.control is None else f", control {claim.control:.2f}"
    if claim.floor is not None:
        control = f", floor {shown(claim.floor, claim.unit)}{control}"
    bound = "at least" if claim.turned else "at most"
    target = f"{bound} {shown(claim.at_most, claim.unit)}"
    return f"{claim.verdict}: {claim.measure}: {shown(claim.value, claim.unit)} ({target}{control})"


def as_json(found: Mapping[str, Sequence[Report]], where: str) -> str:
    """Return reports for programs, with the verdicts."""
    benchmarks = {
        name: [
            asdict(report) | {"claims": [_claimed(claim) for claim in report.claims]}
            for report in reports
        ]
        for name, reports in found.items()
    }
    return json.dumps({"machine": where, "band": BAND, "benchmarks": benchmarks}, indent=1)


def _claimed(claim: Claim) -> dict[str, Any]:
    return asdict(claim) | {"verdict": claim.verdict}


def from_json(text: str) -> tuple[dict[str, list[Report]], str]:
    """Return what `as_json` was given."""
    said = json.loads(text)
    found = {name: [_report(one) for one in some] for name, some in said["benchmarks"].items()}
    return found, said["machine"]


def _report(said: dict[str, Any]) -> Report:
    claims = [
        Claim(**{key: value for key, value in one.items() if key != "verdict"})
        for one in said["claims"]
    ]
    rows = tuple(Row(**row) for row in said["rows"])
    return Report(said["title"], rows, tuple(claims), tuple(said["notes"]), tuple(said["told"]))


def as_markdown(found: Mapping[str, Sequence[Report]], where: str) -> str:
    """Return the section of the documentation: what was claimed and found, and where."""
    claims = [claim for some in found.values() for report in some for claim in report.claims]
    lines = [f"Measured on {where}.", "", "| measure | target | measured | floor | control | |"]
    lines.append("|---|---|---|---|---|---|")
    for claim in claims:
        control = "" if claim.control is None else f"{claim.control:.2f}"
        floor = "" if claim.floor is None else shown(claim.floor, claim.unit)
        bound = "≥" if claim.turned else "≤"
        lines.append(
            f"| {claim.measure} | {bound} {shown(claim.at_most, claim.unit)} "
            f"| {shown(claim.value, claim.unit)} | {floor} | {control} | {claim.verdict} |"
        )
    told = [f"- {one}" for some in found.values() for report in some for one in report.told]
    return "\n".join([*lines, "", *told] if told else lines) + "\n"


def with_section(readme: str, section: str) -> str:
    """Put the section into the page, between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{section}{END}{after}"

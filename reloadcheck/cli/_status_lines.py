"""Tell a status that came over HTTP in lines for a terminal; what a server says is escaped.

What an older or a forged answer lacks is left out, never guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from .._config.containers import is_dict, is_list
from .._observe.ages import ago
from .._observe.status import Standing
from ..types import Code, printable
from ._output import Page, cut

__all__ = ["show", "show_table", "standing_of"]

_DIGEST: Final = 12
_MARKS: Final = {Standing.OK: "OK:", Standing.WARN: "WARN:", Standing.FAIL: "FAILED:"}
_KINDS: Final = {Standing.OK: "good", Standing.WARN: "warn", Standing.FAIL: "error"}


def standing_of(told: Mapping[str, Any]) -> Standing:
    """Return how things stand; judged from its parts where an older version does not say."""
    try:
        return Standing(str(told.get("standing")))
    except ValueError:
        bad = told["version"] is None or told.get("code") not in (None, Code.DRAIN)
        return Standing.FAIL if bad else Standing.OK


def show(page: Page, told: Mapping[str, Any], *, brief: bool = False) -> None:
    """Print what one process told; `brief`: how it stands and why, no more."""
    standing = standing_of(told)
    idle = told["state"] == "idle"
    mark = "IDLE:" if idle else _MARKS[standing]
    page.sentence(f"{mark} {_verdict(told)}", kind=_KINDS[standing], mark=mark)
    told_lines = _reasons(told)
    told_lines += _trials(told) if brief else _lines(told)
    for name, text in told_lines:
        page.sentence(f"{name:<10}{text}", kind="dim", mark=name, indent=10)
    resources = [] if brief else [one for one in _list(told, "resources") if is_dict(one)]
    if resources:
        page.line()
        page.line(f"{'resource':<28}{'builds':>10}{'version':>9}{'open':>6}{'leases':>8}")
    for one in resources:
        cells = [_cell(one.get(name)) for name in ("builds", "version", "instances", "leases")]
        name = cut(printable(str(one.get("name"))), 27)
        page.line(f"{name:<28}{cells[0]:>10}{cells[1]:>9}{cells[2]:>6}{cells[3]:>8}")


def _reasons(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return why it does not stand well, and what to do about what is worst."""
    if told["state"] == "idle":  # its first line says it
        return []
    lines = [("why", str(reason)) for reason in _list(told, "reasons")]
    if told.get("remedy"):
        # Below the edit that it is about, else below all: an order is told after a store.
        lines.insert(1 if told.get("error") else len(lines), ("to do", str(told["remedy"])))
    return lines


def show_table(page: Page, told: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each worker."""
    page.line(f"{'host':<20}{'pid':>8}{'worker':>16}{'version':>9}  {'digest':<14}standing")
    for one in told:
        process: Mapping[str, Any] = one["process"] if is_dict(one.get("process")) else {}
        host = cut(printable(str(process.get("host", "-"))), 19)
        worker = cut(printable(str(process.get("worker") or "-")), 15)
        digest = cut(printable(str(one["digest"] or "-")[:_DIGEST]), _DIGEST)
        cells = f"{host:<20}{_cell(process.get('pid')):>8}{worker:>16}{_cell(one['version']):>9}"
        page.line(f"{cells}  {digest:<14}{standing_of(one)}")


def _verdict(told: Mapping[str, Any]) -> str:
    who = _who(told)
    if told["state"] == "idle":
        return f"{who or 'this worker'} has had no request yet, so that nothing is loaded"
    if told["version"] is None:
        return f"{who}{', ' if who else ''}{told['state']}, nothing is served yet"
    digest = str(told["digest"])[:_DIGEST]
    serves = f"version {told['version']}, digest {digest}"
    lead = f"{who}: " if who else ""
    behind = "" if standing_of(told) is not Standing.FAIL else "; what is written is not live"
    return f"{lead}{told['state']} {serves}{behind}"


def _who(told: Mapping[str, Any]) -> str:
    process: object = told.get("process")
    if not is_dict(process) or "host" not in process:
        return ""
    worker = f", worker {process['worker']}" if process.get("worker") else ""
    return f"{process.get('application')} on {process['host']}, pid {process.get('pid')}{worker}"


def _lines(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if told.get("loaded_at"):
        yield "since", f"{_moment(told['loaded_at'])}{_ago(told.get('age'))}"
    if told.get("error"):
        yield "code", str(told.get("code"))
        if not told.get("reasons"):
            yield "error", str(told["error"])
    attempt = told.get("attempt")
    if is_dict(attempt):
        yield "last", _attempt(attempt)
    for one in _list(told, "sources"):
        if is_dict(one):
            end = one.get("resolved")
            leads = f" -> {end}" if end not in (None, one.get("path")) else ""
            yield "source", f"{one.get('name')}{leads}"
    if not told.get("reasons"):
        for remark in _list(told, "remarks"):
            yield "remark", str(remark)
    leases = told.get("leases")
    if is_dict(leases):
        held = ", ".join(
            f"version {number} by {count}" for number, count in leases.items() if count
        )
        yield "in use", held or "none"
    yield from _trials(told)
    for one in _list(told, "draining"):
        if is_dict(one):
            yield "old", _old(one)
    counts = [f"{_cell(told.get(name))} {name}" for name in ("checks", "reloads", "rejections")]
    yield "counts", ", ".join([*counts, f"{_cell(told.get('forced_closes'))} forced closes"])


def _trials(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the lines of the trial that is on, or the verdict on the one before."""
    trial, last = told.get("trial"), told.get("last_trial")
    if is_dict(trial):
        share, ends = trial.get("share"), trial.get("ends")
        has = f"{share:.0%} of all" if isinstance(share, int | float) else "a share"
        until = f", {ends}" if ends else ""
        counts = f"{trial.get('units')} units on it, {trial.get('baseline_units')} before it"
        yield (
            "trial",
            f"{trial.get('phase')} version {trial.get('version')}: {has}{until}; {counts}",
        )
        for one in _list(trial, "signals"):
            if is_dict(one):
                luck = one.get("luck")
                odds = f"; luck {luck:.2g}" if isinstance(luck, int | float) else ""
                yield "", f"{one.get('name')}: {one.get('on_candidate')} of {one.get('bad')}{odds}"
        shadow = trial.get("shadow")
        if is_dict(shadow):
            first = f": {shadow['first']}" if shadow.get("first") else ""
            compared, differing = shadow.get("compared"), shadow.get("differing")
            yield "", f"{compared} made again on both, {differing} differ{first}"
    elif is_dict(last) and last.get("explanation"):
        yield "trial", f"the last one: {last['explanation']}"


def _old(one: Mapping[str, Any]) -> str:
    users = ", ".join(map(str, _list(one, "holders"))) or f"{one.get('leases')} in progress"
    left = one.get("closes_in")
    closes = f"; closed in {left:.0f} s" if isinstance(left, int | float) else ""
    use = "may yet be read by" if one.get("unread") else "is used by"
    return f"{one.get('resource')} of version {one.get('version')} {use} {users}{closes}"


def _attempt(attempt: Mapping[str, Any]) -> str:
    text = f"{attempt.get('outcome')} at {_moment(attempt.get('at'))}"
    changed = [str(path) for path in _list(attempt, "changed")]
    more = int(attempt.get("changes") or 0) - len(changed)
    if changed:
        text += f", changed {', '.join(changed)}{f' and {more} more' if more > 0 else ''}"
    built = [str(name) for name in _list(attempt, "built")]
    return text + (f", built {', '.join(built)}" if built else "")


def _moment(told: object) -> str:
    """Return a time as the operator's clock shows it."""
    try:
        moment = datetime.fromtimestamp(float(cast("float", told)))
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    except (TypeError, ValueError, OverflowError, OSError):
        return "an unknown time"


def _ago(age: object) -> str:
    return f" ({ago(age)})" if isinstance(age, int | float) else ""


def _list(told: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = told.get(name)
    return value if is_list(value) else ()


def _cell(value: object) -> str:
    return "-" if value is None else cut(printable(str(value)), 9)

"""Problems as other programs want them: GitHub's annotations, SARIF, JUnit.

Pure: from problems to text. No value of a configuration is in a problem, so none is in here.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from .._observe.remedies import remedy_of
from ..types import Problem, key_path_text, printable
from ._reading import Fault

__all__ = ["FORMATS", "report"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning"}


def report(kind: str, faults: Sequence[Fault], sources: Sequence[str]) -> str:
    """Return a whole report; `sources` are the names of what was looked at, well or not."""
    return _REPORTS[kind](faults, sources)


def _github(faults: Sequence[Fault], sources: Sequence[str]) -> str:
    """Write workflow commands, which GitHub shows beside the lines of a pull request."""
    return "\n".join(_command(fault) for fault in faults)


def _command(fault: Fault) -> str:
    problem = fault.problem
    places = (("file", problem.path), ("line", problem.line), ("col", problem.column))
    properties = [f"{name}={_property(str(value))}" for name, value in places if value is not None]
    properties.append(f"title=reloadcheck%3A {_property(fault.code)}")
    return f"::{_LEVELS[fault.severity]} {','.join(properties)}::{_data(_said(problem))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sarif(faults: Sequence[Fault], sources: Sequence[str]) -> str:
    """Write the format of code scanners, version 2.1.0."""
    codes = list(dict.fromkeys(fault.code for fault in faults))
    driver = {
        "name": "reloadcheck",
        "rules": [{"id": code, **_help(code)} for code in codes],
    }
    results = [_result(fault, codes.index(fault.code)) for fault in faults]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _help(code: str) -> Mapping[str, Any]:
    remedy = remedy_of(code)
    return {} if remedy is None else {"help": {"text": remedy}}


def _result(fault: Fault, rule: int) -> Mapping[str, Any]:
    problem = fault.problem
    result: dict[str, Any] = {
        "ruleId": fault.code,
        "ruleIndex": rule,
        "level": _LEVELS[fault.severity],
        "message": {"text": _said(problem)},
    }
    if problem.path is not None:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.path)}}
        if problem.line is not None:
            column = {} if problem.column is None else {"startColumn": problem.column}
            place["region"] = {"startLine": problem.line, **column}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _uri(path: str) -> str:
    from urllib.parse import quote

    return f"file://{quote(path)}" if path.startswith("/") else quote(path)


def _junit(faults: Sequence[Fault], sources: Sequence[str]) -> str:
    """Write what most build servers show: a case for each source, failed by its errors."""
    errors = [fault for fault in faults if fault.severity == "error"]
    named = dict.fromkeys([*sources, *(fault.problem.path or "" for fault in faults)])
    failed = len({fault.problem.path or "" for fault in errors})
    counts = f'tests="{len(named)}" failures="{failed}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites {counts}><testsuite name="reloadcheck validate" {counts}>',
    ]
    for name in named:
        lines.extend(_case(name, [fault for fault in faults if (fault.problem.path or "") == name]))
    return "\n".join([*lines, "</testsuite></testsuites>"])


def _case(name: str, faults: Sequence[Fault]) -> Iterator[str]:
    title = quoteattr(printable(name or "the whole configuration"))
    yield f'<testcase classname="reloadcheck" name={title}>'
    for severity, tag in (("error", "failure"), ("warning", "system-out")):
        told = [str(fault.problem) for fault in faults if fault.severity == severity]
        if not told:
            continue
        text = escape("\n".join(told).encode("ascii", "backslashreplace").decode())
        count = f"{len(told)} {severity}{'s' if len(told) > 1 else ''}"
        yield (
            f'<{tag} message="{count}">{text}</{tag}>'
            if tag == "failure"
            else f"<{tag}>{text}</{tag}>"
        )
    yield "</testcase>"


def _said(problem: Problem) -> str:
    subject = f"{key_path_text(problem.key_path)}: " if problem.key_path else ""
    return printable(subject + problem.reason)


_REPORTS: Final[Mapping[str, Callable[[Sequence[Fault], Sequence[str]], str]]] = {
    "github": _github,
    "sarif": _sarif,
    "junit": _junit,
}

FORMATS: Final = ("text", "json", *_REPORTS)
"""What `--output-format` takes."""

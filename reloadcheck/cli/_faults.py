"""Show problems with their excerpts."""

from collections.abc import Sequence
from typing import Any

from ..parsers import Survey, survey
from ..types import Origin, Problem, key_path_text
from ._excerpt import excerpt
from ._output import Page
from ._reading import Fault, Known


def show_faults(page: Page, faults: Sequence[Fault], known: Known) -> None:
    """Print each fault with its place, and the line it is about with its values hidden."""
    surveys: dict[str, Survey] = {}
    for fault in faults:
        problem = fault.problem
        place = ""
        if problem.path is not None:
            place = f"{Origin(problem.path, problem.line, problem.column)}: "
        subject = f"{key_path_text(problem.key_path)}: " if problem.key_path else ""
        text = f"{place}{fault.severity}: {subject}{problem.reason}"
        page.sentence(text, kind=fault.severity, mark=f"{fault.severity}:")
        document = known.documents.get(problem.path or "")
        if document is None or problem.line is None or document.format == "text":
            continue
        if document.name not in surveys:
            surveys[document.name] = survey(document)
        _show_excerpt(page, surveys[document.name], problem)


def _show_excerpt(page: Page, known: Survey, problem: Problem) -> None:
    shown = excerpt(known, problem.line or 1, problem.column or 1)
    for number, line in shown.lines:
        page.line(f"{page.paint(f'{number:>6} |', 'dim')} {line}")
    if problem.column is not None:
        page.line(f"{page.paint('       |', 'dim')} {' ' * shown.caret}{page.paint('^', 'bold')}")


def problem_document(fault: Fault) -> dict[str, Any]:
    """Return a fault as JSON has it."""
    problem = fault.problem
    return {
        "severity": fault.severity,
        "code": fault.code,
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "key_path": key_path_text(problem.key_path) if problem.key_path else None,
        "reason": problem.reason,
    }

"""`reloadcheck status`: what a running application serves, as its status endpoint tells it.

Status 1 when not all that is written serves, or when an edit would not be seen; 3 when no status
comes back, 4 when an edit is good and not allowed yet, or tried. With `--all` it asks again and
again, so that each worker behind the address answers.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlunsplit

from .._config.containers import is_dict
from .._observe.status import Standing
from ._ask_http import RefusedError, UnreachableError, address, asked
from ._judging import WAITS
from ._output import Page
from ._status_lines import show, show_table, standing_of
from ._workers import Workers, all_workers

__all__ = ["exit_status", "run"]

_UNREACHABLE, _WAITING = 3, 4


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    url = address(arguments.words, os.environ)
    token = os.environ.get(arguments.token_env)
    page, shown = Page(), urlunsplit(url._replace(query=""))
    try:
        if arguments.all or arguments.workers:
            return _of_all(page, url, shown, token, arguments)
        told = asked(url, token, arguments.timeout)
    except UnreachableError as error:
        _refuse(page, shown, error, arguments, token)
        return _UNREACHABLE
    standing = standing_of(told)
    if arguments.json:
        page.json({"ok": standing is Standing.OK, "url": shown, "status": told})
    else:
        show(page, told)
    if standing is Standing.WARN and (told.get("waiting") or _is_tried(told)):
        return _WAITING
    return int(standing is not Standing.OK)


def _is_tried(told: dict[str, Any]) -> bool:
    trial = told.get("trial")
    return is_dict(trial) and trial.get("phase") == "trying"


def _of_all(
    page: Page, url: SplitResult, shown: str, token: str | None, arguments: argparse.Namespace
) -> int:
    found = all_workers(url, token, arguments.timeout, arguments.workers)
    if not found.told:
        raise found.error or UnreachableError("nobody answered")
    good = _are_good(found.told) and found.complete
    if arguments.json:
        page.json({"ok": good, "url": shown, "complete": found.complete, "workers": found.told})
        return exit_status(found.told, good=good)
    for one in found.told:
        show(page, one, brief=True)
    page.line()
    show_table(page, found.told)
    _conclude(page, found, arguments.workers)
    return exit_status(found.told, good=good)


def exit_status(told: Sequence[dict[str, Any]], *, good: bool) -> int:
    """Return the status: that an edit waits where nothing worse is told."""
    if good:
        return 0
    waiting = any(is_dict(one.get("waiting")) or _is_tried(one) for one in told)
    failing = any(standing_of(one) is Standing.FAIL for one in told)
    return WAITS if waiting and not failing else 1


def _are_good(told: Sequence[dict[str, Any]]) -> bool:
    same = len({str(one["digest"]) for one in told}) == 1
    return same and all(standing_of(one) is Standing.OK for one in told)


def _conclude(page: Page, found: Workers, wanted: int | None) -> None:
    count = len(found.told)
    workers = f"{count} worker{'s' if count > 1 else ''}"
    digests = {str(one["digest"]) for one in found.told}
    page.line()
    if not found.complete:
        page.sentence(f"WARN: {workers} of {wanted} answered in time", kind="warn", mark="WARN:")
    if len(digests) > 1:
        page.sentence(
            f"WARN: {workers} answered, with {len(digests)} different configurations",
            kind="warn",
            mark="WARN:",
        )
    elif found.complete:
        page.sentence(f"{workers} answered, all with the same configuration")
    failed = sum(standing_of(one) is Standing.FAIL for one in found.told)
    if failed:
        page.sentence(f"FAILED: {failed} of {workers}: see above", kind="error", mark="FAILED:")


def _refuse(
    page: Page,
    shown: str,
    error: UnreachableError,
    arguments: argparse.Namespace,
    token: str | None,
) -> None:
    if arguments.json:
        page.json({"ok": False, "url": shown, "error": str(error)})
        return
    mark = "REFUSED:" if isinstance(error, RefusedError) else "UNREACHABLE:"
    hint = "" if token else f". No token was sent: {arguments.token_env} is not set"
    page.sentence(f"{mark} {shown}: {error}{hint}", kind="error", mark=mark)

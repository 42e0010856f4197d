"""Ask a running application again and again until what the files hold is live.

Takes its address from the environment, as `status` does; starts no engine.
"""

import argparse
import os
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlunsplit

from .._config.containers import is_dict
from .._observe.status import Standing
from ..types import Outcome, printable
from ._ask_http import UnreachableError, address, asked
from ._inputs import Inputs
from ._judging import WAITS
from ._output import Page
from ._sides import side_of, stand_of
from ._status_lines import standing_of

__all__ = ["is_named", "until_live"]

_SECONDS: Final = 5.0
_UNREACHABLE: Final = 3


def is_named(environ: Mapping[str, str]) -> bool:
    """Return whether the environment names a running application."""
    return bool(environ.get("RELOAD_CHECK_STATUS_URL") or environ.get("RELOAD_CHECK_STATUS_PATH"))


def until_live(page: Page, arguments: argparse.Namespace, inputs: Inputs) -> int:
    """Ask until it serves the digest of the files; return the command's status.

    A file of the application's own, or its successor, is taken with the application's other ones.
    """
    url, token = address((), os.environ), os.environ.get("RELOAD_CHECK_STATUS_TOKEN")
    sources = inputs.sources
    if len(arguments.words) == 1 and inputs.live is not None:
        sources = stand_of(inputs, arguments.words[0], arguments.format).sources
    began, last, status = time.monotonic(), "", 1
    while True:
        side = side_of(inputs, sources, None)
        wanted = None if side.faults else side.digest
        try:
            told = asked(url, token, _SECONDS)
        except UnreachableError as error:
            shown = urlunsplit(url._replace(query=""))
            status, word, text = _UNREACHABLE, "unreachable", f"{shown}: {error}"
        else:
            status, word, text = _seen(told, wanted)
            if word == "not yet" and side.faults:
                text += f"; the files cannot be used: {printable(str(side.faults[0].problem))}"
        if (line := f"{word:<12}{text}") != last:
            last = line
            kind = "good" if status == 0 else "warn" if status == WAITS else "error"
            if arguments.json:
                page.json({"state": word, "says": text}, indent=None)
            else:
                page.sentence(line, kind=kind, mark=word, indent=12)
        left = _left(arguments, began)
        if word in ("live", "rejected", "undone") or left <= 0:
            return status
        time.sleep(min(arguments.interval, left))


def _left(arguments: argparse.Namespace, began: float) -> float:
    timeout: float | None = arguments.timeout
    return float("inf") if timeout is None else began + timeout - time.monotonic()


def _seen(told: Mapping[str, Any], wanted: str | None) -> tuple[int, str, str]:
    """Return the status, a word and a sentence for what an application told."""
    waiting = told.get("waiting")
    if is_dict(waiting):
        return WAITS, "waits", printable(str(waiting.get("sentence")))
    trial, last = told.get("trial"), told.get("last_trial")
    if is_dict(trial) and trial.get("phase") == "trying":
        share, number = trial.get("share"), trial.get("version")
        has = f"{share:.0%} of all" if isinstance(share, int | float) else "a share"
        return WAITS, "trying", f"version {number} has {has}"
    if told.get("outcome") == Outcome.UNDONE and is_dict(last):
        if wanted is not None and last.get("digest") != wanted:  # what was undone was another edit
            return 1, "not yet", f"version {told['version']} serves"
        return 1, "undone", printable(str(told.get("error")))
    if standing_of(told) is Standing.FAIL:
        return 1, "rejected", printable(str(told.get("error")))
    pending = told.get("pending_restart") or ()
    if told["digest"] is not None and (told["digest"] == wanted or pending):
        needs = f"; a restart is needed for {', '.join(map(str, pending))}" if pending else ""
        return 0, "live", f"version {told['version']}, digest {str(told['digest'])[:12]}{needs}"
    number = told["version"]
    return 1, "not yet", "nothing is served" if number is None else f"version {number} serves"

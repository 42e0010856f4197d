"""Ask an address until every worker behind it has answered.

A server hands each connection to whichever worker takes it, so it is asked again and again, several
times at once: who is busy with one connection leaves the next to its neighbours.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult

from .._config.containers import is_dict
from ._ask_http import UnreachableError, asked

__all__ = ["Workers", "all_workers"]

_AT_ONCE: Final = 8
_SILENT_ROUNDS: Final = 8
"""So many rounds in a row must bring nobody new before everybody counts as heard."""


@dataclass(slots=True)
class Workers:
    """What each worker told, by host and pid; `complete`: all have, as far as can be known."""

    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    complete: bool = False
    error: UnreachableError | None = None


def all_workers(url: SplitResult, token: str | None, timeout: float, wanted: int | None) -> Workers:
    """Ask for at most `timeout` seconds, until `wanted` workers, or no new ones, have answered."""
    until = time.monotonic() + timeout
    heard: dict[tuple[str, int], dict[str, Any]] = {}
    found, silent = Workers(), 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while not found.complete and (left := until - time.monotonic()) > 0:
            before = len(heard)
            asking = [pool.submit(asked, url, token, left) for _ in range(_AT_ONCE)]
            for one in asking:
                try:
                    told = one.result()
                except UnreachableError as error:
                    found.error = error
                    continue
                heard[_name(told)] = told
            if not heard:
                break
            silent = 0 if len(heard) > before else silent + 1
            found.complete = len(heard) >= wanted if wanted else silent >= _SILENT_ROUNDS
    found.told = [heard[name] for name in sorted(heard)]
    found.complete = found.complete or (bool(heard) and wanted is None)
    return found


def _name(told: dict[str, Any]) -> tuple[str, int]:
    process: object = told.get("process")
    if not is_dict(process):
        return "", 0
    pid: object = process.get("pid")
    return str(process.get("host")), pid if isinstance(pid, int) else 0

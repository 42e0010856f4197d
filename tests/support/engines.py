"""Waiting for an engine in this process to have closed what an edit replaced."""

from typing import Any

from reloadcheck import ReloadCheck

from .load import until

__all__ = ["drained"]


def drained(live: ReloadCheck[Any]) -> None:
    """Wait until there is at most one instance of each resource.

    Old ones are closed in threads of their own; an edit that comes before would wait for that.
    """
    until(lambda: all(one.instances <= 1 for one in live.status().resources))

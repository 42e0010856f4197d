"""Requests that are made again: a site's visits, each waited for, and what came of them."""

import asyncio
import threading
from typing import Any

from reloadcheck.trial import Trial
from reloadcheck.types import ShadowStatus
from tests.support.rig import until

from .site import Site

SHADOWED = Trial(shadow=["/*"])  # type: ignore[arg-type]


def asked_of(shop: Site, answer: bytes) -> list[int]:
    """Have the page answer this; return the list that grows by the `a` that it is asked on."""
    asked: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        asked.append(config.a)
        return 200, answer

    shop.page = page
    return asked


def hanging(shop: Site) -> tuple[threading.Event, threading.Event]:
    """Have the page hang where it is asked again; return what tells so, and what ends it."""
    hangs, ends = threading.Event(), threading.Event()
    here = threading.current_thread()

    def page(config: Any) -> tuple[int, bytes]:
        if threading.current_thread() is not here:
            hangs.set()
            assert ends.wait(30)
        return 200, b"1"

    shop.page = page
    return hangs, ends


def shadow_of(shop: Site) -> ShadowStatus:
    """Return what became of the requests that were made again."""
    status = shop.live.status()
    trial = status.trial or status.last_trial
    assert trial is not None
    assert trial.shadow is not None
    return trial.shadow


def judged(shop: Site) -> int:
    """Return how many were made again by now."""
    shadow = shadow_of(shop)
    return shadow.compared + shadow.unjudged


def is_idle() -> bool:
    """Say whether nothing is made again at present."""
    return not [one for one in threading.enumerate() if one.name == "reloadcheck-shadow"]


def wait(shop: Site, before: int) -> None:
    """Wait until one more was made again, or the trial has ended."""
    until(lambda: judged(shop) > before or shop.live.status().trial is None)
    until(is_idle)


async def visit_asgi(shop: Site, times: int) -> None:
    """Ask in a loop that runs on, as a server's does."""
    for _ in range(times):
        before = judged(shop)
        await shop.ask("http")
        await asyncio.to_thread(wait, shop, before)


def visit(shop: Site, times: int = 1, *, door: str = "wsgi", **words: Any) -> None:
    """Ask for the page, and wait until each request was made again."""
    if door == "asgi":
        asyncio.run(visit_asgi(shop, times))
        return
    for _ in range(times):
        before = judged(shop)
        shop.get(**words)
        wait(shop, before)

"""Tasks that tell a partner of each order; the address and the token change while they run.

Run it with ``celery -A tasks worker`` and edit ``config.yaml``: no restart, no lost task.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
from celery import Celery, Task

from reloadcheck import ReloadCheck
from reloadcheck.integrations.celery import CeleryReloadCheck


@dataclass(frozen=True)
class Partner:
    """Who is told; a change makes a new client beside the old one."""

    url: str
    token: str
    timeout: float = 5.0


@dataclass(frozen=True)
class Settings:
    """The whole configuration; a file that does not fit it never reaches a task."""

    greeting: str
    partner: Partner


CONFIG = os.environ.get("TASKS_CONFIG") or Path(__file__).with_name("config.yaml")
live = ReloadCheck(CONFIG, schema=Settings)
app = Celery("tasks", broker=os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0"))
CeleryReloadCheck(live, app)


@live.resource("partner")
def partner_client(partner: Partner) -> Iterator[httpx2.Client]:
    """Keep connections for each worker process; closed once its last task is done with it."""
    headers = {"authorization": f"Bearer {partner.token}"}
    with httpx2.Client(base_url=partner.url, headers=headers, timeout=partner.timeout) as client:
        yield client


@app.task(bind=True, max_retries=8)
def tell(self: "Task[..., None]", order: int) -> None:
    """Write to the partner; greeting and client are of one version.

    A retry takes the version of then, so that an expired token heals by itself once the new one is
    in the file.
    """
    snapshot = live.current()
    message = {"order": order, "greeting": snapshot.config.greeting}
    try:
        snapshot[partner_client].post("/orders", json=message).raise_for_status()
    except httpx2.HTTPError as error:
        raise self.retry(exc=error, countdown=min(2**self.request.retries, 300)) from None

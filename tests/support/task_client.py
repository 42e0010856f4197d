"""A client of Celery that sends tasks and waits for results, and leaves no connection behind."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from celery import Celery

__all__ = ["client_of"]


@contextmanager
def client_of(url: str) -> Generator[Celery]:
    """Return a client until the block ends.

    A result that the collector finds is left alone: Celery before 5.7 would connect again for each,
    and wait for itself where that happens in the middle of a subscription.
    """
    with Celery("client", broker=url, backend=url) as app:
        backend = cast(Any, app.backend)
        backend.result_consumer.cancel_for = _leave_alone
        yield app
        backend.client.connection_pool.disconnect()  # nobody else closes them


def _leave_alone(task_id: str) -> None:
    """Do nothing about a result that nobody waits for."""

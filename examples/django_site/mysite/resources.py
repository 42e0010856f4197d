"""What is built from parts of the configuration, and built anew when they change."""

from collections.abc import Iterator

import httpx2

from reloadcheck.integrations.django import live

from .config import Upstream


@live.resource("upstream")
def api(upstream: Upstream) -> Iterator[httpx2.Client]:
    """Keep one client for all requests of a version; it closes after the last of them."""
    with httpx2.Client(base_url=upstream.url, timeout=upstream.timeout) as client:
        yield client

"""An httpx2 client. The `with` closes it after its last user: closing kills requests in flight."""

from collections.abc import Iterator

from httpx2 import Client, Limits

from examples.resources.settings import Upstream


def upstream(part: Upstream) -> Iterator[Client]:
    """Register it with `live.resource("upstream")(upstream)`."""
    headers = {"Authorization": f"Bearer {part.token}", "User-Agent": part.name}
    limits, wait = Limits(max_connections=part.size), part.timeout
    with Client(base_url=part.url, headers=headers, timeout=wait, limits=limits) as api:
        api.get("/").raise_for_status()
        yield api

"""An async httpx2 client. The `async with` closes it after its last user.

Never earlier: closing kills the requests in flight.
"""

from collections.abc import AsyncIterator

from httpx2 import AsyncClient, Limits

from examples.resources.settings import Upstream


async def upstream(part: Upstream) -> AsyncIterator[AsyncClient]:
    """Register it with `live.resource("upstream")(upstream)`."""
    headers = {"Authorization": f"Bearer {part.token}", "User-Agent": part.name}
    limits, wait = Limits(max_connections=part.size), part.timeout
    async with AsyncClient(base_url=part.url, headers=headers, timeout=wait, limits=limits) as api:
        (await api.get("/")).raise_for_status()
        yield api

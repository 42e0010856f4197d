"""An async httpx2 client. The `async with` closes it after its last user.

Never earlier: closing kills the requests in flight. What TLS needs is loaded once, because that
takes longer than all the rest.
"""

from collections.abc import AsyncIterator

from httpx2 import AsyncClient, AsyncHTTPTransport, Limits, create_ssl_context

from examples.resources.settings import Upstream

TLS = create_ssl_context()


async def upstream(part: Upstream) -> AsyncIterator[AsyncClient]:
    """Register it with `live.resource("upstream")(upstream)`."""
    headers = {"Authorization": f"Bearer {part.token}", "User-Agent": part.name}
    transport = AsyncHTTPTransport(verify=TLS, limits=Limits(max_connections=part.size))
    url, wait = part.url, part.timeout
    async with AsyncClient(base_url=url, headers=headers, timeout=wait, transport=transport) as api:
        (await api.get("/")).raise_for_status()
        yield api

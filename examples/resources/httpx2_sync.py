"""An httpx2 client. The `with` closes it after its last user.

Never earlier: closing kills the requests in flight. What TLS needs is loaded once, because that
takes longer than all the rest.
"""

from collections.abc import Iterator

from httpx2 import Client, HTTPTransport, Limits, create_ssl_context

from examples.resources.settings import Upstream

TLS = create_ssl_context()


def upstream(part: Upstream) -> Iterator[Client]:
    """Register it with `live.resource("upstream")(upstream)`."""
    headers = {"Authorization": f"Bearer {part.token}", "User-Agent": part.name}
    transport = HTTPTransport(verify=TLS, limits=Limits(max_connections=part.size))
    url, wait = part.url, part.timeout
    with Client(base_url=url, headers=headers, timeout=wait, transport=transport) as api:
        api.get("/").raise_for_status()
        yield api

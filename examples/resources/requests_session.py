"""A `requests.Session`, whose pool opens no more connections than it keeps.

A session has no base URL and no time-out of its own: each call says both.
"""

from collections.abc import Iterator

from requests import Session
from requests.adapters import HTTPAdapter

from examples.resources.settings import Upstream


def upstream(part: Upstream) -> Iterator[Session]:
    """Register it with `live.resource("upstream")(upstream)`."""
    with Session() as session:
        session.mount(part.url, HTTPAdapter(pool_maxsize=part.size, pool_block=True))
        session.headers.update({"Authorization": f"Bearer {part.token}", "User-Agent": part.name})
        session.get(part.url, timeout=part.timeout).raise_for_status()
        yield session

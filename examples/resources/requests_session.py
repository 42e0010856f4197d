"""A `requests.Session` whose connections are closed with it.

A session's own `close` leaves idle connections to the garbage collector, which may find them late.
It has no base URL and no time-out of its own either: each call says both.
"""

from collections.abc import Iterator

from requests import Session
from requests.adapters import HTTPAdapter

from examples.resources.settings import Upstream


class Connections(HTTPAdapter):
    """Opens no more connections than it keeps, and closes them when it is closed."""

    def close(self) -> None:
        """Close them now; the session calls this."""
        for key in list(self.poolmanager.pools.keys()):
            self.poolmanager.pools[key].close()
        super().close()


def upstream(part: Upstream) -> Iterator[Session]:
    """Register it with `live.resource("upstream")(upstream)`."""
    with Session() as session:
        session.mount(part.url, Connections(pool_maxsize=part.size, pool_block=True))
        session.headers.update({"Authorization": f"Bearer {part.token}", "User-Agent": part.name})
        session.get(part.url, timeout=part.timeout).raise_for_status()
        yield session

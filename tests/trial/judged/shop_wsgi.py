"""The application under judgement, for servers of WSGI."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from psycopg_pool import ConnectionPool

from reloadcheck.wsgi import ReloadCheckMiddleware

from .shop import BUILD_SECONDS, WAIT_SECONDS, address, ask_upstream, live, question, refuses


@live.resource("database")
def pool(database: Any) -> Iterator[ConnectionPool]:
    """Hold connections to the database, of which one is known to work."""
    made: ConnectionPool = ConnectionPool(
        address(database), min_size=1, max_size=database.most, timeout=WAIT_SECONDS, open=False
    )
    with made:
        made.wait(BUILD_SECONDS)
        yield made


def page(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with what the database says of the version; fail where the file says so."""
    snapshot = environ["reloadcheck.snapshot"]
    config = snapshot.config
    seconds = float(parse_qs(environ["QUERY_STRING"]).get("seconds", ["0"])[0])
    ask_upstream(config)
    with snapshot[pool].connection() as connection:
        said = connection.execute(*question(config.database, seconds)).fetchone()[0].encode()
    if refuses(config):
        raise KeyError(config.number)
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said]


app = ReloadCheckMiddleware(page, live)

"""A SQLAlchemy engine on psycopg. Dispose of it after the drain: the `yield` waits for that.

Disposing earlier would orphan the connections in use: they go on, outside of any pool's count. The
URL begins with `postgresql+psycopg:`.
"""

from collections.abc import Iterator

from sqlalchemy import Engine, create_engine

from examples.resources.settings import Database


def database(part: Database) -> Iterator[Engine]:
    """Register it with `live.resource("database")(database)`."""
    named = {"application_name": part.name}
    engine = create_engine(part.url, connect_args=named, pool_size=part.size, max_overflow=0)
    engine.connect().close()
    yield engine
    engine.dispose()

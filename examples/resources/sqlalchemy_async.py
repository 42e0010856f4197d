"""A SQLAlchemy engine on asyncpg. Dispose of it after the drain: the `yield` waits for that.

Disposing earlier would orphan the connections in use: they go on, outside of any pool's count. The
URL begins with `postgresql+asyncpg:`.
"""

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from examples.resources.settings import Database


async def database(part: Database) -> AsyncIterator[AsyncEngine]:
    """Register it with `live.resource("database")(database)`."""
    named = {"server_settings": {"application_name": part.name}}
    engine = create_async_engine(part.url, connect_args=named, pool_size=part.size, max_overflow=0)
    await (await engine.connect()).close()
    yield engine
    await engine.dispose()

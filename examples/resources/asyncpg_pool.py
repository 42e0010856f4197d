"""A plain asyncpg pool. Close it with a deadline, then terminate what is left.

`close` waits for every connection to come back, without end; a task that outlives the drain may
never give its own back.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from asyncpg import Pool, create_pool

from examples.resources.settings import Database


async def database(part: Database) -> AsyncIterator[Pool]:
    """Register it with `live.resource("database")(database)`."""
    named = {"application_name": part.name}
    pool = await create_pool(part.url, min_size=1, max_size=part.size, server_settings=named)
    yield pool
    with suppress(TimeoutError):
        await asyncio.wait_for(pool.close(), 5.0)
    pool.terminate()

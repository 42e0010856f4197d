"""What both applications under judgement share: the engine, the database, and what goes wrong.

Their file says it: one request in `every` fails on its version, and a share `anyway` of all on
every one; `upstream` is the port of what each request asks (0: nothing). Of the database it says
the `port`, how many connections a pool has at `most`, and how many `seconds` a query takes, about.
"""

import http.client
import itertools
import json
import os
import random
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck.trial import Trial

WAIT_SECONDS = 1.0
"""How long a request waits for a connection of the pool before it gives up."""

BUILD_SECONDS = 5.0

live: ReloadCheck[Any] = ReloadCheck(
    os.environ["SHOP_CONFIG"],
    window=0.2,
    settle=0.05,
    trial=Trial(**json.loads(os.environ.get("SHOP_TRIAL", "{}"))),
)
_asked = itertools.count(1)


def address(database: Any) -> str:
    """Return where the database is, with the name by which it knows this version."""
    named = f"port={database.port} application_name=version-{database.number}"
    return f"{os.environ['SHOP_DATABASE']} {named}"


def question(database: Any, seconds: float = 0.0) -> tuple[bytes, list[float]]:
    """Return what is asked of the database: that it sleeps, and says who asks."""
    wait = seconds or min(random.expovariate(1.0 / database.seconds), 8 * database.seconds)
    return b"SELECT current_setting('application_name') FROM pg_sleep(%s)", [wait]


def refuses(config: Any) -> bool:
    """Say whether this request fails, by its version or by chance."""
    broken = config.every and next(_asked) % config.every == 0
    return bool(broken or random.random() < config.anyway)


def ask_upstream(config: Any) -> None:
    """Ask what every version needs; raise `OSError` where it is dead."""
    if config.upstream:
        connection = http.client.HTTPConnection("127.0.0.1", config.upstream, timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        finally:
            connection.close()

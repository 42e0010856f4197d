"""An application whose edits are tried, for the benchmark of trials; its file says what goes wrong.

`every`: one request in so many fails; `slow`: seconds that each takes more; `anyway`: the share of
requests that fail whatever version they get.
"""

import asyncio
import itertools
import json
import os
import random
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.trial import Trial

BASE_SECONDS = 0.01

live = ReloadCheck(
    os.environ["TRIED_CONFIG"],
    window=0.2,
    settle=0.05,
    trial=Trial(seconds=float(os.environ.get("TRIED_SECONDS", "60")), watch=0.0),
)
_asked = itertools.count(1)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the version; fail, or take long, as the file says."""
    if scope["type"] != "http":
        return
    config = scope["state"]["config"]
    status = 200
    if scope["path"] == "/state":
        told = live.status()
        said = {"pid": os.getpid(), "outcome": told.outcome, "digest": told.digest}
        body = json.dumps({**said, "number": config.number}).encode()
    else:
        await asyncio.sleep(BASE_SECONDS * random.uniform(0.8, 1.2) + config.slow)
        broken = config.every and next(_asked) % config.every == 0
        status = 500 if broken or random.random() < config.anyway else 200
        body = str(config.number).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = ReloadCheckMiddleware(app, live)

"""An application for real servers, whose edits are tried: one request in `every` fails."""

import itertools
import os
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.trial import Trial

live = ReloadCheck(
    os.environ["TRIED_CONFIG"],
    window=0.2,
    settle=0.05,
    trial=Trial(
        first=1.0,
        seconds=8.0,
        watch=4.0,
        units=5,
        shadow=tuple(os.environ.get("TRIED_SHADOW", "").split()),
    ),
)
_asked = itertools.count(1)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the version, or fail where the configuration says so."""
    if scope["type"] != "http":
        return
    config = scope["state"]["config"]
    if config.every and next(_asked) % config.every == 0:
        raise RuntimeError("the checkout is broken")
    body = str(config.number).encode()
    again = any(name == b"reloadcheck-shadow" for name, _ in scope["headers"])
    headers = [(b"set-cookie", b"asked=shadow" if again else b"asked=user")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = ReloadCheckMiddleware(app, live, status_path="/status", status_token="t0k3n-of-the-test")

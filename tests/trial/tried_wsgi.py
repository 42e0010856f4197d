"""The same for servers of WSGI."""

import itertools
import os
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck.trial import Trial
from reloadcheck.wsgi import ReloadCheckMiddleware

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


def page(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with the version, or fail where the configuration says so."""
    config = environ["reloadcheck.config"]
    if config.every and next(_asked) % config.every == 0:
        start_response("500 Broken", [("Content-Length", "6")])
        return [b"broken"]
    body = str(config.number).encode()
    who = "shadow" if "HTTP_RELOADCHECK_SHADOW" in environ else "user"
    headers = [("Content-Length", str(len(body))), ("Set-Cookie", f"asked={who}")]
    start_response("200 OK", headers)
    return [body]


app = ReloadCheckMiddleware(page, live, status_path="/status", status_token="t0k3n-of-the-test")

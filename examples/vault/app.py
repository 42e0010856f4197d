"""A configuration without secrets in it: they are files that Vault Agent renders and rotates."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reloadcheck import FileReferences, ReloadCheck
from reloadcheck.wsgi import ReloadCheckMiddleware

HERE = Path(__file__).parent
SECRETS = os.environ.get("SECRETS", "/vault/secrets")

live = ReloadCheck(HERE / "config.yaml", references=[FileReferences(SECRETS)])


@live.resource("database.url")
def engine(url: str) -> dict[str, str]:
    """Stand for a pool of connections, which a rotated password has built anew."""
    return {"connects_to": url.rpartition("@")[2]}


def site(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with what the pool connects to."""
    snapshot = environ["reloadcheck.snapshot"]
    body = f"{snapshot[engine]['connects_to']} {snapshot.version}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


app = ReloadCheckMiddleware(site, live)

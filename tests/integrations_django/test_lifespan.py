"""The ASGI application of a site: it answers the lifespan that Django refuses."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from reloadcheck import ConfigError, ReloadCheck
from reloadcheck.integrations.django.asgi import get_asgi_application
from tests.support.calls import ask, body

from .site import held, site, write


def number(request: HttpRequest) -> HttpResponse:
    """Return the number of the request's configuration."""
    live: Any = request
    return HttpResponse(f"{live.config.number}")


async def lifespan(live: ReloadCheck[Any], *between: str) -> list[str]:
    """Start the site as a server does, ask for some paths, and stop it; tell what was sent."""
    application = get_asgi_application()
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: list[str] = []
    answered = asyncio.Event()

    async def send(message: Any) -> None:
        said.append(message["type"])
        answered.set()

    running = asyncio.ensure_future(application({"type": "lifespan"}, inbox.get, send))
    inbox.put_nowait({"type": "lifespan.startup"})
    await asyncio.wait(
        [running, asyncio.create_task(answered.wait())], return_when="FIRST_COMPLETED"
    )
    if not running.done():
        said.append(live.status().state)
        said.extend([body(await ask(application, path)).decode() for path in between])
        inbox.put_nowait({"type": "lifespan.shutdown"})
    await running
    return said


def test_start_up_loads_and_shutdown_closes(tmp_path: Path) -> None:
    """The engine serves from the end of the start-up on, and is closed when the server stops."""
    write(tmp_path / "config.yaml", 3)
    with site(tmp_path / "config.yaml", number) as live:
        said = asyncio.run(lifespan(live, "/number"))
        ended = ["lifespan.startup.complete", "serving", "3", "lifespan.shutdown.complete"]
        assert ended == said
        assert (held(live), live.status().state) == (0, "closed")


def test_start_up_fails_on_a_bad_configuration(tmp_path: Path) -> None:
    """A server that asks for the lifespan does not start on a file that cannot be used."""
    (tmp_path / "config.yaml").write_text("number: 1\nnumber: 2\n")
    with (
        site(tmp_path / "config.yaml", number) as live,
        pytest.raises(ConfigError, match=r"config\.yaml:2:1"),
    ):
        asyncio.run(lifespan(live))

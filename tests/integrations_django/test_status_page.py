"""The status page of a site: where its settings or the environment say, in both worlds."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.asgi import get_asgi_application
from django.core.checks import run_checks
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from werkzeug.test import Client

from .site import declared, get, get_async, held, site, write

TOKEN = "a-token-for-tests"
PAGE = f"-/reloadcheck?token={TOKEN}"
WORLDS = {"wsgi": get, "asgi": get_async}
Get = Callable[[str], str]


def number(request: HttpRequest) -> HttpResponse:
    """Return the number of the request's configuration."""
    live: Any = request
    return HttpResponse(f"{live.config.number}")


@pytest.fixture(params=WORLDS.values(), ids=[*WORLDS])
def ask(request: pytest.FixtureRequest) -> Get:
    """Ask the site in one of the two worlds."""
    asking: Get = request.param
    return asking


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with the number 1."""
    write(tmp_path / "config.yaml", 1)
    return tmp_path / "config.yaml"


def test_the_settings_say_where_it_is(file: Path, ask: Get) -> None:
    """With the token there is the status, also before anything is loaded; it holds no snapshot."""
    with site(file, number, status_path="/-/reloadcheck", status_token=TOKEN) as live:
        for version in (None, 1):
            status, body = ask("/-/reloadcheck?" + PAGE.partition("?")[2]).split(" ", 1)
            assert ("200", version) == (status, json.loads(body)["version"])
            assert ask("/number") == "200 1"
        assert held(live) == 0
        assert ask(f"/-/reloadcheck/metrics?token={TOKEN}").startswith("200 # HELP reloadcheck_")


def test_without_the_token_there_is_no_page(file: Path, ask: Get) -> None:
    """The site answers, as it does for any path that it does not have."""
    with site(file, number, status_path="/-/reloadcheck", status_token=TOKEN):
        for path in ("/-/reloadcheck", "/-/reloadcheck?token=wrong", "/-/reloadcheck/else"):
            assert ask(path).startswith("404 ")


def test_an_operator_says_where_it_is(
    file: Path, ask: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is stronger than the settings."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_PATH", "/here")
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    with site(file, number, status_path="/-/reloadcheck", status_token="another-token"):
        assert ask(f"/here?token={TOKEN}").startswith("200 {")
        assert ask("/-/reloadcheck?token=another-token").startswith("404 ")


def test_an_orchestrators_probes_need_no_token(file: Path, ask: Get) -> None:
    """They are answered by a status code alone, whatever host they name."""
    with site(file, number, health_path="/-/health", ALLOWED_HOSTS=["shop.example"]):
        assert ask("/-/health/live") == "200 "
        assert ask("/-/health/ready") == "200 "
        file.write_text("number: 1\nnumber: 2\n")
    with site(file, number, health_path="/-/health"):
        assert (ask("/-/health/live"), ask("/-/health/ready")) == ("200 ", "503 ")


def test_its_headers_are_those_of_every_door(file: Path) -> None:
    """Nothing of it is stored or framed, and a browser that brought the token gets a cookie."""
    with site(file, number, status_path="/-/reloadcheck", status_token=TOKEN):
        client = Client(get_wsgi_application())
        path = f"/-/reloadcheck?token={TOKEN}"
        with client.get(path, headers={"Accept": "text/html"}) as response:
            assert (response.status_code, response.headers["Cache-Control"]) == (303, "no-store")
            assert response.headers["Location"] == "./reloadcheck?format=html"
        with client.get("/-/reloadcheck?format=html") as response:
            assert (response.status_code, response.headers["X-Frame-Options"]) == (200, "DENY")
            assert "style-src 'sha256-" in response.headers["Content-Security-Policy"]
        with client.head("/-/reloadcheck") as response:
            assert (response.status_code, response.data) == (200, b"")
            assert int(response.headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    ("given", "number", "words"),
    [
        ({"status_path": "no-slash", "status_token": TOKEN}, "E005", "must be a path such as"),
        ({"status_path": "/page", "status_token": "short"}, "E005", "characters"),
        ({"status_path": 7}, "E005", "RELOAD_CHECK['STATUS_PATH'] must be text"),
        ({"status_path": "/page"}, "W001", "it needs a token"),
        ({"status_token": TOKEN}, "W001", "it needs a path"),
    ],
)
def test_a_check_tells_what_is_wrong_with_it(
    file: Path, given: dict[str, Any], number: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a page is told by a warning, what cannot be meant by an error; none is quoted."""
    caplog.set_level(logging.WARNING)
    with declared(file, **given):
        ((identity, said),) = [(one.id, one.msg) for one in run_checks(tags=["reloadcheck"])]
        assert identity == f"reloadcheck.{number}"
        assert words in said
        assert TOKEN not in said
        if number == "W001":
            get_asgi_application()
            assert words in caplog.text

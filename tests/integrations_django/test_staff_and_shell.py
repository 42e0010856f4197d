"""The page for staff, the command line's verbs in `manage.py`, and what is seldom declared."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.urls import include, path

from reloadcheck.integrations.django.settings import declared as read

from .site import MIDDLEWARE, declared, set_up, site, write

Ask = Callable[..., Any]
STAFF = SimpleNamespace(is_active=True, is_staff=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with the number 1."""
    write(tmp_path / "config.yaml", 1)
    return tmp_path / "config.yaml"


@pytest.fixture
def ask() -> Ask:
    """Ask the view of staff as somebody."""
    set_up()
    from reloadcheck.integrations.django import urls

    def asked(user: object, query: str = "", **headers: str) -> Any:
        request: Any = RequestFactory(headers=headers).get(f"/reloadcheck/{query}")
        request.user = user
        return urls.status(request)

    return asked


def test_staff_see_the_page_without_a_token(file: Path, ask: Ask) -> None:
    """Its JSON, or the page, as they accept it; what nobody can read is a bad request."""
    with site(file, status_path="/-/reloadcheck", status_token="a-token-for-tests"):
        answer = ask(STAFF, "?format=json")
        assert (answer.status_code, json.loads(answer.content)["state"]) == (200, "idle")
        page = ask(STAFF, accept="text/html")
        assert (page.status_code, page.headers["Content-Type"][:9]) == (200, "text/html")
        many = "&".join(f"a{number}=1" for number in range(10_000))
        assert ask(STAFF, f"?{many}").status_code == 400


@pytest.mark.parametrize(
    "user", [SimpleNamespace(is_active=False, is_staff=True), SimpleNamespace(), None]
)
def test_who_is_not_staff_sees_nothing(user: object) -> None:
    """Nor somebody who has left."""
    set_up()
    from reloadcheck.integrations.django import urls

    assert urls._is_staff(STAFF)
    assert not urls._is_staff(user)


def test_people_log_in_at_the_admin_or_where_the_settings_say(file: Path, ask: Ask) -> None:
    """Where the site has an admin, there."""
    set_up()
    from reloadcheck.integrations.django import urls

    log_in = urls._LogIn()
    with declared(file, LOGIN_URL="/log-in/"):
        assert str(log_in) == "/log-in/"
    admin: Any = type(
        "admin", (), {"urlpatterns": [path("in/", ask, name="login")], "app_name": "admin"}
    )
    with_admin = type("urls", (), {"urlpatterns": [path("staff/", include(admin))]})
    with declared(file, ROOT_URLCONF=with_admin):
        assert str(log_in) == "/staff/in/"


def test_a_command_that_needs_no_site_is_run_as_it_is(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its status; what it refuses is told in its own words."""
    from reloadcheck.integrations.django.management.commands import reloadcheck as command

    asked: list[list[str]] = []
    answers = iter((0, 3))

    def main(words: list[str]) -> int:
        asked.append(words)
        return next(answers)

    monkeypatch.setattr(command, "main", main)
    with declared(file):
        given = {"question": "explain", "words": ["number"]}
        command.Command().handle(**given)
        with pytest.raises(SystemExit) as ended:
            command.Command().handle(**given)
    assert ended.value.code == 3
    assert [words[0] for words in asked] == ["explain", "explain"]
    assert asked[0][-1] == "number"


def test_a_site_that_is_not_as_it_should_be_is_told(file: Path) -> None:
    """A setting of another kind; a source of no known format; a middleware that is nowhere."""
    with pytest.raises(ImproperlyConfigured, match="RELOAD_CHECK must be a dict"):
        read(["config.yaml"])
    with declared(file, sources=[file.with_name("config.unknown")]):
        assert "reloadcheck.E005" in [one.id for one in run_checks(tags=["reloadcheck"])]
    with declared(file, MIDDLEWARE=[MIDDLEWARE, "nowhere.Middleware"]):
        assert run_checks(tags=["reloadcheck"]) == []

"""Where the page is and whether: from the door's arguments and the operator's environment."""

import os
from typing import Any

import pytest

from reloadcheck import OptionError
from reloadcheck._page.page import Wanted
from reloadcheck._page.settings import Settings, settings_from
from reloadcheck._page.view import view_of
from reloadcheck.asgi import ReloadCheckMiddleware as asgi_door
from reloadcheck.wsgi import ReloadCheckMiddleware as wsgi_door
from tests.page.asking import (
    PATH,
    TOKEN,
    own_asgi,
    own_wsgi,
)
from tests.support.fixtures import Make

from .ways import settings


def test_no_path_no_page() -> None:
    """Without a path there is no page; without a token neither, and a sentence says why."""
    assert settings_from(None, None, {}) == (None, None)
    assert settings_from("", None, {}) == (None, None)
    for token in (None, ""):
        given, sentence = settings_from(PATH, token, {})
        assert given is None
        assert "RELOAD_CHECK_STATUS_TOKEN" in str(sentence)


def test_a_token_without_a_path_is_told() -> None:
    """Half of a page is not switched off in silence; an empty path says that it is meant so."""
    given, sentence = settings_from(None, TOKEN, {})
    assert given is None
    assert "RELOAD_CHECK_STATUS_PATH" in str(sentence)
    assert TOKEN not in str(sentence)
    assert settings_from(None, TOKEN, {"RELOAD_CHECK_STATUS_PATH": ""}) == (None, None)


def test_the_operator_has_the_last_word() -> None:
    """The environment overrides the program, and an empty path there switches the page off."""
    environ = {
        "RELOAD_CHECK_STATUS_PATH": "/s",
        "RELOAD_CHECK_STATUS_TOKEN": "another-token",
        "RELOAD_CHECK_HEALTH_PATH": "/h",
    }
    assert (Settings("/s", "another-token", "/h"), None) == settings_from(
        PATH, TOKEN, environ, "/x"
    )
    del environ["RELOAD_CHECK_STATUS_TOKEN"], environ["RELOAD_CHECK_HEALTH_PATH"]
    assert (settings("/s"), None) == settings_from(PATH, TOKEN, environ)
    assert settings_from(PATH, TOKEN, {"RELOAD_CHECK_STATUS_PATH": ""}) == (None, None)
    assert None is settings_from(PATH, TOKEN, {"RELOAD_CHECK_STATUS_TOKEN": ""})[0]


def test_a_health_path_below_the_page_is_refused() -> None:
    """What needs no token must not stand where everything does."""
    for health_path in (PATH, f"{PATH}/health"):
        with pytest.raises(OptionError, match="RELOAD_CHECK_HEALTH_PATH"):
            settings_from(PATH, TOKEN, {}, health_path)


@pytest.mark.parametrize("path", ["x", "/", "/a/", "//a", "/a?b", "/a#b", "/%41", "/ä", "/a/../b"])
def test_an_impossible_path_is_refused(path: str) -> None:
    """A path that no request can have is a start-up error that names the variable."""
    with pytest.raises(OptionError, match="RELOAD_CHECK_STATUS_PATH"):
        settings_from(path, TOKEN, {})


@pytest.mark.parametrize(
    "token", ["tökén-of-words", "a b" * 5, "a,b" * 5, "abcdefghijkl\n", "eleven-char"]
)
def test_an_impossible_token_is_refused(token: str) -> None:
    """So is a token that no header can carry, or that can be guessed; neither quotes it."""
    with pytest.raises(OptionError, match="RELOAD_CHECK_STATUS_TOKEN") as refused:
        settings_from(PATH, token, {})
    assert token not in str(refused.value)
    assert TOKEN not in repr(settings())


@pytest.mark.parametrize(("door", "own"), [(asgi_door, own_asgi), (wsgi_door, own_wsgi)])
def test_off_is_the_very_door(
    make: Make, door: Any, own: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """Without path and token there is nothing before the door; a lone path is warned of."""
    live = make(environ=os.environ)
    assert door(own, live).__name__ == "reloadcheck"
    assert caplog.messages == []
    assert door(own, live, status_token=TOKEN).__name__ == "reloadcheck"
    (warning,) = caplog.messages
    assert "RELOAD_CHECK_STATUS_PATH" in warning
    caplog.clear()
    with monkeypatch.context() as asking:  # a command's environment, which asks another process
        asking.setenv("RELOAD_CHECK_STATUS_URL", "http://127.0.0.1/-/reloadcheck")
        assert door(own, live, status_token=TOKEN).__name__ == "reloadcheck"
    assert caplog.messages == []
    assert door(own, live, status_path=PATH).__name__ == "reloadcheck"
    (warning,) = caplog.messages
    assert "RELOAD_CHECK_STATUS_TOKEN" in warning
    assert door(own, live, status_path=PATH, status_token=TOKEN).__name__ == "status_page"
    monkeypatch.setenv("RELOAD_CHECK_STATUS_PATH", PATH)
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    watched = door(own, live)
    assert ("status_page", live, own) == (watched.__name__, watched.live, watched.app)


@pytest.mark.parametrize(("door", "own"), [(asgi_door, own_asgi), (wsgi_door, own_wsgi)])
def test_an_engine_with_an_environment_of_its_own_has_its_page(
    make: Make, door: Any, own: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`environ=` holds for the page as for every option: the process's own is not looked at."""
    given = {"RELOAD_CHECK_STATUS_PATH": PATH, "RELOAD_CHECK_STATUS_TOKEN": TOKEN}
    assert door(own, make(environ=given)).__name__ == "status_page"
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert door(own, make(environ={})).__name__ == "reloadcheck"


def test_an_engine_with_an_environment_of_its_own_has_its_name(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's word is the application's name wherever it is told; another's is not."""
    monkeypatch.setenv("RELOAD_CHECK_APP", "another")
    till = make(app="shop", environ={"RELOAD_CHECK_APP": "till"})
    shop = make(app="shop", environ={})
    told = [view_of(one, one.status(), Wanted.JSON).who.application for one in (till, shop)]
    assert told == ["till", "shop"]

"""Which requests are made again, and with what: GETs of the paths that are named, once answered."""

from typing import Any

import pytest

from reloadcheck.trial import Trial
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.rig import until

from .shadowed import SHADOWED, asked_of, judged, visit
from .site import Making, trial_of


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_other_method_is_ever_repeated(site: Making, method: str) -> None:
    """A POST is asked once, whatever the paths say."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked = asked_of(shop, b"")
    shop.get(REQUEST_METHOD=method)
    visit(shop)  # one that is repeated, after which the other one would have been
    assert len(asked) == 1 + 1 + 3


@pytest.mark.parametrize(
    "words",
    [
        {"PATH_INFO": "/other"},
        {"CONTENT_LENGTH": "3"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_RELOADCHECK_SHADOW": "1"},
    ],
    ids=["another path", "a body", "a body in chunks", "repeated already"],
)
def test_what_is_not_meant_is_not_repeated(site: Making, words: dict[str, Any]) -> None:
    """Other paths, requests with a body, and those that were made again by an engine."""
    shop = site(trial=Trial(shadow=("/products*",)))
    shop.edit(2)
    asked = asked_of(shop, b"")
    given: dict[str, Any] = {"PATH_INFO": "/products", **words}
    shop.get(**given)
    visit(shop, PATH_INFO="/products/1", QUERY_STRING="a=b")
    assert len(asked) == 1 + 1 + 3
    assert sorted(asked[2:]) == [1, 1, 2]


@pytest.mark.parametrize("streams", [False, True], ids=["list", "iterator"])
def test_nothing_begins_before_the_answer_is_sent(site: Making, streams: bool) -> None:
    """With WSGI that is the body's `close()`, for a list as well."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked = asked_of(shop, b"x")
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "streams": streams}
    body: Any = shop.wsgi(environ, lambda *_: None)
    assert b"".join(body) == b"x"
    assert asked == [1]
    assert judged(shop) == 0
    body.close()
    until(lambda: judged(shop) == 1)
    assert sorted(asked) == [1, 1, 1, 2]


def test_units_of_work_are_not_counted_twice(site: Making) -> None:
    """Only those of users are units of a trial."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    visit(shop, 3)
    trial = trial_of(shop)
    assert (trial.units, trial.baseline_units) == (0, 3)


def test_what_a_request_was_asked_with_is_asked_again(site: Making) -> None:
    """Cookies, language and query; not what would bring an answer without its body."""
    shop = site(trial=SHADOWED)
    shop.edit(2)
    asked: list[dict[str, Any]] = []

    def noting(environ: dict[str, Any], start: Any) -> list[bytes]:
        asked.append(dict(environ))
        start("200 OK", [])
        return [b"1"]

    shop.wsgi = ReloadCheckMiddleware(noting, shop.live)
    given: dict[str, Any] = {"wsgi.version": (1, 0), "session": object()}
    visit(
        shop,
        **given,
        PATH_INFO="/caf\xc3\xa9",
        QUERY_STRING="q=1",
        HTTP_COOKIE="who=me",
        HTTP_IF_NONE_MATCH='"1"',
        HTTP_RANGE="bytes=0-1",
        REMOTE_ADDR="192.0.2.1",
    )
    assert len(asked) == 4
    for environ in asked[1:]:
        assert environ["PATH_INFO"] == "/caf\xc3\xa9"
        assert environ["QUERY_STRING"] == "q=1"
        assert environ["HTTP_COOKIE"] == "who=me"
        assert environ["REMOTE_ADDR"] == "192.0.2.1"
        assert environ["HTTP_RELOADCHECK_SHADOW"] == "1"
        assert not {"HTTP_IF_NONE_MATCH", "HTTP_RANGE", "session"} & set(environ)

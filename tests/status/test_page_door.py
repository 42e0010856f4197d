"""Who sees the status page, and that everybody else gets the application's own answer."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import OptionError, ReloadCheck
from reloadcheck._page.settings import Settings, settings_from
from reloadcheck.asgi import ReloadCheckMiddleware as asgi_door
from reloadcheck.wsgi import ReloadCheckMiddleware as wsgi_door
from tests.core.conftest import Make
from tests.core.rig import Text, same

from .asking import PATH, TOKEN, Ask, Headers, ask_asgi, ask_wsgi, bearer, own_asgi, own_wsgi

Live = ReloadCheck[Any]


def settings(path: str = PATH, token: str = TOKEN) -> Settings:
    """Give settings with a path and a token."""
    chosen = settings_from(path, token, {})
    assert isinstance(chosen, Settings)
    return chosen


def asgi(live: Live) -> Ask:
    """Ask through the ASGI page."""
    door = asgi_door(own_asgi, live, status_path=PATH, status_token=TOKEN)
    return ask_asgi(door)


def wsgi(live: Live) -> Ask:
    """Ask through the WSGI page."""
    return ask_wsgi(wsgi_door(own_wsgi, live, status_path=PATH, status_token=TOKEN))


@pytest.fixture(params=[asgi, wsgi], scope="module")
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Ask an application whose engine has started."""
    live: Live = ReloadCheck(Text("a: 1"), environ={})
    live.start()
    given: Callable[[Live], Ask] = request.param
    yield given(live)
    live.close()


MISSPELT = [
    "/-/reloadcheck/", "//-/reloadcheck", "/-//reloadcheck", "/-/Reloadcheck", "/-/RELOADCHECK",
    "/-/reloadchec", "/-/reloadcheckk", "-/reloadcheck", "/./-/reloadcheck", "/-/../-/reloadcheck",
    "/-/reloadcheck/.", "/-/reloadcheck;a=1", "/-/reloadcheck ", "/-/reloadcheck\0",
    "/-/reloadcheck\n", "/%2d/reloadcheck", "/-/reloadcheck%20", "\\-\\reloadcheck",
    "/-/reloadcheck.json",
    "/-/ｒeloadcheck", "/-/reloadcheck/Live", "/-/reloadcheck/live/", "/-/reloadcheck//ready",
    "/-/reloadcheck/metric", "/x/-/reloadcheck", "*", "",
]  # fmt: skip


@pytest.mark.parametrize("path", MISSPELT, ids=repr)
def test_a_misspelt_path_is_the_applications(ask: Ask, path: str) -> None:
    """The decoded path must be the very one; nothing is cleaned up, folded or guessed."""
    assert ask(path, headers=[bearer()]).own


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "PROPFIND"]
)
def test_other_methods_are_the_applications(ask: Ask, method: str) -> None:
    """Only GET and HEAD are answered, spelt as they are."""
    assert ask(method=method, headers=[bearer()]).own


WRONG: dict[str, Headers] = {
    "no token": [],
    "empty": [bearer("")],
    "another": [bearer("another")],
    "a part of it": [bearer(TOKEN[:-1])],
    "it and more": [bearer(TOKEN + "x")],
    "another case": [bearer(TOKEN.upper())],
    "twice": [bearer(), bearer()],
    "one right, one wrong": [bearer(), bearer("another")],
    "one wrong, one right": [bearer("another"), bearer()],
    "joined": [bearer(f"{TOKEN},Bearer {TOKEN}")],
    "non-ASCII": [bearer("tökén")],
    "bytes that are no text": [bearer(b"\xff\xfe\x00")],
    "no scheme": [("authorization", TOKEN.encode())],
    "another scheme": [("authorization", b"Digest " + TOKEN.encode())],
    "Basic, not base64": [("authorization", b"Basic ???")],
    "Basic, as the user": [("authorization", b"Basic " + b64encode(TOKEN.encode() + b":"))],
    "Basic, without a colon": [("authorization", b"Basic " + b64encode(TOKEN.encode()))],
    "in the wrong header": [("x-token", TOKEN.encode())],
    "as the cookie": [("cookie", b"reloadcheck-status=" + TOKEN.encode())],
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/live", f"{PATH}/ready", f"{PATH}/metrics"])
def test_a_wrong_token_is_the_applications(ask: Ask, headers: Headers, path: str) -> None:
    """A wrong, double or missing token cannot be told from a page that is not there."""
    assert ask(path, headers=headers).own


@pytest.mark.parametrize(
    "query",
    ["token=", "token=x", f"token={TOKEN}&token={TOKEN}", f"token={TOKEN}&token=", f"Token={TOKEN}",
     "token=%ff%fe", "token=t%C3%B6k", "&".join(["a=1"] * 30) + f"&token={TOKEN}"],
)  # fmt: skip
def test_a_wrong_token_in_the_address_is_the_applications(ask: Ask, query: str) -> None:
    """The same holds for the token in the address, twice or in too many fields included."""
    assert ask(query=query).own


def test_a_header_beats_the_address(ask: Ask) -> None:
    """A request with a wrong header is not saved by what else it brings."""
    assert ask(query=f"token={TOKEN}", headers=[bearer("another")]).own


RIGHT: list[Headers] = [
    [bearer()],
    [("authorization", b"bearer " + TOKEN.encode())],
    [("authorization", b"Basic " + b64encode(b"anybody:" + TOKEN.encode()))],
]


@pytest.mark.parametrize("headers", RIGHT, ids=["Bearer", "bearer", "Basic"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_right_token_opens(ask: Ask, headers: Headers, method: str) -> None:
    """Bearer, in any case, and the password of Basic open the page; HEAD has no body."""
    answer = ask(method=method, headers=headers)
    assert (200, "application/json") == (answer.status, answer.header("content-type"))
    assert (method == "HEAD") is (answer.body == b"")
    assert int(answer.header("content-length") or 0) > 100


def test_every_answer_is_guarded(ask: Ask) -> None:
    """No answer is stored, sniffed, framed, or may load anything from anywhere."""
    for path, query in [(PATH, "format=html"), (PATH, ""), (f"{PATH}/ready", "")]:
        answer = ask(path, query, headers=[bearer()])
        assert "no-store" == answer.header("cache-control")
        assert "nosniff" == answer.header("x-content-type-options")
        assert "no-referrer" == answer.header("referrer-policy")
        policy = answer.header("content-security-policy") or ""
        assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'")
        assert "unsafe" not in policy
        assert "script" not in policy


def test_the_host_changes_nothing(ask: Ask) -> None:
    """Whatever `Host` says, the answer is the same, and a redirect names no host."""
    plain = ask(f"{PATH}/live", headers=[bearer()])
    assert plain == ask(f"{PATH}/live", headers=[bearer(), ("host", b"evil.example")])
    welcome = ask(query=f"token={TOKEN}&format=html", headers=[("host", b"evil.example")])
    assert "./reloadcheck?format=html" == welcome.header("location")


def test_a_browser_gets_a_cookie_for_the_token(ask: Ask) -> None:
    """The token leaves the address bar at once; the cookie is not the token, and opens the page."""
    welcome = ask(query=f"token={TOKEN}", headers=[("accept", b"text/html")])
    assert (303, b"") == (welcome.status, welcome.body)
    cookie, *flags = (welcome.header("set-cookie") or "").split("; ")
    assert ["HttpOnly", "SameSite=Lax"] == flags
    assert TOKEN not in cookie
    seen = ask(query="format=html", headers=[("cookie", f"a=b; {cookie}".encode())])
    assert 200 == seen.status
    assert ask(query="format=html", headers=[("cookie", f"{cookie}; {cookie}".encode())]).own
    secure = ask(query=f"token={TOKEN}&format=html", scheme="https")
    assert (secure.header("set-cookie") or "").endswith("; Secure")


def test_a_mounted_application_has_its_page_below_its_mount(ask: Ask) -> None:
    """The path is the one below the place that the application is mounted at."""
    assert 200 == ask(root="/mounted", headers=[bearer()]).status


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json;q=0.9, text/html;q=0.8", "application/json"),
        ("text/html;q=x", "application/json"),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", "text/plain"),
    ],
)
def test_the_format_follows_accept(ask: Ask, accept: str, kind: str) -> None:
    """People get HTML, programs JSON, a Prometheus server its own format."""
    answer = ask(headers=[bearer(), ("accept", accept.encode())])
    assert (answer.header("content-type") or "").startswith(kind)


def test_live_never_fails_for_a_bad_edit(make: Make, text: Text) -> None:
    """`/live` is 200 before any configuration and during a bad edit, `/ready` after a good one."""
    live = make()
    text.write("a: [")
    for given in (asgi, wsgi):
        asked = given(live)
        assert (200, 503) == codes(asked)
    text.write("a: 1")
    live.start()
    text.write("a: [")
    live.check()
    for given in (asgi, wsgi):
        asked = given(live)
        assert (200, 200) == codes(asked)
        answer = asked(f"{PATH}/ready", headers=[bearer()])
        assert b'"status": "warn"' in answer.body
        assert b'"code": "syntax"' in answer.body


def codes(asked: Ask) -> tuple[int, int]:
    """Give the status codes of `/live` and `/ready`."""
    live, ready = (asked(f"{PATH}/{name}", headers=[bearer()]) for name in ("live", "ready"))
    return live.status, ready.status


@pytest.mark.parametrize("given", [asgi, wsgi])
def test_ready_starts_what_waits_for_traffic(make: Make, given: Callable[[Live], Ask]) -> None:
    """Where traffic comes only to what is ready, asking for that begins the first load."""
    live = make()
    assert "idle" == live.status().phase
    assert (200, 200) == codes(given(live))


@pytest.mark.parametrize("given", [asgi, wsgi])
def test_ready_probes_when_asked(make: Make, given: Callable[[Live], Ask]) -> None:
    """With `probe=1` every resource is probed; one that fails is 503. `/live` probes none."""
    live = make()
    answers = [True]
    asked: list[object] = []

    def probe(built: object) -> bool:
        asked.append(built)
        return answers[-1]

    live.resource("a", name="pool", probe=probe)(same)
    live.start()
    answers.append(False)
    ask = given(live)
    assert (200, 200) == codes(ask)
    for query in ("probe=1", "probe=true"):
        answer = ask(f"{PATH}/ready", query, headers=[bearer()])
        assert (503, "failed") == (
            answer.status,
            json.loads(answer.body)["probes"]["pool"]["outcome"],
        )
    assert 200 == ask(f"{PATH}/ready", "probe=0", headers=[bearer()]).status
    before = len(asked)
    assert 200 == ask(f"{PATH}/live", "probe=1", headers=[bearer()]).status
    assert before == len(asked) > 2
    page = ask(query="format=html&probe=1", headers=[bearer()])
    assert (200, True) == (page.status, b">failed<" in page.body)
    answers.append(True)
    assert 200 == ask(f"{PATH}/ready", "probe=1", headers=[bearer()]).status


def test_looking_is_no_unit_of_work(make: Make, text: Text) -> None:
    """A page that is looked at holds no snapshot and has no file looked at."""
    live = make(window=0.0)
    live.start()
    live.check()  # the engine looks once more by itself after a swap
    before = text.stamped
    answer = wsgi(live)(headers=[bearer()])
    assert (200, before) == (answer.status, text.stamped)
    assert {1: 0} == live.status().leases


def test_no_path_no_page() -> None:
    """Without a path there is no page; without a token neither, and a sentence says why."""
    assert settings_from(None, None, {}) is None
    assert settings_from(None, TOKEN, {}) is None
    assert settings_from("", TOKEN, {}) is None
    for token in (None, ""):
        sentence = settings_from(PATH, token, {})
        assert isinstance(sentence, str)
        assert "RELOAD_CHECK_STATUS_TOKEN" in sentence


def test_the_operator_has_the_last_word() -> None:
    """The environment overrides the program, and an empty path there switches the page off."""
    environ = {"RELOAD_CHECK_STATUS_PATH": "/s", "RELOAD_CHECK_STATUS_TOKEN": "other"}
    assert settings("/s", "other") == settings_from(PATH, TOKEN, environ)
    assert settings("/s") == settings_from(PATH, TOKEN, {"RELOAD_CHECK_STATUS_PATH": "/s"})
    assert settings_from(PATH, TOKEN, {"RELOAD_CHECK_STATUS_PATH": ""}) is None
    assert isinstance(settings_from(PATH, TOKEN, {"RELOAD_CHECK_STATUS_TOKEN": ""}), str)


@pytest.mark.parametrize("path", ["x", "/", "/a/", "//a", "/a?b", "/a#b", "/%41", "/ä", "/a/../b"])
def test_an_impossible_path_is_refused(path: str) -> None:
    """A path that no request can have is a start-up error that names the variable."""
    with pytest.raises(OptionError, match="RELOAD_CHECK_STATUS_PATH"):
        settings_from(path, TOKEN, {})


@pytest.mark.parametrize("token", ["tökén", "a b", "a,b", "a\n"])
def test_an_impossible_token_is_refused(token: str) -> None:
    """So is a token that no header can carry; neither error nor repr quotes it."""
    with pytest.raises(OptionError, match="RELOAD_CHECK_STATUS_TOKEN") as refused:
        settings_from(PATH, token, {})
    assert token not in str(refused.value)
    assert TOKEN not in repr(settings())


@pytest.mark.parametrize(("door", "own"), [(asgi_door, own_asgi), (wsgi_door, own_wsgi)])
def test_off_is_the_very_door(
    make: Make, door: Any, own: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """Without path and token there is nothing before the door; a lone path is warned of."""
    live = make()
    assert "reloadcheck" == door(own, live).__name__
    assert "reloadcheck" == door(own, live, status_token=TOKEN).__name__
    assert [] == caplog.messages
    assert "reloadcheck" == door(own, live, status_path=PATH).__name__
    (warning,) = caplog.messages
    assert "RELOAD_CHECK_STATUS_TOKEN" in warning
    assert "status_page" == door(own, live, status_path=PATH, status_token=TOKEN).__name__
    monkeypatch.setenv("RELOAD_CHECK_STATUS_PATH", PATH)
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    watched = door(own, live)
    assert ("status_page", live, own) == (watched.__name__, watched.live, watched.app)

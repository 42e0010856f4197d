"""Who sees the status page, and that everybody else gets the application's own answer."""

import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import OptionError, ReloadCheck
from reloadcheck._page.access import Asked, Gate
from reloadcheck._page.settings import Settings, settings_from
from reloadcheck.asgi import ReloadCheckMiddleware as asgi_door
from reloadcheck.wsgi import ReloadCheckMiddleware as wsgi_door
from tests.page.asking import (
    PATH,
    TOKEN,
    Ask,
    Headers,
    ask_asgi,
    ask_wsgi,
    bearer,
    own_asgi,
    own_wsgi,
)
from tests.support.fixtures import Make
from tests.support.rig import Text, same

Live = ReloadCheck[Any]


def settings(path: str = PATH, token: str = TOKEN) -> Settings:
    """Give settings with a path and a token."""
    chosen, _ = settings_from(path, token, {})
    assert chosen is not None
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
        form = "'self'" if query == "format=html" else "'none'"  # the filter of the keys
        assert policy.startswith(f"default-src 'none'; base-uri 'none'; form-action {form}")
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
    assert [f"Path={PATH}", "Max-Age=43200", "HttpOnly", "SameSite=Lax"] == flags
    assert TOKEN not in cookie
    seen = ask(query="format=html", headers=[("cookie", f"a=b; {cookie}".encode())])
    assert 200 == seen.status
    assert ask(query="format=html", headers=[("cookie", f"{cookie}; {cookie}".encode())]).own
    secure = ask(query=f"token={TOKEN}&format=html", scheme="https")
    assert (secure.header("set-cookie") or "").endswith("; Secure")
    assert cookie != (secure.header("set-cookie") or "").split("; ")[0]


def test_a_mounted_page_has_its_cookie_where_the_browser_sees_it(ask: Ask) -> None:
    """Below a mount, or a prefix that a proxy took away, the cookie's path is the whole one."""
    mounted = ask(query=f"token={TOKEN}&format=html", root="/mounted")
    assert f"Path=/mounted{PATH};" in (mounted.header("set-cookie") or "")
    prefix = [("x-forwarded-prefix", b"/shop")]
    behind = ask(query=f"token={TOKEN}&format=html", headers=prefix)
    assert f"Path=/shop{PATH};" in (behind.header("set-cookie") or "")
    forged = [("x-forwarded-prefix", b"/; Domain=example.org")]
    assert f"; Path={PATH};" in (
        ask(query=f"token={TOKEN}&format=html", headers=forged).header("set-cookie") or ""
    )


def cookie_of(gate: Gate) -> bytes:
    """Give the cookie that a token is answered with."""
    granted = gate.grant(PATH, Asked(f"token={TOKEN}&format=html", "", [], [], secure=True))
    assert granted is not None
    assert granted.page is not None
    return dict(granted.page.headers)["Set-Cookie"].split(";")[0].encode()


def test_a_cookie_has_its_time_and_its_page() -> None:
    """It ends after twelve hours, cannot be made longer, and opens no page at another path."""
    now: float = 1_000_000.0
    gate = Gate(settings(), lambda: now)
    cookie = cookie_of(gate)

    def opens(value: bytes, one: Gate = gate, path: str = PATH) -> bool:
        return one.grant(path, Asked("", "", [], [value], secure=True)) is not None

    assert opens(cookie)
    assert not opens(cookie, Gate(settings("/other"), lambda: now), "/other")
    assert not opens(cookie, Gate(settings(token="another-token"), lambda: now))
    name, _, value = cookie.partition(b"=")
    until, visitor, signature = value.split(b".")
    for forged in (
        b".".join((str(int(until) + 1).encode(), visitor, signature)),
        b".".join((until, b"0" * 16, signature)),
        b".".join((until, visitor, signature[:-1])),
        b".".join((until, visitor)),
        b"x" + value,
        b"",
    ):
        assert not opens(name + b"=" + forged), forged
    now += 12 * 3600 - 1
    assert opens(cookie)
    now += 1
    assert not opens(cookie)


SPELLINGS = {
    "as it is": (PATH, True),
    "with a query": (f"{PATH}?format=json", True),
    "below a mount": (f"/shop{PATH}", True),
    "a slash in other letters": ("/-%2Freloadcheck", False),
    "a dash in other letters": ("/%2D/reloadcheck", False),
    "a letter in other letters": ("/-/%72eloadcheck", False),
    "the absolute form": (f"http://shop.example{PATH}", False),
    "with a fragment": (f"{PATH}#x", False),
}


@pytest.mark.parametrize(("target", "opens"), SPELLINGS.values(), ids=SPELLINGS)
def test_the_path_has_one_spelling(make: Make, target: str, opens: bool) -> None:
    """What decodes to the path and was not sent as it is the application's."""
    gate = Gate(settings())
    header = bearer()[1]
    asked = Asked("", "", [header], [], secure=False, spelt=target)
    assert opens is (gate.grant(PATH, asked) is not None)
    live = make()
    live.start()
    seen: list[dict[str, Any]] = []
    for given, key, value in (
        (asgi, "raw_path", target.partition("?")[0].encode()),
        (wsgi, "RAW_URI", target),
        (wsgi, "REQUEST_URI", target),
    ):
        seen.append({key: value})
        assert opens is not given(live)(headers=[bearer()], more=seen[-1]).own


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
    assert "idle" == live.status().state
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
    """A page that is looked at holds no snapshot; probes of an orchestrator look at no file."""
    live = make(window=0.0)
    live.start()
    live.check()  # the engine looks once more by itself after a swap
    before = text.stamped
    for tail in ("live", "ready"):
        answer = wsgi(live)(f"{PATH}/{tail}", headers=[bearer()])
        assert (200, before) == (answer.status, text.stamped)
    assert 200 == wsgi(live)(headers=[bearer()]).status
    assert {1: 0} == live.status().leases


@pytest.mark.parametrize("given", [asgi, wsgi])
@pytest.mark.parametrize("query", ["format=json", "format=html", "format=prometheus"])
def test_who_looks_sees_what_is_written_now(
    make: Make, text: Text, given: Callable[[Live], Ask], query: str
) -> None:
    """On a service without traffic an edit is taken up, or told of, when somebody looks."""
    live = make(window=1000.0)
    live.start()
    text.write("a: 2")
    answer = given(live)(query=query, headers=[bearer()])
    assert (200, 2) == (answer.status, live.snapshot.version)
    text.write("a: [")
    given(live)(query=query, headers=[bearer()])
    assert "syntax" == live.status().code


@pytest.mark.parametrize("given", [asgi, wsgi])
def test_a_look_does_not_cut_a_back_off_short(
    make: Make, text: Text, given: Callable[[Live], Ask]
) -> None:
    """Who looks again and again has no factory called more often than it is tried anyway."""
    calls: list[int] = []

    def factory(a: int) -> int:
        calls.append(a)
        if a == 2:
            raise OSError
        return a

    live = make()
    live.resource("a", name="pool")(factory)
    live.start()
    text.write("a: 2")
    live.check()
    before = len(calls)
    for _ in range(5):
        given(live)(headers=[bearer()])
    assert before == len(calls)


@pytest.mark.parametrize("given", [asgi, wsgi])
def test_a_disk_that_hangs_holds_no_page(
    make: Make, text: Text, given: Callable[[Live], Ask]
) -> None:
    """An engine in trouble can still be looked at, at most a moment later."""
    live = make(patience=60.0)
    live.start()
    text.gate.clear()
    begun = time.monotonic()
    try:
        assert 200 == given(live)(headers=[bearer()]).status
    finally:
        text.gate.set()
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("given", [asgi, wsgi])
def test_the_page_shows_the_probes_without_being_told_to(
    make: Make, given: Callable[[Live], Ask]
) -> None:
    """Whoever opens the page sees whether what serves works; a program asks for it by name."""
    live = make()
    live.resource("a", name="pool", probe=lambda built: True)(same)
    live.start()
    ask = given(live)
    assert b">passed<" in ask(query="format=html", headers=[bearer()]).body
    assert json.loads(ask(headers=[bearer()]).body)["resources"][0]["probe"] is None


@pytest.mark.parametrize("given", [asgi, wsgi])
def test_a_page_of_many_keys_is_filtered(
    make: Make, text: Text, given: Callable[[Live], Ask]
) -> None:
    """Of 2,000 keys those are shown whose path contains what is asked for; values do not count."""
    text.write("\n".join(f"part{n}: {{name: needle{n}, Deep: {n}}}" for n in range(2000)))
    live = make()
    live.start()
    ask = given(live)
    body = ask(query="format=html&key=RT1999", headers=[bearer()]).body.decode()
    assert (["part1999.name", "part1999.Deep"], False) == (
        re.findall(r'scope="row"><code>(part[^<]*)', body),
        "more values" in body,
    )
    assert b"part0" not in ask(query="format=html&key=needle", headers=[bearer()]).body
    told = json.loads(ask(query="key=part7.deep", headers=[bearer()]).body)
    assert ["part7.Deep"] == [one["path"] for one in told["config"]]
    hostile = ask(query="format=html&key=%22%3E%3Cscript%3E", headers=[bearer()]).body
    assert b"<script" not in hostile


def health(live: Live, door: Any, own: Any, ask: Callable[[Any], Ask], **given: str) -> Ask:
    """Ask an application whose probes need no token."""
    return ask(door(own, live, health_path="/-/health", **given))


@pytest.mark.parametrize(
    ("door", "own", "ask"), [(asgi_door, own_asgi, ask_asgi), (wsgi_door, own_wsgi, ask_wsgi)]
)
def test_an_orchestrator_needs_no_token(
    make: Make, text: Text, door: Any, own: Any, ask: Callable[[Any], Ask]
) -> None:
    """`live` and `ready` below the health path answer with a status code and not a word more."""
    live = make()
    text.write("a: [")
    asked = health(live, door, own, ask)
    assert [200, 503] == [asked(f"/-/health/{tail}").status for tail in ("live", "ready")]
    text.write("a: 1")
    live.start()
    for tail in ("live", "ready"):
        for method in ("GET", "HEAD"):
            answer = asked(f"/-/health/{tail}", "probe=1&format=html", method=method)
            assert (200, b"") == (answer.status, answer.body)
            assert "application" not in (answer.header("content-type") or "")
        assert asked(f"/-/health/{tail}", method="POST").own
    for path in ("/-/health", "/-/health/metrics", PATH, f"{PATH}/live"):
        assert asked(path).own
    both = health(live, door, own, ask, status_path=PATH, status_token=TOKEN)
    assert (200, 200) == (both("/-/health/ready").status, both(headers=[bearer()]).status)
    assert both(f"{PATH}/ready").own


def test_no_path_no_page() -> None:
    """Without a path there is no page; without a token neither, and a sentence says why."""
    assert (None, None) == settings_from(None, None, {})
    assert (None, None) == settings_from("", None, {})
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
    assert (None, None) == settings_from(None, TOKEN, {"RELOAD_CHECK_STATUS_PATH": ""})


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
    assert (None, None) == settings_from(PATH, TOKEN, {"RELOAD_CHECK_STATUS_PATH": ""})
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
    live = make()
    assert "reloadcheck" == door(own, live).__name__
    assert [] == caplog.messages
    assert "reloadcheck" == door(own, live, status_token=TOKEN).__name__
    (warning,) = caplog.messages
    assert "RELOAD_CHECK_STATUS_PATH" in warning
    caplog.clear()
    assert "reloadcheck" == door(own, live, status_path=PATH).__name__
    (warning,) = caplog.messages
    assert "RELOAD_CHECK_STATUS_TOKEN" in warning
    assert "status_page" == door(own, live, status_path=PATH, status_token=TOKEN).__name__
    monkeypatch.setenv("RELOAD_CHECK_STATUS_PATH", PATH)
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)
    watched = door(own, live)
    assert ("status_page", live, own) == (watched.__name__, watched.live, watched.app)

"""Who sees the status page, and that everybody else gets the application's own answer."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._page.access import Asked, Gate
from tests.page.asking import (
    PATH,
    TOKEN,
    Ask,
    Headers,
    bearer,
)
from tests.support.fixtures import Make
from tests.support.rig import Text

from .ways import Live, asgi, settings, wsgi


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
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert (method == "HEAD") is (answer.body == b"")
    assert int(answer.header("content-length") or 0) > 100


def test_every_answer_is_guarded(ask: Ask) -> None:
    """No answer is stored, sniffed, framed, or may load anything from anywhere."""
    for path, query in [(PATH, "format=html"), (PATH, ""), (f"{PATH}/ready", "")]:
        answer = ask(path, query, headers=[bearer()])
        assert answer.header("cache-control") == "no-store"
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("referrer-policy") == "no-referrer"
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
    assert welcome.header("location") == "./reloadcheck?format=html"


def test_a_browser_gets_a_cookie_for_the_token(ask: Ask) -> None:
    """The token leaves the address bar at once; the cookie is not the token, and opens the page."""
    welcome = ask(query=f"token={TOKEN}", headers=[("accept", b"text/html")])
    assert (welcome.status, welcome.body) == (303, b"")
    cookie, *flags = (welcome.header("set-cookie") or "").split("; ")
    assert flags == [f"Path={PATH}", "Max-Age=43200", "HttpOnly", "SameSite=Lax"]
    assert TOKEN not in cookie
    seen = ask(query="format=html", headers=[("cookie", f"a=b; {cookie}".encode())])
    assert seen.status == 200
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
    """Return the cookie that a token is answered with."""
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
    assert ask(root="/mounted", headers=[bearer()]).status == 200


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

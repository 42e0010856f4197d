"""A document over HTTP as a source, asked of a real server that behaves in every way.

Long because a server can answer in many ways, and each is a sentence of its own.
"""

import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import HTTPSource, Outcome
from reloadcheck.exceptions import OptionError
from reloadcheck.types import Source
from reloadcheck.wsgi import ReloadCheckMiddleware as wsgi_door
from tests.page.asking import PATH, TOKEN, ask_wsgi, bearer, own_wsgi
from tests.support.lateness import Stopwatch
from tests.support.web import Request, Respond, Web, answering, raw, validating, web

from .served import CANARY, LIMIT, live_on, refused, tree_of


def test_a_document_is_what_the_server_gives(server: Web) -> None:
    """Its format is told by the path, its places by its lines."""
    source = HTTPSource(server.url())
    assert isinstance(source, Source)
    assert tree_of(source) == {"a": 1}
    layer = source.layer(source.read(source.stamp(), LIMIT), {}, lambda: None)
    assert str(layer.origin(("a",))) == f"{server.url()}:1:4"


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/app.json", "text/plain", '{"a": 1}'),
        ("/app.toml?raw=1", "text/plain", "a = 1\n"),
        ("/config", "application/json; charset=utf-8", '{"a": 1}'),
        ("/config", "application/yaml", "a: 1\n"),
    ],
)
def test_the_format_is_told_by_suffix_or_type(server: Web, path: str, kind: str, body: str) -> None:
    """By the path before the answer; an application names it where neither tells."""
    server.respond = answering(body, Content_Type=kind)
    assert tree_of(HTTPSource(server.url(path))) == {"a": 1}
    server.respond = answering(body, Content_Type="text/plain")
    if path == "/config":
        assert "does not tell its format" in refused(HTTPSource(server.url(path)))
        assert tree_of(HTTPSource(server.url(path), format="yaml")) == {"a": 1}


SUPPORT = Path(__file__).parents[1] / "support"


def test_tls_is_verified(tmp_path: Path) -> None:
    """Against the authorities that are named, or the system's; what is wrong is told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SUPPORT / "loopback.crt", SUPPORT / "loopback.key")
    with web(context) as server:
        source = HTTPSource(server.url(), ca=SUPPORT / "loopback.crt")
        assert tree_of(source) == {"a": 1}
        assert server.requests[-1].headers["host"] == f"127.0.0.1:{server.port}"
        assert "its certificate is not trusted: " in refused(HTTPSource(server.url()))
        ca = tmp_path / "ca.crt"
        named = HTTPSource(server.url(), ca=ca)
        assert refused(named) == "a file for TLS cannot be read: No such file or directory"
        ca.write_text("nonsense")
        assert "hold no usable certificate" in refused(HTTPSource(server.url(), ca=ca))
    with web() as plain:
        url = plain.url().replace("http:", "https:")
        plain.respond = raw()
        assert refused(HTTPSource(url, timeout=0.5)) == "has not answered in full within 0.5 s"


def test_an_entity_tag_spares_the_document(server: Web) -> None:
    """The same stamp, the same bytes; a new tag brings a new one, equal bytes the old."""
    server.respond = validating("a: 1\n", '"one"')
    source = HTTPSource(server.url())
    before = source.stamp()
    assert "if-none-match" not in server.requests[-1].headers
    assert source.stamp() is before
    assert server.requests[-1].headers["if-none-match"] == '"one"'
    server.respond = validating("a: 1\n", '"two"')
    assert source.stamp() == before
    server.respond = validating("a: 2\n", '"three"')
    assert source.stamp() != before
    assert before.newest_ns is None


def test_a_date_spares_the_document_too(server: Web) -> None:
    """As servers of plain files have it."""
    server.respond = answering("a: 1\n", Last_Modified="Sat, 28 Nov 2026 10:00:00 GMT")
    source = HTTPSource(server.url())
    source.stamp()
    source.stamp()
    sent = server.requests[-1].headers
    assert sent["if-modified-since"] == "Sat, 28 Nov 2026 10:00:00 GMT"


def test_a_tag_that_lies_is_found_out(server: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """As stamps of files are: the whole document is asked for now and then."""
    server.respond = validating("a: 1\n", '"one"')
    source = HTTPSource(server.url())
    before = source.stamp()
    server.respond = validating("a: 2\n", '"one"')
    assert source.stamp() == before
    monkeypatch.setattr("reloadcheck.sources.http._WHOLE_AFTER", 0.0)
    assert source.stamp() != before


OK = b"HTTP/1.1 200 OK\r\n"
CHUNK = b"400\r\n" + b"a" * 1024 + b"\r\n"

REFUSED: dict[str, tuple[Respond, str]] = {
    "unchanged, of what nobody has": (
        answering("", "304 Not Modified"),
        "answers with status 304",
    ),
    "a part": (answering("a: 1\n", "206 Partial Content"), "answers with status 206"),
    "a picture": (
        answering("a: 1\n", Content_Type="image/png"),
        "answers with image/png, which is no configuration",
    ),
    "compressed on the way": (
        raw(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\na: 1\n\r\n0\r\n\r\n"),
        "does not tell how long its answer is",
    ),
    "of two lengths": (
        raw(OK + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\na: 1\n"),
        "does not tell how long its answer is",
    ),
    "longer than it says, counted in letters": (
        raw(OK + b"Content-Length: 6\r\n\r\na: \xc3\xbc10"),
        "sends more than it says: its Content-Length is wrong",
    ),
    "of a length that is none": (
        raw(OK + b"Content-Length: -5\r\n\r\na: 1\n"),
        "does not tell how long its answer is",
    ),
    "chunks that are none": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\na: 1\n\r\n0\r\n\r\n"),
        "the answer broke off",
    ),
    "a chunk beyond everything": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\na: 1\n"),
        "the answer broke off",
    ),
    "chunks without end": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n", *[CHUNK] * 9),
        "is larger than max_bytes (5000 bytes)",
    ),
    "endless trailers": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", *[b"X: y\r\n"] * 50, pause=0.1),
        "has not answered in full within 0.3 s",
    ),
    "wait, for ever": (
        raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 50, pause=0.1),
        "has not answered in full within 0.3 s",
    ),
    "half an address": (
        answering("", "302 Found", Location="http://[::1/app.yaml"),
        "redirects to what is no URL",
    ),
    "with a password": (
        answering("", "302 Found", Location=f"http://me:{CANARY}@127.0.0.2/{CANARY}?{CANARY}"),
        "redirects to http://127.0.0.2, which is not followed",
    ),
    "missing": (answering("", "404 Not Found"), "has no such document (404)"),
    "denied": (answering("", "401 Unauthorized"), "refuses the credentials (401)"),
    "broken": (answering(CANARY, "503 Service Unavailable"), "answers with status 503"),
    "no content": (answering("", "204 No Content"), "answers with status 204"),
    "empty": (answering(""), "is empty, which is taken for a mistake"),
    "a page": (
        answering("<html>", Content_Type="text/html; charset=utf-8"),
        "answers with a page (text/html): is it a login, or an error?",
    ),
    "compressed": (
        answering("x", Content_Encoding="gzip"),
        "answers with a compressed document, which was not asked for",
    ),
    "huge": (answering("a" * 5001), "is larger than max_bytes (5000 bytes)"),
    "huge, of no length": (
        answering("a" * 5001, length=False),
        "is larger than max_bytes (5000 bytes)",
    ),
    "huge by its word": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
        "is larger than max_bytes (5000 bytes)",
    ),
    "cut": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na: 1\n"), "the answer broke off"),
    "cut in chunks": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na: 1\n\r\n"),
        "the answer broke off",
    ),
    "nothing": (raw(), "closes the connection without an answer"),
    "another protocol": (raw(b"SSH-2.0-x\r\n"), "what answers does not speak HTTP"),
    "hanging": (raw(b"", pause=5.0), "has not answered in full within 0.3 s"),
    "dripping headers": (
        raw(b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 50, pause=0.1),
        "has not answered in full within 0.3 s",
    ),
    "dripping": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", *[b"a"] * 50, pause=0.1),
        "has not answered in full within 0.3 s",
    ),
    "elsewhere": (
        answering("", "302 Found", Location="http://127.0.0.2/app.yaml"),
        "redirects to http://127.0.0.2, which is not followed",
    ),
    "another port": (
        answering("", "302 Found", Location="http://127.0.0.1:1/app.yaml"),
        "redirects to http://127.0.0.1, which is not followed",
    ),
    "another scheme": (
        answering("", "308 Permanent Redirect", Location="https://127.0.0.1/app.yaml"),
        "redirects to https://127.0.0.1, which is not followed",
    ),
    "a file": (
        answering("", "302 Found", Location="file:///etc/passwd"),
        "redirects to file://nowhere, which is not followed",
    ),
    "in circles": (answering("", "307 x", Location="/again"), "redirects more than 5 times"),
}


@pytest.mark.parametrize(("respond", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_document_is_refused_with_its_cause(
    server: Web, respond: Respond, reason: str
) -> None:
    """Within the time-out for all of it, and without a word of what was answered."""
    timeout = 0.3 if "within 0.3 s" in reason else 10.0
    source = HTTPSource(server.url(), timeout=timeout, max_bytes=5000)
    server.respond = respond
    watch = Stopwatch()
    assert refused(source) == reason
    assert watch.seconds < 3.0


def test_a_server_that_is_gone_is_told(server: Web) -> None:
    """By what the system says."""
    url = server.url()
    server.close()
    assert refused(HTTPSource(url)) == "cannot be reached: connection refused"


def test_a_redirect_within_the_server_is_followed(server: Web) -> None:
    """To another path, with the same headers."""

    def respond(request: Request, connection: Any) -> None:
        moved = answering("", "302 Found", Location="/b.yaml")
        (moved if request.path == "/app.yaml" else answering("a: 2\n"))(request, connection)

    server.respond = respond
    assert tree_of(HTTPSource(server.url(), token="t")) == {"a": 2}
    assert [one.headers["authorization"] for one in server.requests] == ["Bearer t"] * 2


def test_an_answer_without_a_length_has_to_settle(server: Web) -> None:
    """Nothing tells that it is whole; of any other answer everything does."""
    server.respond = answering("a: 1\n", length=False)
    assert HTTPSource(server.url()).stamp().newest_ns is not None
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na: 1\n\r\n0\r\n\r\n"
    server.respond = raw(chunked)
    source = HTTPSource(server.url())
    assert source.stamp().newest_ns is None
    assert tree_of(source) == {"a": 1}


def test_credentials_are_asked_anew_and_shown_nowhere(server: Web, tmp_path: Path) -> None:
    """Text, a file that is rotated, a function; the user of the URL, and its query."""
    path = tmp_path / "token"
    path.write_text(f"{CANARY}-1\n")
    url = server.url(f"/app.yaml?key={CANARY}", user=f"me:{CANARY}@")
    source = HTTPSource(
        url, token=path, headers={"X-Text": CANARY, "X-Made": lambda: f"{CANARY}-made"}
    )
    source.stamp()
    path.write_text(f"{CANARY}-2\n")
    source.stamp()
    sent = [one.headers for one in server.requests]
    assert [one["authorization"] for one in sent] == [f"Bearer {CANARY}-1", f"Bearer {CANARY}-2"]
    assert (sent[0]["x-text"], sent[0]["x-made"]) == (CANARY, f"{CANARY}-made")
    assert server.requests[0].path == f"/app.yaml?key={CANARY}"
    documents = source.read(source.stamp(), LIMIT)
    assert CANARY not in repr((source, source.name, source.place(), documents))
    assert source.name == server.url("/app.yaml?…")
    HTTPSource(server.url(user="me:p%40ss@")).stamp()
    assert server.requests[-1].headers["authorization"] == "Basic bWU6cEBzcw=="


@pytest.mark.parametrize("status", ["401 Unauthorized", "503 x", "200 OK"])
def test_no_secret_leaves_a_running_engine(
    server: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    """Neither by status nor page nor log nor copy, whatever the server says of it."""
    caplog.set_level(0)
    url = server.url(f"/app.yaml?key={CANARY}", user=f"me:{CANARY}@")
    source = HTTPSource(
        url, token=CANARY, headers={"X-Key": CANARY}, last_good=tmp_path / "copy", timeout=10.0
    )
    live = live_on(source)
    live.start()
    server.respond = answering(f"a: [{CANARY}", status, ETag=CANARY)
    time.sleep(1.05)
    assert live.check() is not Outcome.RELOADED
    told = live.status()
    assert told.error is not None
    ask = ask_wsgi(wsgi_door(own_wsgi, live, status_path=PATH, status_token=TOKEN))
    queries = ("", "format=json", "format=prometheus")
    shown = [ask(PATH, query, headers=[bearer()]) for query in queries]
    assert [one.status for one in shown] == [200] * 3
    pages = [one.body.decode() for one in shown]
    live.close()
    kept = (tmp_path / "copy").read_text()
    everything = "\n".join([repr(told), str(told.error), caplog.text, kept, repr(live), *pages])
    assert f"127.0.0.1:{server.port}/app.yaml" in everything
    assert CANARY not in everything


def _raising() -> str:
    raise RuntimeError(CANARY)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (Path("/none/token"), "the file of its header X cannot be read: No such file or directory"),
        (_raising, "what gives its header X raised RuntimeError"),
        (f"{CANARY}\r\nEvil: 1", "its header X holds a line end or another control character"),
        (f"{CANARY}\u2603", "its header X holds a character that no header may hold"),
    ],
)
def test_credentials_that_cannot_be_sent_are_told(server: Web, secret: Any, reason: str) -> None:
    """By the header's name; nothing is sent."""
    source = HTTPSource(server.url(), headers={"X": secret})
    assert refused(source) == reason
    assert server.requests == []


@pytest.mark.parametrize(
    "url", ["", "app.yaml", "ftp://h/x", "http://", "http://h:x/", "http://h/a b", "http://h/\n"]
)
def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    """At construction, which asks nobody."""
    with pytest.raises(OptionError, match="HTTPSource needs a URL"):
        HTTPSource(url)


@pytest.mark.parametrize("options", [{"format": "ini"}, {"timeout": 0.0}, {"max_bytes": 0}])
def test_impossible_options_are_refused_at_once(options: dict[str, Any]) -> None:
    """As of any source."""
    with pytest.raises(OptionError):
        HTTPSource("http://h/app.yaml", **options)


def test_edits_go_live_and_trouble_changes_nothing(
    server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a file: good edits, bad ones, a server that is away and comes back."""
    monkeypatch.setattr("reloadcheck.sources.http._AGAIN_AFTER", 0.0)
    live = live_on(HTTPSource(server.url()))
    live.start()
    try:
        server.respond = answering("a: 2\n")
        assert live.check() in (Outcome.RELOADED, Outcome.UNCHANGED)
        assert live.snapshot.config == {"a": 2}
        server.respond = answering("a: [\n")
        assert live.check() is Outcome.REJECTED
        assert f"{server.url()}:" in str(live.status().error)
        server.respond = answering("", "503 x")
        assert live.check() is Outcome.DEFERRED
        assert live.status().error == f"{server.url()}: answers with status 503"
        assert live.snapshot.config == {"a": 2}
        server.respond = answering("a: 3\n")
        live.check()
        assert live.snapshot.config == {"a": 3}
        assert live.status().error is None
    finally:
        live.close()


def test_a_server_in_trouble_is_asked_once_a_second(server: Web) -> None:
    """However often is looked; the answer to each look is the same."""
    source = HTTPSource(server.url())
    server.respond = answering("", "500 x")
    assert {refused(source) for _ in range(20)} == {"answers with status 500"}
    assert len(server.requests) == 1


def test_a_reading_asks_once(server: Web) -> None:
    """What came with the stamp is what is read: nothing can tear it."""
    live = live_on(HTTPSource(server.url()), window=60.0)
    live.start()
    live.close()
    assert len(server.requests) <= 3

"""What a look at the page does to a running engine: it shows what is so, and changes nothing."""

import json
import re
import time
from collections.abc import Callable

import pytest

from tests.page.asking import (
    PATH,
    Ask,
    bearer,
)
from tests.support.fixtures import Make
from tests.support.rig import Text, same

from .ways import Live, asgi, wsgi


def test_looking_is_no_unit_of_work(make: Make, text: Text) -> None:
    """A page that is looked at holds no snapshot; probes of an orchestrator look at no file."""
    live = make(window=0.0)
    live.start()
    live.check()  # the engine looks once more by itself after a swap
    before = text.stamped
    for tail in ("live", "ready"):
        answer = wsgi(live)(f"{PATH}/{tail}", headers=[bearer()])
        assert (200, before) == (answer.status, text.stamped)
    assert wsgi(live)(headers=[bearer()]).status == 200
    assert live.status().leases == {1: 0}


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
    assert (answer.status, live.snapshot.version) == (200, 2)
    text.write("a: [")
    given(live)(query=query, headers=[bearer()])
    assert live.status().code == "syntax"


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
        assert given(live)(headers=[bearer()]).status == 200
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
    assert (
        re.findall(r'scope="row"><code>(part[^<]*)', body),
        "more values" in body,
    ) == (["part1999.name", "part1999.Deep"], False)
    assert b"part0" not in ask(query="format=html&key=needle", headers=[bearer()]).body
    told = json.loads(ask(query="key=part7.deep", headers=[bearer()]).body)
    assert [one["key_path"] for one in told["config"]] == ["part7.Deep"]
    hostile = ask(query="format=html&key=%22%3E%3Cscript%3E", headers=[bearer()]).body
    assert b"<script" not in hostile

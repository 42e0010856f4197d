"""What an orchestrator asks: `live` and `ready`, with a token or below the health path."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reloadcheck.asgi import ReloadCheckMiddleware as asgi_door
from reloadcheck.wsgi import ReloadCheckMiddleware as wsgi_door
from tests.page.asking import (
    PATH,
    TOKEN,
    Ask,
    ask_asgi,
    ask_wsgi,
    bearer,
    own_asgi,
    own_wsgi,
)
from tests.support.fixtures import Make
from tests.support.rig import Text, same

from .ways import Live, asgi, wsgi


def test_live_never_fails_for_a_bad_edit(make: Make, text: Text) -> None:
    """`/live` is 200 before any configuration and during a bad edit, `/ready` after a good one."""
    live = make()
    text.write("a: [")
    for given in (asgi, wsgi):
        asked = given(live)
        assert codes(asked) == (200, 503)
    text.write("a: 1")
    live.start()
    text.write("a: [")
    live.check()
    for given in (asgi, wsgi):
        asked = given(live)
        assert codes(asked) == (200, 200)
        answer = asked(f"{PATH}/ready", headers=[bearer()])
        assert b'"status": "warn"' in answer.body
        assert b'"code": "syntax"' in answer.body


def codes(asked: Ask) -> tuple[int, int]:
    """Return the status codes of `/live` and `/ready`."""
    live, ready = (asked(f"{PATH}/{name}", headers=[bearer()]) for name in ("live", "ready"))
    return live.status, ready.status


@pytest.mark.parametrize("given", [asgi, wsgi])
def test_ready_starts_what_waits_for_traffic(make: Make, given: Callable[[Live], Ask]) -> None:
    """Where traffic comes only to what is ready, asking for that begins the first load."""
    live = make()
    assert live.status().state == "idle"
    assert codes(given(live)) == (200, 200)


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
    assert codes(ask) == (200, 200)
    for query in ("probe=1", "probe=true"):
        answer = ask(f"{PATH}/ready", query, headers=[bearer()])
        assert (
            answer.status,
            json.loads(answer.body)["probes"]["pool"]["outcome"],
        ) == (503, "failed")
    assert ask(f"{PATH}/ready", "probe=0", headers=[bearer()]).status == 200
    before = len(asked)
    assert ask(f"{PATH}/live", "probe=1", headers=[bearer()]).status == 200
    assert before == len(asked) > 2
    page = ask(query="format=html&probe=1", headers=[bearer()])
    assert (page.status, b">failed<" in page.body) == (200, True)
    answers.append(True)
    assert ask(f"{PATH}/ready", "probe=1", headers=[bearer()]).status == 200


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
    assert [asked(f"/-/health/{tail}").status for tail in ("live", "ready")] == [200, 503]
    text.write("a: 1")
    live.start()
    for tail in ("live", "ready"):
        for method in ("GET", "HEAD"):
            answer = asked(f"/-/health/{tail}", "probe=1&format=html", method=method)
            assert (answer.status, answer.body) == (200, b"")
            assert "application" not in (answer.header("content-type") or "")
        assert asked(f"/-/health/{tail}", method="POST").own
    for path in ("/-/health", "/-/health/metrics", PATH, f"{PATH}/live"):
        assert asked(path).own
    both = health(live, door, own, ask, status_path=PATH, status_token=TOKEN)
    assert (both("/-/health/ready").status, both(headers=[bearer()]).status) == (200, 200)
    assert both(f"{PATH}/ready").own

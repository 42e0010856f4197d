"""`POST …/check` at the status page: a check by name, for who has the token, and nobody else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._page.access import COOKIE
from tests.support.fixtures import Make
from tests.support.rig import Text

from .asking import PATH, TOKEN, Ask, bearer
from .ways import asgi, wsgi

CHECK = f"{PATH}/check"


@pytest.fixture(params=[asgi, wsgi])
def door(request: pytest.FixtureRequest) -> Callable[[ReloadCheck[Any]], Ask]:
    """Either kind of door."""
    given: Callable[[ReloadCheck[Any]], Ask] = request.param
    return given


def test_an_edit_is_live_when_it_answers(
    make: Make, text: Text, door: Callable[[ReloadCheck[Any]], Ask]
) -> None:
    """What the check came to, of which worker; a bad edit is told with its place."""
    live = make(settle=0.0)
    live.start()
    ask = door(live)
    text.write("a: 2")
    answer = ask(CHECK, method="POST", headers=[bearer()])
    told = json.loads(answer.body)
    assert (answer.status, told["version"], told["code"]) == (200, 2, None)
    assert told["outcome"] in ("reloaded", "unchanged")  # the engine may have been faster
    assert live.snapshot.config.a == 2
    text.write("a: [")
    told = json.loads(ask(CHECK, f"token={TOKEN}", method="POST").body)
    assert (told["outcome"], told["version"], told["code"]) == ("rejected", 2, "syntax")
    assert "1:" in told["error"]


def test_everything_else_is_the_applications(
    make: Make, door: Callable[[ReloadCheck[Any]], Ask]
) -> None:
    """Another method, no token, a wrong one, and a cookie, which any page could have sent."""
    live = make(settle=0.0)
    live.start()
    ask = door(live)
    before = live.status().checks
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert ask(CHECK, method=method, headers=[bearer()]).own, method
    assert ask(CHECK, method="POST").own
    assert ask(CHECK, method="POST", headers=[bearer("wrong-token-1")]).own
    assert ask(CHECK, f"token={TOKEN}&token={TOKEN}", method="POST").own
    for path in (PATH, f"{PATH}/live", f"{PATH}/check/", f"{PATH}/checks"):
        assert ask(path, method="POST", headers=[bearer()]).own, path
    welcome = ask(query=f"token={TOKEN}&format=html").header("set-cookie")
    assert welcome is not None
    cookie = welcome.split(";")[0].encode()
    assert cookie.startswith(COOKIE.encode())
    assert ask(CHECK, method="POST", headers=[("cookie", cookie)]).own
    assert before == live.status().checks


def test_with_no_good_configuration_it_says_so(
    make: Make, door: Callable[[ReloadCheck[Any]], Ask]
) -> None:
    """503 and the reason, as `ready` does."""
    live = make(Text("a: ["), settle=0.0, patience=0.5)
    answer = door(live)(CHECK, method="POST", headers=[bearer()])
    assert (answer.status, json.loads(answer.body)["code"]) == (503, "syntax")

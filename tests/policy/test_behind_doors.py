"""A rule that explodes costs no request: asked behind both doors while an edit is judged."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, asgi, wsgi
from tests.support.fixtures import Make
from tests.support.lateness import Stopwatch
from tests.support.rig import Call, begin

EXPLODES = "self.l.map(a, self.l.map(b, self.l.map(c, a))).size() >= 0"
CONTRACT = f"reloadcheck: 1\nrules:\n  - {{key: n, rule: '{EXPLODES}', says: it explodes}}\n"
LONGEST = 0.5
"""Seconds, less those of a busy machine; a rule in this process would hold everything for 1.5."""


def _through_wsgi(live: ReloadCheck[Any], going: Callable[[], bool]) -> float:
    def page(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [])
        return [str(environ["reloadcheck.config"].n).encode()]

    app, worst = wsgi.ReloadCheckMiddleware(page, live), 0.0
    while going():
        watch = Stopwatch()
        assert list(app({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)) == [b"1"]
        worst = max(worst, watch.seconds)
        time.sleep(0.002)
    return worst


def _through_asgi(live: ReloadCheck[Any], going: Callable[[], bool]) -> float:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(scope["state"]["config"].n).encode()})

    app = asgi.ReloadCheckMiddleware(page, live)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def asked() -> float:
        worst, watch = 0.0, Stopwatch()
        while going():
            sent: list[Any] = []

            async def send(message: Any, sent: list[Any] = sent) -> None:
                sent.append(message)

            scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
            await app(scope, receive, send)
            assert sent[-1]["body"] == b"1"
            await asyncio.sleep(0.002)  # the loop's own lag counts, too
            worst, watch = max(worst, watch.seconds), Stopwatch()
        return worst

    return asyncio.run(asked())


@pytest.mark.parametrize("through", [_through_wsgi, _through_asgi], ids=["wsgi", "asgi"])
def test_a_rule_that_explodes_holds_up_no_request(
    through: Callable[[ReloadCheck[Any], Callable[[], bool]], float], make: Make, tmp_path: Path
) -> None:
    """The edit is refused as one that could not be judged; meanwhile requests go on as before."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    many = f"l: {list(range(1_900))}\n"
    file.write_text("n: 1\nl: []\n")
    contract.write_text(CONTRACT)
    live = make(file, contract=contract, settle=0.0, verify=0.0, window=1.0)
    begin(live)
    file.write_text(f"n: 2\n{many}")
    check = Call(live.check)
    held = through(live, lambda: check.waits)
    assert Outcome.REJECTED is check.result()
    assert live.status().code == "rule-error"
    assert held < LONGEST

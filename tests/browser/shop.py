"""A shop with a status page that has everything on it: edits, a rejected one, secrets, odd keys."""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from reloadcheck import DirectorySource, Outcome, ReloadCheck
from reloadcheck._state.board import Member
from reloadcheck.testing import MemoryStore
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.config import replace

CANARY = "canary-5be1f0"
PATH, TOKEN = "/-/reloadcheck", "browser-token"
GOOD = f"""\
name: "Grüße & <b>shop</b>"
database:
  url: postgresql://shop:{CANARY}@db.internal.example/shop
  pool_size: 20
  statement_timeout: 2.5
upstream:
  base_url: https://api.internal.example/v2/a/rather/long/path/that/does/not/break/anywhere/by/itself
  api_key: {CANARY}
  retries: [1, 2, 5]
features: {{new_checkout: true, dark_mode: null, rollout_percentages_by_region_and_tenant: 1}}
"</script><script>alert(1)</script>": "\\u202Ereversed\\u001B[31m"
copy: {CANARY}
"""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def shop(directory: Path) -> Generator[str]:
    """Serve it until the block ends; gives the address of the page, without the token."""
    generation = directory / "volume" / "..2026_11_20_10_00_00.123456789"
    generation.mkdir(parents=True)
    (directory / "volume" / "..data").symlink_to(generation.name)
    (directory / "volume" / "app.yaml").symlink_to("..data/app.yaml")
    (directory / "secrets").mkdir()
    (directory / "secrets" / "pin").write_text(f"{CANARY}-pin")
    file = generation / "app.yaml"
    file.write_text(GOOD)
    store = MemoryStore()
    live = ReloadCheck(
        directory / "volume" / "app.yaml",
        DirectorySource(directory / "secrets"),
        settle=0.0,
        environ={},
        store=store,
        app="shop",
    )
    live.resource("database", name="database")(built)
    live.resource("upstream", name="upstream client")(built)
    live.start()
    for size in (21, 22, 23):
        replace(file, GOOD.replace("pool_size: 20", f"pool_size: {size}"))
        live.check()
    assert live.snapshot.version == 4
    replace(file, GOOD.replace("retries: [1, 2, 5]", "retries: [1, 2, 5"))
    live.check()
    assert Outcome.REJECTED is live.status().outcome
    _add_workers(store)
    app = ReloadCheckMiddleware(_front, live, status_path=PATH, status_token=TOKEN)
    with live.lease(), make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PATH}"
        finally:
            server.shutdown()
            thread.join()
    live.close()


def _add_workers(store: MemoryStore) -> None:
    """Put workers of other hosts beside this one: two in step, one behind, one lost."""
    board = None
    while board is None or "shop/default/entry/4" not in board.records:
        time.sleep(0.05)
        board = store.look("")
    state = json.loads(board.records["shop/default/state"].value)
    now = time.time()
    good = Member("web-2", 311, "gunicorn-1", edition=4, content=state["active"], since=now - 7200)
    members = {
        "member/a": with_fields(good, outcome="reloaded"),
        "member/b": with_fields(good, pid=312, worker="gunicorn-2", outcome="unchanged"),
        "member/c": with_fields(
            good,
            host="web-3.internal.a-long-name-of-a-data-center.example",
            pid=71,
            edition=3,
            content="0" * 64,
            since=now - 900,
            outcome="rejected",
            code="factory",
            error="database: the factory raised ConnectionRefusedError",
        ),
        "seen/d": with_fields(good, host="web-4", pid=9),
    }
    store.put({f"shop/default/{key}": one.to_text() for key, one in members.items()})
    hold = {"kind": "pin", "content": state["active"], "edition": 4, "by": "dora@web-1"}
    pinned = {**state, "hold": {**hold, "at": now - 600, "why": "until the sale is over"}}
    store.put({"shop/default/state": json.dumps(pinned)})
    time.sleep(1.5)  # until this worker has looked


def built(part: object) -> object:
    """Build a resource: the part itself."""
    return part


def _front(_: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"nothing here\n"]

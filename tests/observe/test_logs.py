"""What the log tells: the version on every record of a request, the facts of every reload."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from reloadcheck import wsgi
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.logs import ConfigVersionFilter
from tests.support.fixtures import Make
from tests.support.rig import Text, same

ROOT = Path(__file__).parents[2]


class Kept(logging.Handler):
    """A handler that keeps what it is given, after its filters."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)

    def of(self, name: str) -> list[logging.LogRecord]:
        """Return the records of a logger."""
        return [record for record in self.records if record.name == name]


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Keep every record, as a handler with the filter sees it."""
    handler = Kept()
    handler.addFilter(ConfigVersionFilter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def versions(kept: Kept, name: str) -> list[tuple[object, object]]:
    """Return version and digest of each record of a logger."""
    return [(r.__dict__["config_version"], r.__dict__["config_digest"]) for r in kept.of(name)]


def test_every_record_of_a_request_has_the_version(make: Make, text: Text, kept: Kept) -> None:
    """In an ASGI request, whoever logs, each record has the request's version, after a swap too."""
    live = make(settle=0.0)

    async def home(request: Request) -> PlainTextResponse:
        logging.getLogger("shop").info("begun")
        text.write("a: 2")
        await live.acheck()
        logging.getLogger("library").warning("ended")
        return PlainTextResponse("ok")

    app = ReloadCheckMiddleware(Starlette(routes=[Route("/", home)]), live)
    logging.getLogger("shop").info("before")
    with TestClient(app) as client:
        digest = live.snapshot.digest
        assert client.get("/").status_code == 200
        assert live.snapshot.version == 2
    assert [("-", "-"), (1, digest)] == versions(kept, "shop")
    assert [(1, digest)] == versions(kept, "library")


def test_every_record_of_a_wsgi_request_has_the_version(make: Make, kept: Kept) -> None:
    """The same through the WSGI door, in the body's generator too."""
    live = make()

    def app(environ: object, start_response: object) -> Iterator[bytes]:
        logging.getLogger("shop").info("in the body")
        yield b"ok"

    body = wsgi.ReloadCheckMiddleware(app, live)({"PATH_INFO": "/"}, print)
    assert list(body) == [b"ok"]
    body.close()  # type: ignore[attr-defined]
    logging.getLogger("shop").info("after")
    assert [(1, live.snapshot.digest), ("-", "-")] == versions(kept, "shop")


def test_a_reloads_record_has_its_facts(make: Make, text: Text, kept: Kept) -> None:
    """Version, digest, changed key paths, phases' durations and trigger are on the record."""
    live = make(settle=0.0)
    live.resource("a", name="pool")(same)
    live.start()
    live.check()  # the engine looks once more by itself after a swap
    text.write("a: 2\nb: 1\nc: {d: 1}\n")
    live.check()
    live.check()
    text.write("a: [")
    live.check()
    first, second, third = (record.__dict__ for record in kept.of("reloadcheck"))
    assert facts(first) == ("reloaded", 1, None, "call")
    assert facts(second) == ("reloaded", 2, None, "call")
    assert live.snapshot.digest == second["config_digest"]
    assert second["config_changed"] == ("a", "c")
    assert second["config_built"] == ("pool",)
    assert set(second["config_seconds"]) == {"read", "parse", "build"}
    assert all(0 <= seconds < 10 for seconds in second["config_seconds"].values())
    assert facts(third) == ("rejected", 2, "syntax", "call")
    assert live.snapshot.digest == third["config_digest"]
    assert set(third["config_seconds"]) == {"read", "parse"}


def facts(record: dict[str, object]) -> tuple[object, ...]:
    """Return outcome, version, code and trigger of a record."""
    return tuple(record[f"config_{name}"] for name in ("outcome", "version", "code", "trigger"))


def test_a_request_is_named_as_the_trigger(make: Make, text: Text, kept: Kept) -> None:
    """A reload that a lease had looked for says so, also when the file had to settle first."""
    live = make(window=0.0, settle=0.0)
    with live.lease():
        pass
    live.check()
    text.write("a: 2")
    with live.lease() as snapshot:
        assert snapshot.version == 2
    assert [r.__dict__["config_trigger"] for r in kept.of("reloadcheck")] == ["lease", "lease"]


def test_the_structlog_example_runs() -> None:
    """The example's lines are JSON; those of a unit of work have its version."""
    script = ROOT / "examples" / "structlog_orders.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    by_event = {line["event"]: line for line in lines}
    assert "config_version" not in by_event["starting"]
    placed = by_event["order placed"]
    assert (placed["config_version"], placed["order"]) == (1, 7)
    (own,) = [line for line in lines if line.get("config_outcome") == "reloaded"]
    assert placed["config_digest"] == own["config_digest"]
    assert own["config_trigger"] == "lease"

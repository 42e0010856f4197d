"""The README is true: its blocks run as they stand, and its commands are the ones that CI runs."""

import asyncio
import http.client
import re
import socket
import subprocess
import sys
import textwrap
import time
import types
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import FactoryError, Outcome, ReloadCheck
from reloadcheck.testing import AsyncRecordingFactory, MemorySource, apush
from tests.rig.servers import ROOT, environment, gunicorn, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


def block(start: str) -> str:
    """Give the one block that contains a line."""
    (found,) = [text for text in BLOCKS if start in text]
    return str(found)


def get(port: int) -> tuple[int, str]:
    """Ask a server for its front page, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_first_example_follows_its_file(tmp_path: Path) -> None:
    """The first screen, typed as it stands, serves the greeting and then the edited one."""
    (tmp_path / "app.py").write_text(block("# app.py"))
    config = tmp_path / "config.yaml"
    config.write_text("greeting: hello\n")
    command = [sys.executable, "-m", "uvicorn", "app:app", "--workers", "2", "--port", "0"]
    with serving(
        [*command, "--app-dir", str(tmp_path)], environment(config, tmp_path / "journal"), tmp_path
    ) as server:
        assert (200, "hello\n") == get(server.port)
        config.write_text("greeting: good evening\n")
        deadline = time.monotonic() + 20
        seen: list[str] = []
        while seen[-10:] != ["good evening\n"] * 10:
            status, text = get(server.port)
            assert status == 200
            seen.append(text)
            assert time.monotonic() < deadline, seen[-10:]
            time.sleep(0.02)


def run_block(start: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a block as a module of its own in a directory with a configuration; give its names."""
    (directory / "config.yaml").write_text(
        textwrap.dedent(
            """\
            greeting: hello
            database: {url: "postgresql://localhost/none"}
            upstream: {url: "http://localhost"}
            """
        )
    )
    monkeypatch.chdir(directory)
    module = types.ModuleType("readme_block")
    monkeypatch.setitem(sys.modules, "readme_block", module)
    exec(compile(block(start), "README.md", "exec"), module.__dict__)
    return module.__dict__


def test_resources_block_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block on pools and clients registers both resources against its schema."""
    names = run_block('@live.resource("database")', tmp_path, monkeypatch)
    assert ("db", "api") == (names["db"].name, names["api"].name)


def test_resources_block_says_at_once_that_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that refuses is named with its reason, long before the factory's time-out."""
    names = run_block('@live.resource("database")', tmp_path, monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    text = (tmp_path / "config.yaml").read_text().replace("localhost/none", f"127.0.0.1:{port}/no")
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(FactoryError, match="OperationalError"):
        asyncio.run(names["live"].astart())


@pytest.mark.parametrize(
    ("start", "body"),
    [("app = Starlette(routes", "hello"), ("app = FastAPI()", '"hello"')],
    ids=["starlette", "fastapi"],
)
def test_asgi_block_serves(
    start: str, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block, pasted into an empty file, answers with the configuration; importing is idle."""
    names = run_block(start, tmp_path, monkeypatch)
    assert "idle" == names["live"].status().phase
    config = repr(str(tmp_path / "config.yaml"))
    (tmp_path / "served.py").write_text(block(start).replace('"config.yaml"', config))
    command = [sys.executable, "-m", "uvicorn", "served:app", "--port", "0"]
    with serving([*command, "--app-dir", str(tmp_path)], {}, tmp_path) as server:
        assert (200, body) == get(server.port)


def test_flask_block_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Flask block answers with the configuration."""
    names = run_block("app = Flask(__name__)", tmp_path, monkeypatch)
    with names["app"].test_client() as client, client.get("/") as response:
        assert "hello" == response.text
    names["live"].close()


def test_django_block_serves(tmp_path: Path) -> None:
    """The Django block, a file of its own, answers with the configuration."""
    (tmp_path / "config.yaml").write_text("greeting: hello\n")
    (tmp_path / "served.py").write_text(block("settings.configure"))
    command = gunicorn("served:application", "--chdir", str(tmp_path))
    with serving(command, {}, tmp_path) as server:
        assert (200, "hello") == get(server.port)


def test_job_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The decorated job reads one version for its whole call."""
    names = run_block("def job()", tmp_path, monkeypatch)
    names["job"]()
    names["job"].live.close()
    assert "hello\n" == capsys.readouterr().out


def test_testing_block_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that users start from passes as it stands."""
    names = run_block("# test_app.py", tmp_path, monkeypatch)
    names["test_an_edit_reaches_requests_and_a_bad_one_does_not"]()


def test_health_block_tells_bad_edits_from_a_database_that_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readiness check is ready with a refused edit, and not with a probe that fails."""
    readiness = run_block("async def readiness", tmp_path, monkeypatch)["readiness"]

    async def main() -> None:
        source, pools = MemorySource("a: ["), AsyncRecordingFactory("pool")
        live: ReloadCheck[Any] = ReloadCheck(source)
        live.resource("a", probe=pools.probe)(pools)
        assert await live.acheck() is Outcome.REJECTED
        assert "no configuration: memory.yaml:1:" in (await readiness(live))[1]
        assert await apush(live, source, "a: 1") is Outcome.RELOADED
        assert await apush(live, source, "a: [") is Outcome.REJECTED
        assert (200, "version 1") == await readiness(live)
        pools.sick = ConnectionError("down")
        assert (503, "not answering: pool") == await readiness(live)
        await live.aclose()

    asyncio.run(main())


def test_celery_block_runs(tmp_path: Path) -> None:
    """A task of the Celery block, run in place, says the greeting."""
    (tmp_path / "config.yaml").write_text("greeting: hello\n")
    (tmp_path / "tasks.py").write_text(block("CeleryReloadCheck(live, app)"))
    run = "import tasks; print(tasks.greet.apply().get()); tasks.live.close()"
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


def test_status_block_has_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block on the status page serves it to who has the token, and to nobody else."""
    from starlette.testclient import TestClient

    monkeypatch.setenv("STATUS_TOKEN", "t0ken-of-this-test")
    names = run_block("status_path=", tmp_path, monkeypatch)
    with TestClient(names["app"]) as client:
        told = client.get("/-/reloadcheck", headers={"Authorization": "Bearer t0ken-of-this-test"})
        assert (200, 1) == (told.status_code, told.json()["version"])
        assert 404 == client.get("/-/reloadcheck").status_code


def test_every_block_is_run() -> None:
    """No block of the README goes untested."""
    starts = ["# app.py", '@live.resource("database")', "Flask(__name__)"]
    starts += ["app = Starlette(routes", "app = FastAPI()"]
    starts += ["settings.configure", "def job()", "CeleryReloadCheck(live, app)"]
    starts += ["# test_app.py", "async def readiness", "status_path="]
    assert sorted(map(block, starts)) == sorted(BLOCKS)


def test_options_table_is_complete() -> None:
    """The table of options has the engine's defaults and its environment variables."""
    from reloadcheck._engine.options import Options

    default = Options()
    for name in ("window", "settle", "verify", "patience", "drain"):
        row = f"| `{name}` | {getattr(default, name):g} s | `RELOAD_CHECK_{name.upper()}` |"
        assert row in README
    assert f"| `max_bytes` | {default.max_bytes // 2**20} MiB | |" in README
    assert default.secrets == frozenset()
    assert "| `secrets` | none | |" in README
    assert "| `enabled` | on | `RELOAD_CHECK_ENABLED` |" in README


def test_changelog_and_metadata_agree() -> None:
    """The version is the same in the package, the project file and the newest changelog entry."""
    import tomllib

    import reloadcheck

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\] - \d{4}-\d\d-\d\d$", changelog, re.M)
    assert newest is not None
    assert {project["version"]} == {reloadcheck.__version__, newest.group(1)}

"""README and docs are true: their blocks do what is said of them, their tables are complete.

Long because each block and each table of the pages is held to the code in its own way.
"""

import asyncio
import http.client
import logging
import re
import socket
import subprocess
import sys
import textwrap
import time
import types
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import FactoryError, Outcome, ReloadCheck
from reloadcheck.testing import AsyncRecordingFactory, MemorySource, apush
from tests.support.pages import BLOCKS, PAGES, page
from tests.support.servers import ROOT, environment, gunicorn, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(start: str) -> str:
    """Return the one block of all pages that contains a text."""
    (found,) = [text for text in BLOCKS.values() if start in text]
    return found


def get(port: int) -> tuple[int, str]:
    """Ask a server for its front page, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
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
        assert get(server.port) == (200, "hello\n")
        config.write_text("greeting: good evening\n")
        deadline = time.monotonic() + 30
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
            database: {url: "postgresql://localhost/none", pool_size: 2}
            upstream: {url: "http://localhost"}
            """
        )
    )
    monkeypatch.chdir(directory)
    module = types.ModuleType("readme_block")
    monkeypatch.setitem(sys.modules, "readme_block", module)
    exec(compile(block(start), "README.md", "exec"), module.__dict__)
    return module.__dict__


def test_resources_block_says_at_once_that_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that refuses is named with its reason, long before the factory's time-out."""
    names = run_block("psycopg.connect(", tmp_path, monkeypatch)
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
    assert names["live"].status().state == "idle"
    config = repr(str(tmp_path / "config.yaml"))
    (tmp_path / "served.py").write_text(block(start).replace('"config.yaml"', config))
    command = [sys.executable, "-m", "uvicorn", "served:app", "--port", "0"]
    with serving([*command, "--app-dir", str(tmp_path)], {}, tmp_path) as server:
        assert (200, body) == get(server.port)


def test_flask_block_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Flask block answers with the configuration."""
    names = run_block("app = Flask(__name__)", tmp_path, monkeypatch)
    with names["app"].test_client() as client, client.get("/") as response:
        assert response.text == "hello"
    names["live"].close()


def test_django_block_serves(tmp_path: Path) -> None:
    """The Django block, a file of its own, answers with the configuration."""
    (tmp_path / "config.yaml").write_text("greeting: hello\n")
    (tmp_path / "served.py").write_text(block("settings.configure"))
    command = gunicorn("served:application", "--chdir", str(tmp_path))
    with serving(command, {}, tmp_path) as server:
        assert get(server.port) == (200, "hello")


def test_job_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The decorated job reads one version for its whole call."""
    names = run_block("def job()", tmp_path, monkeypatch)
    names["job"]()
    names["job"].live.close()
    assert capsys.readouterr().out == "hello\n"


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
        assert await readiness(live) == (200, "version 1")
        pools.probe_error = ConnectionError("down")
        assert await readiness(live) == (503, "not answering: pool")
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
        assert (told.status_code, told.json()["version"]) == (200, 1)
        assert client.get("/-/reloadcheck").status_code == 404


def test_the_start_page_tells_what_the_log_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its bad edit, made after its good one, is answered with the very line that it shows."""
    names = run_block("# start: app.py", tmp_path, monkeypatch)
    live, file = names["live"], tmp_path / "config.yaml"
    live.start()
    for text in ("greeting: welcome\n", "greeting: [\n"):
        file.write_text(text)
        live.check()
    live.close()
    (shown,) = re.findall(r"```text\n(.*?)\n```", page("docs/start.md"), re.S)
    assert [shown] == [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]


def test_the_start_page_installs_what_it_imports() -> None:
    """Each library that its blocks and commands need is in its first command."""
    text = page("docs/start.md")
    (installed,) = re.findall(r"pip install (.*)", text)
    modules = set(re.findall(r"^(?:from|import) (\w+)", text, re.M)) - {"settings"}
    needed = {one for one in modules if one not in sys.stdlib_module_names}
    needed |= set(re.findall(r"\.venv/bin/python -m (\w+)", text)) - {"venv"}
    assert needed - {"reloadcheck", "starlette"} <= set(installed.split())


def test_the_contract_is_one(tmp_path: Path) -> None:
    """The example of the page on the contract is read without a mistake."""
    from reloadcheck.policy.contract import Contract, read_contract

    (text,) = re.findall(r"```yaml\n# contract.yaml\n(.*?)```", page("docs/policy.md"), re.S)
    (tmp_path / "contract.yaml").write_text(text)
    terms, _ = read_contract(Contract(tmp_path / "contract.yaml"))
    assert [name for name in ("office",) if name in terms.windows] == ["office"]


def test_options_table_is_complete() -> None:
    """The table of options has the engine's defaults and its environment variables, and no more."""
    from reloadcheck._engine.options import Options

    default, text = Options(), page("docs/options.md")
    for name in ("window", "settle", "verify", "patience", "drain"):
        row = f"| `{name}` | {getattr(default, name):g} s | `RELOAD_CHECK_{name.upper()}` |"
        assert row in text
    assert f"| `max_bytes` | {default.max_bytes // 2**20} MiB | |" in text
    assert (default.secrets, default.public) == (frozenset(), frozenset())
    assert "| `secrets` | none | |" in text
    assert "| `public` | none | |" in text
    assert f"| `unknown` | {default.unknown} | |" in text
    assert "| `enabled` | on | `RELOAD_CHECK_ENABLED` |" in text
    listed = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert sorted(listed) == sorted(one.name for one in fields(default))


def test_every_variable_is_named() -> None:
    """The page of options names each environment variable that the package reads."""
    from reloadcheck._engine.options import VARIABLES

    text = page("docs/options.md")
    assert [name for name in VARIABLES if f"`{name}`" not in text] == []


def test_the_readme_is_a_front_page() -> None:
    """It is short, and what it leads to is there."""
    assert len(README.splitlines()) <= 160
    for name, text in PAGES.items():
        assert "<<<<<<<" not in text, name
        directory = (ROOT / name).parent
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (directory / link).exists(), (name, link)


def test_every_page_is_listed() -> None:
    """No page of the documentation is to be found by chance only."""
    listed = {"docs/index.md"}
    for index in ("docs/index.md", "docs/frameworks/index.md"):
        for tree in re.findall(r"```\{toctree\}(.*?)```", page(index), re.S):
            names = [line for line in tree.split() if not line.startswith(":") and "}" not in line]
            place = Path(index).parent
            listed |= {f"{place / name}.md" for name in names}
    assert [name for name in PAGES if name.startswith("docs/") and name not in listed] == []


def test_a_resource_is_rebuilt_without_an_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookbook's token is another object under the same version."""
    names = run_block("# cookbook: rebuilt", tmp_path, monkeypatch)
    live = names["live"]
    live.start()
    before, version = live.snapshot[names["token"]], live.snapshot.version
    assert names["renewed"]() is True
    assert live.snapshot[names["token"]] is not before
    assert live.snapshot.version == version
    live.close()


def test_the_levels_of_logging_follow_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookbook's levels are set by an edit, and a misspelt one is refused."""
    logger = logging.getLogger("shop.of.the.docs")
    names = run_block("# cookbook: levels", tmp_path, monkeypatch)
    live, file = names["live"], tmp_path / "config.yaml"
    file.write_text("logging: {levels: {shop.of.the.docs: DEBUG}}")
    live.start()
    assert logger.level == logging.DEBUG
    file.write_text("logging: {levels: {shop.of.the.docs: ERROR}}")
    assert live.check() is Outcome.RELOADED
    assert logger.level == logging.ERROR
    file.write_text("logging: {levels: {shop.of.the.docs: LOUD}}")
    assert live.check() is Outcome.REJECTED
    assert logger.level == logging.ERROR
    live.close()


def test_changelog_and_metadata_agree() -> None:
    """The version is the same in the package, the project file and the newest changelog entry."""
    import tomllib

    import reloadcheck

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\] - \d{4}-\d\d-\d\d$", changelog, re.M)
    assert newest is not None
    assert {project["version"]} == {reloadcheck.__version__, newest.group(1)}

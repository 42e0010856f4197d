"""The Django site, as its README says: checked by `manage.py`, served in both worlds, edited."""

import http.client
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.load import until
from tests.support.servers import ROOT, Server, gunicorn, serving, uvicorn
from tests.support.task_client import client_of
from tests.support.valkey import ValkeyServer

PATIENT = {"RELOAD_CHECK_PATIENCE": "60"}  # a busy machine builds for longer than five seconds
SOON = {"RELOAD_CHECK_WINDOW": "0.2", "RELOAD_CHECK_SETTLE": "0.1", **PATIENT}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the site, which may be edited."""
    copy = tmp_path / "site"
    shutil.copytree(ROOT / "examples" / "django_site", copy)
    return copy


def manage(site: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run one of its commands."""
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *words],
        cwd=site,
        env={"PYTHONPATH": str(ROOT), "PATH": "", **PATIENT},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_its_commands_say_whether_it_can_serve(site: Path) -> None:
    """All that depends on the file can be built, and a file that is not there is an error."""
    done = manage(site, "reloadcheck", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "django.databases.default, api" in done.stdout
    (site / "config.yaml").unlink()
    done = manage(site, "check", "--fail-level", "WARNING")
    assert done.returncode == 1
    assert "reloadcheck.E001" in done.stderr
    assert "1 issue" in done.stderr


def test_its_models_are_in_the_database_that_the_file_names(site: Path) -> None:
    """`migrate` needs no settings but the file's, and has nothing left to write afterwards."""
    done = manage(site, "migrate", "--verbosity", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert (site / "site.sqlite3").exists()
    done = manage(site, "makemigrations", "--check", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "No changes detected\n")


LOOKS = """
import json
from django.contrib.auth import get_user_model
from django.test import Client

users = get_user_model().objects
made = users.create_user("clerk"), users.create_superuser("chief")
for user in (None, *made):
    client = Client(SERVER_NAME="127.0.0.1")
    if user is not None:
        client.force_login(user)
    answers = [client.get("/admin/reloadcheck/?format=" + kind) for kind in ("json", "html")]
    answers.append(client.get("/admin/reloadcheck/?format=prometheus"))
    answers.append(client.post("/admin/reloadcheck/"))
    print(user, [(one.status_code, one.headers.get("Location")) for one in answers])
    if answers[0].status_code == 200:
        print(json.loads(answers[0].content)["standing"], answers[0]["Cache-Control"])
        print(b"<html" in answers[1].content, b"# HELP reloadcheck_" in answers[2].content)
"""


def test_staff_sees_the_status_and_nobody_else(site: Path) -> None:
    """Whoever is logged in as staff needs no token; others are sent to the log-in."""
    assert manage(site, "migrate", "--verbosity", "0").returncode == 0
    done = manage(site, "shell", "--verbosity", "0", "-c", LOOKS)
    away = [
        (302, f"/admin/login/?next=/admin/reloadcheck/%3Fformat%3D{kind}")
        for kind in ("json", "html", "prometheus")
    ]
    seen = [(200, None)] * 3
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"None {[*away, (405, None)]}",
        f"clerk {[*away, (405, None)]}",
        f"chief {[*seen, (405, None)]}",
        "ok no-store",
        "True True",
    ]


def ask(server: Server, path: str) -> str:
    """Ask the site for a page."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        return response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("world", ["wsgi", "asgi"])
def test_every_worker_follows_its_file(site: Path, world: str, tmp_path: Path) -> None:
    """Greeting, database and client are the edited ones, in both workers: models and sessions too.

    The other database is migrated once the file names it, by the site's own command.
    """
    at = ["--chdir", str(site)] if world == "wsgi" else ["--app-dir", str(site)]
    command = (gunicorn if world == "wsgi" else uvicorn)(f"mysite.{world}:application", *at)
    file = site / "config.yaml"
    file.write_text(file.read_text().replace("site.sqlite3", str(site / "one.sqlite3")))
    assert manage(site, "migrate", "--verbosity", "0").returncode == 0
    with serving(command, {**SOON, "SITE_CONFIG": str(file)}, tmp_path) as server:
        assert ask(server, "/") == "hello\n"
        assert [json.loads(ask(server, "/visits"))["visits"] for _ in range(2)] == [1, 2]
        text = file.read_text().replace("hello", "good evening").replace("9000", "9001")
        file.write_text(text.replace("one.sqlite3", "other.sqlite3"))
        assert manage(site, "migrate", "--verbosity", "0").returncode == 0
        seen: dict[int, tuple[str, str]] = {}

        def followed() -> bool:
            said = json.loads(ask(server, "/facts"))
            seen[said["worker"]] = said["database"], said["upstream"]
            wanted = str(site / "other.sqlite3"), "http://127.0.0.1:9001"
            return len(seen) == 2 and set(seen.values()) == {wanted}

        until(followed)
        assert ask(server, "/") == "good evening\n"
        assert [json.loads(ask(server, "/visits"))["visits"] for _ in range(2)] == [1, 2]


def test_its_tasks_follow_the_file(site: Path, tmp_path: Path, valkey: ValkeyServer) -> None:
    """Celery's worker sets the site up itself; tasks see the edited greeting and database."""
    file, url = site / "config.yaml", valkey.url(14)
    file.write_text(file.read_text().replace("site.sqlite3", str(site / "one.sqlite3")))
    assert manage(site, "migrate", "--verbosity", "0").returncode == 0
    where = {"CELERY_BROKER_URL": url, "SITE_CONFIG": str(file)}
    command = [sys.executable, "-m", "celery", "--workdir", str(site), "-A", "mysite", "worker"]
    few = ["--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    with (
        serving([*command, *few], {**SOON, **where}, tmp_path, listen=False) as worker,
        client_of(url) as client,
    ):
        worker.logs(" ready.")

        def said() -> dict[str, Any]:
            told: dict[str, Any] = client.send_task("mysite.tasks.count").get(timeout=30)
            return told

        assert said() == {"greeting": "hello", "visits": 0}
        text = file.read_text().replace("hello", "good evening")
        file.write_text(text.replace("one.sqlite3", "other.sqlite3"))
        assert manage(site, "migrate", "--verbosity", "0").returncode == 0
        until(lambda: said() == {"greeting": "good evening", "visits": 0})
        cast(Any, client.backend).client.connection_pool.disconnect()

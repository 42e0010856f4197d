"""The example of Vault Agent's files: a rotated password has the pool built anew."""

import os
import runpy
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from reloadcheck import Outcome
from tests.support.servers import ROOT

EXAMPLE = ROOT / "examples" / "vault"


def render(secrets: Path, text: str) -> None:
    """Render the password as the agent does: beside it, then renamed."""
    file = secrets / "database" / "password"
    file.parent.mkdir(exist_ok=True)
    beside = file.with_name("12345")
    beside.write_text(text)
    beside.replace(file)


def test_a_rotation_builds_the_pool_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration's file is untouched; a password that is revoked holds the last good."""
    monkeypatch.setattr("reloadcheck._load.references.YOUNG_NS", 0)
    monkeypatch.setitem(os.environ, "SECRETS", str(tmp_path))
    render(tmp_path, "one")
    names: dict[str, Any] = runpy.run_path(str(EXAMPLE / "app.py"))
    live, client = names["live"], Client(names["app"])
    live.start()
    try:
        assert client.get("/").text == "database/orders 1\n"
        assert live.check() is Outcome.UNCHANGED
        render(tmp_path, "two")
        assert live.check() is Outcome.RELOADED
        assert client.get("/").text == "database/orders 2\n"
        assert live.snapshot.config.database.url == "postgresql://orders:two@database/orders"
        (tmp_path / "database" / "password").unlink()
        assert live.check() is Outcome.DEFERRED
        assert client.get("/").text == "database/orders 2\n"
    finally:
        live.close()


def test_the_template_writes_where_the_configuration_looks() -> None:
    """The agent's destination is the file that `config.yaml` refers to."""
    agent = (EXAMPLE / "agent.hcl").read_text()
    assert 'destination = "/vault/secrets/database/password"' in agent
    assert "${file:database/password}" in (EXAMPLE / "config.yaml").read_text()

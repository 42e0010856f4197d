"""Each Python block of README and docs runs as it stands, and is idle when it is imported."""

import subprocess
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from reloadcheck import ReloadCheck
from tests.support.pages import BLOCKS, PAGES

CONFIGURATION = """\
greeting: hello
database: {url: "postgresql://localhost/none", pool_size: 2}
upstream: {url: "http://localhost", timeout: 1.0}
"""

SITE = """\
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="for this block only",
    RELOAD_CHECK={"sources": ["config.yaml"]},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "reloadcheck.integrations.django",
    ],
)
django.setup()
"""
"""What is around the addresses of a site, which are a module of it."""

FOREIGN = ("aiokafka", "boto3", "openai")
"""What a recipe is about and the tests do without: such a block is run against a stand-in."""


@pytest.mark.parametrize("where", BLOCKS)
def test_a_block_runs(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is pasted into a file of its own and imported; a test in it passes."""
    (tmp_path / "config.yaml").write_text(CONFIGURATION)
    text = BLOCKS[where]
    has_settings = "settings.configure" in text
    if has_settings or "urlpatterns" in text:  # of a site: once in a process, in none of ours
        (tmp_path / "block.py").write_text(text if has_settings else SITE + text)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", "import block"], cwd=tmp_path, check=False
        )
        assert done.returncode == 0
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATUS_TOKEN", "t0ken-of-this-test")
    for name in FOREIGN:
        monkeypatch.setitem(sys.modules, name, MagicMock())
    module = types.ModuleType("docs_block")
    module.__file__ = str(tmp_path / "block.py")
    monkeypatch.setitem(sys.modules, "docs_block", module)
    exec(compile(text, where, "exec"), module.__dict__)
    live = module.__dict__.get("live")
    if isinstance(live, ReloadCheck):
        assert live.status().version is None
    for name, value in list(module.__dict__.items()):
        if name.startswith("test_"):
            value()
    if isinstance(live, ReloadCheck):
        live.close()


def test_there_are_blocks_on_the_pages() -> None:
    """They are found: none of the pages that show code is without."""
    assert len(BLOCKS) > 25
    shown = {where.partition(":")[0] for where in BLOCKS}
    assert {name for name in PAGES if "/frameworks/" in name} <= shown

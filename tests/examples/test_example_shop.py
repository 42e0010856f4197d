"""The example of a shop under a contract: what its page says is so, as somebody would try it."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from reloadcheck import Outcome, ReloadCheck, cli
from tests.policy.shop import SHOP
from tests.support.load import until
from tests.support.servers import ROOT

EXAMPLE = ROOT / "examples" / "shop"


class Shop:
    """A copy of the example, its people and its application."""

    def __init__(self, place: Path) -> None:
        self.file = place / "config.yaml"
        names = runpy.run_path(str(place / "app.py"))
        self.live: ReloadCheck[Any] = names["live"]
        self.client = Client(names["app"])

    def edit(self, old: str, new: str) -> Outcome:
        """Edit the configuration, and have it checked."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))
        return self.live.check()

    def served(self) -> Any:
        """Return what its page says."""
        return json.loads(self.client.get("/products").text)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The shop, serving."""
    place = tmp_path / "shop"
    shutil.copytree(EXAMPLE, place)
    subprocess.run(["./people.sh"], cwd=place, check=True)
    monkeypatch.chdir(place)
    monkeypatch.setitem(os.environ, "PAYMENT_KEY", "quartz-molten")
    monkeypatch.setitem(os.environ, "RELOAD_CHECK_SETTLE", "0")
    monkeypatch.setattr(sys, "path", [*sys.path])
    shop = Shop(place)
    shop.live.start()
    yield shop
    shop.live.close()
    sys.modules.pop("app", None)


def test_the_contract_is_the_whole_format() -> None:
    """Word for word what is tried on real servers."""
    assert (EXAMPLE / "contract.yaml").read_text().partition("\n")[2] == SHOP


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("level: INFO", "level: DEBUG", "no DEBUG in production"),
        ("pool_max: 20", "pool_max: 50", "a pool may at most double"),
        ("timeout: 3.0", "timeout: 31", "is outside 0.1..30 of the contract"),
    ],
)
def test_what_is_rejected(shop: Shop, old: str, new: str, said: str) -> None:
    """With the sentence on the page, whatever the time."""
    assert shop.edit(old, new) is Outcome.REJECTED
    assert said in str(shop.live.status().error)
    assert shop.served() == {"pool": 20, "flags": {}}


def test_leave_is_given_and_the_glass_is_broken(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the commands on the page: two people sign, who is on call does not wait for the night."""
    Path("new.yaml").write_text(shop.file.read_text().replace("pool_max: 20", "pool_max: 30"))
    app = ("--app", "app:live")
    assert cli.main(["validate", *app]) == 0
    assert cli.main(["diff", "config.yaml", "new.yaml", *app]) == 4
    for one in ("dora", "arno"):
        why = ("--why", "more traffic", "--key", f"keys/{one}")
        assert cli.main(["approve", "new.yaml", *app, "--from", "config.yaml", *why]) == 0
    told = capsys.readouterr().out
    assert "config.yaml.approval is signed by arno@example.test, dora@example.test" in " ".join(
        told.replace(f"{Path.cwd()}/", "").split()
    )
    shutil.copy("new.yaml", "config.yaml")
    assert shop.live.check() in (Outcome.WAITING, Outcome.TRYING)  # as the time of day is
    why = ("--why", "the shop is down", "--key", "keys/otto")
    assert cli.main(["override", "config.yaml", *app, *why]) == 0
    until(lambda: shop.live.check() is not Outcome.WAITING)
    if shop.live.status().trial is not None:
        shop.live.promote()
    until(lambda: shop.served()["pool"] == 30)
    assert "quartz-molten" not in told

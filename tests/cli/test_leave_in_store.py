"""`approve --store` and `override --store`; `history --reviewed` for what they broke."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck.cli._inputs import loaded_object
from tests.cli.conftest import Run
from tests.cli.shop import ARNO, CONTRACT, DORA, OTTO, edit, key, signers
from tests.cli.shop import shop as shop_without_store
from tests.policy.signing import Signers
from tests.support.load import until

__all__ = ["shop_without_store", "signers"]

APP = """\
from reloadcheck import ReloadCheck

live = ReloadCheck(
    "config.yaml", contract="contract.yaml", environment="production", settle=0, verify=0,
    store="store.db", app="shop", window=0.1,
)
"""
WHY = ("--app", "service:live", "--why", "more traffic")


@pytest.fixture
def shop(shop_without_store: Path) -> Path:
    """The shop with a store, and what serves as `before/config.yaml`."""
    (shop_without_store / "service.py").write_text(APP)
    (shop_without_store / "before").mkdir()
    text = (shop_without_store / "config.yaml").read_text()
    (shop_without_store / "before" / "config.yaml").write_text(text)
    assert CONTRACT
    return shop_without_store


@pytest.fixture
def live(shop: Path) -> Iterator[ReloadCheck[Any]]:
    """The shop's engine, serving."""
    engine: Any = loaded_object("--app", "service:live")
    engine.start()
    yield engine
    engine.close()


def test_two_people_sign_in_the_store(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers
) -> None:
    """The second signs what the first wrote there; no file lies beside the configuration."""
    edit(shop)
    until(lambda: live.check() is Outcome.WAITING)
    words = ("approve", "config.yaml", *WHY, "--from", "before/config.yaml")
    first = run(*words, "--key", key(signers, DORA), "--store")
    assert (first.status, first.lines[-1]) == (0, "waits  for the leave of architect")
    assert live.check() is Outcome.WAITING
    second = run(*words, "--key", key(signers, ARNO), "--store", "store.db", "--name", "shop")
    assert second.status == 0
    assert "is signed by arno@example.test, dora@example.test" in " ".join(second.out.split())
    until(lambda: bool(live.check()) and live.snapshot.config.database.pool_max == 30)
    assert not list(shop.glob("config.yaml.*"))


def test_an_override_is_to_be_reviewed(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers
) -> None:
    """Its row says that nobody has looked; whoever did says so, once, and by name."""
    edit(shop, "INFO", "DEBUG")
    done = run("override", "config.yaml", *WHY, "--key", key(signers, OTTO), "--store")
    assert done.status == 0
    until(lambda: bool(live.check()) and live.snapshot.config.log.level == "DEBUG")
    of_store = ("--store", "store.db", "--name", "shop")

    def listed(which: str) -> list[Any]:
        document = run("history", "--reviewed", which, *of_store, "--json").document
        return [(one["edition"], one["reviewed"]) for one in document["entries"]]

    until(lambda: listed("no") == [(2, False)])
    assert listed("yes") == []
    assert "reviewed: no" in run("history", *of_store).out
    wrong = run("history", "--reviewed", "1", *of_store)
    assert wrong.status == 2
    assert "edition 1 is live by no override" in wrong.err
    told = run("history", "--reviewed", "2", "--why", "it was right", "--by", "dora", *of_store)
    assert (told.status, told.lines) == (0, ["OK: edition 2 is reviewed by dora"])
    assert (listed("no"), listed("yes")) == ([], [(2, True)])
    assert "it was right" in run("history", *of_store).out


def test_without_a_store_it_says_which(run: Run, shop: Path, signers: Signers) -> None:
    """An engine that has none wants one named."""
    (shop / "service.py").write_text(APP.replace('store="store.db", ', ""))
    edit(shop)
    done = run(
        *("approve", "config.yaml", *WHY, "--from", "before/config.yaml", "--store"),
        *("--key", key(signers, DORA)),
    )
    assert done.status == 2
    assert "the engine has no store=…: name one by --store STORE" in done.err


@pytest.mark.parametrize("words", [("--name", "shpo"), ("--release", "9.9")])
def test_leave_for_whom_nobody_knows_is_not_written(
    run: Run, shop: Path, live: ReloadCheck[Any], signers: Signers, words: tuple[str, str]
) -> None:
    """A misspelt name would be signed, told as done, and read by no worker."""
    edit(shop, "INFO", "DEBUG")
    given = ("override", "config.yaml", *WHY, "--key", key(signers, OTTO), "--store", *words)
    until(lambda: "it knows" in (err := run(*given).err) or "it has" in err)
    done = run(*given)
    assert (done.status, "usage:" in done.err) == (2, False)
    assert live.snapshot.config.log.level == "INFO"

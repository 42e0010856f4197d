"""`notify:` in a contract: the states that it lists are told at the address that a file holds."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ConfigError, ContractError, Outcome, ReloadCheck
from reloadcheck.integrations import webhook
from tests.support.load import until
from tests.support.receiver import CANARY, Receiver
from tests.support.rig import begin

CONTRACT = """\
reloadcheck: 1
rules:
  - {key: a, rule: "self.a < 100", says: too much}
notify: [{url_file: hook, on: [rejected, reloaded]}]
"""


class Shop:
    """One worker behind a contract that names a webhook by a file beside it."""

    def __init__(self, directory: Path, receiver: Receiver) -> None:
        self.file, self.hook = directory / "config.yaml", directory / "hook"
        self.contract, self.receiver = directory / "contract.yaml", receiver
        self.file.write_text("a: 1\n")
        self.hook.write_text(f"{receiver.url}\n")
        self.contract.write_text(CONTRACT)
        self.live: ReloadCheck[Any] = self.engine()

    def engine(self, **options: Any) -> ReloadCheck[Any]:
        """Return an engine that is not started."""
        self.live = ReloadCheck(
            self.file, contract=self.contract, settle=0, verify=0.0, app="shop", **options
        )
        return self.live

    def edit(self, a: object, outcome: Outcome) -> None:
        """Have an edit checked."""
        self.file.write_text(f"a: {a}\n")
        assert outcome is self.live.check()

    def told(self, count: int) -> list[tuple[str, str | None]]:
        """Wait until so much was told; return states and codes."""
        until(lambda: len(self.receiver.told) >= count)
        return [(told["state"], told["code"]) for told, _, _ in self.receiver.told]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop and its webhook; the host's claims are the test's own, and the pauses short."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(webhook, "PAUSES", (0.01, 0.02))
    receiver = Receiver()
    shop = Shop(tmp_path, receiver)
    yield shop
    shop.live.close()
    receiver.close()


def test_the_states_it_lists_are_told(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """And the address, which is a secret, stands nowhere."""
    caplog.set_level(logging.DEBUG)
    begin(shop.live)
    shop.edit(200, Outcome.REJECTED)
    shop.edit(2, Outcome.RELOADED)
    expected = [("reloaded", None), ("rejected", "rule"), ("reloaded", None)]
    assert expected == shop.told(3)
    seen = caplog.text + repr(shop.live.status()) + str(shop.receiver.told[1][0])
    assert CANARY not in seen


def test_other_states_are_not_told(shop: Shop) -> None:
    """Without `on:` it is about what went wrong, so that an edit that goes live is no news."""
    shop.contract.write_text(CONTRACT.replace(", on: [rejected, reloaded]", ""))
    begin(shop.live)
    shop.edit(2, Outcome.RELOADED)
    shop.edit(200, Outcome.REJECTED)
    assert shop.told(1) == [("rejected", "rule")]


def test_a_contract_that_is_off_tells_nobody(shop: Shop) -> None:
    """Nor is anything told twice where a start failed before."""
    shop.file.write_text("a: [\n")
    for _ in range(2):
        with pytest.raises(ConfigError):
            shop.live.start()
    shop.live.close()
    assert shop.told(1)[0] == ("rejected", "syntax")
    shop.receiver.told.clear()
    shop.engine(environ={"RELOAD_CHECK_CONTRACT": "off"})
    shop.file.write_text("a: 1\n")
    begin(shop.live)
    shop.edit(2, Outcome.RELOADED)
    shop.live.close()
    shop.engine()
    begin(shop.live)
    assert shop.told(1) == [("reloaded", None)]


def test_an_address_that_cannot_be_had_is_told(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """By its line in the contract; no edit is held up, and the file may come later."""
    shop.hook.unlink()
    begin(shop.live)
    until(lambda: f"{shop.contract}:4:" in caplog.text)
    shop.hook.write_text(f"not {CANARY}")
    shop.edit(2, Outcome.RELOADED)
    until(lambda: "holds no address" in caplog.text)
    assert CANARY not in caplog.text
    shop.hook.write_text(shop.receiver.url)
    shop.edit(200, Outcome.REJECTED)
    assert shop.told(1) == [("rejected", "rule")]


def test_an_address_that_is_not_needed_is_not_missed(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """What a contract does not list is told to nobody, so that nothing is said of the address."""
    shop.contract.write_text(CONTRACT.replace("[rejected, reloaded]", "[rejected]"))
    shop.hook.unlink()
    begin(shop.live)
    shop.edit(2, Outcome.RELOADED)
    shop.edit(200, Outcome.REJECTED)
    until(lambda: "the file of an address" in caplog.text)
    assert caplog.text.count("the webhook is told nothing") == 1


@pytest.mark.parametrize(
    ("notice", "fault"),
    [
        ("{url_file: hook, on: [rejeced]}", ":4:32: there is no state rejeced"),
        ("{url_file: hook, on: []}", ":4:31: `on:` names states: "),
        ("{url_file: hook, url: 'http://a/b'}", ":4:10: name one of `url:` and `url_file:`"),
        (f"{{url: 'ftp://{CANARY}/'}}", ":4:16: an address is https://host/path"),
        ("{url_file: hook, secret: x}", ":4:27: a notice knows no secret"),
    ],
)
def test_wrong_words_fail_the_start(shop: Shop, notice: str, fault: str) -> None:
    """At file, line and column, without quoting what may be a secret."""
    shop.contract.write_text(CONTRACT.replace("{url_file: hook, on: [rejected, reloaded]}", notice))
    with pytest.raises(ContractError) as caught:
        shop.live.start()
    assert f"{shop.contract}{fault}" in str(caught.value)
    assert CANARY not in str(caught.value)

"""Hostile and clumsy contracts and statements: each is told at its place, and none stops a gate."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck import ContractError, Outcome
from reloadcheck.policy.contract import terms_of
from reloadcheck.policy.patterns import Nearest, pattern_of
from reloadcheck.policy.statement import MOST_SIGNATURES, UnsignedError, statement_of
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin

from .shop import Shop

HEAD = "reloadcheck: 1\n"
LINES = (
    "reloadcheck: approval 1\nservice: shop\nenvironment: production\nfrom: a\nto: b\n"
    "keys: database\nuntil: 2099-01-01T00:00+00:00\nreason: more traffic\n"
)
SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD + "---\nkeys: {}\n", "c.yaml:2:1: begins a second document"),
        (HEAD + "zone: [Europe/Berlin]\n", "c.yaml:2:7: `zone:` is one name"),
        (
            HEAD + "keys:\n  a.b: {restart: true}\n  'a.\"b\"': {restart: false}\n",
            "c.yaml:4:3: a.\"b\" is the same key as a.b above",
        ),
        (
            HEAD + "roles: {a: [b]}\noverride: {roles: [a], at_most: 0h}\napprovers: s\n",
            "c.yaml:3:33: `at_most:` is a time",
        ),
        (
            HEAD + "roles: {a: [b]}\noverride: {roles: [a], at_most: 99999d}\napprovers: s\n",
            "c.yaml:3:33: `at_most:` is a time",
        ),
        (
            HEAD + "roles: {a: [b]}\noverride: {roles: [a], at_most: 1h}\n",
            "c.yaml:3:11: `override:` needs `approvers:`",
        ),
    ],
)  # fmt: skip
def test_what_would_be_read_by_nobody_fails_the_start(text: str, fault: str) -> None:
    """A second document, a key that is said twice, an override that nobody could sign."""
    with pytest.raises(ContractError) as caught:
        terms_of(text.encode(), "c.yaml")
    assert fault in str(caught.value)


def test_as_many_faults_are_told_as_a_person_reads() -> None:
    """Three thousand mistakes are fifty lines, and how many more there are."""
    keys = ", ".join(f"k{number}: {{rstart: 1}}" for number in range(3_000))
    with pytest.raises(ContractError) as caught:
        terms_of(f"{HEAD}keys: {{{keys}}}\n".encode(), "c.yaml")
    assert len(caught.value.problems) == 51
    assert "2950 more" in str(caught.value.problems[-1])


def test_many_keys_are_found_by_their_first_step() -> None:
    """Thousands of keys in a contract and of changed leaves are looked at in a moment."""
    begun = time.thread_time()
    nearest = Nearest((pattern_of(f"key{number}.*"), number) for number in range(3_000))
    wild = Nearest([(pattern_of("*.deep"), "wild"), (pattern_of("a"), "a")])
    for number in range(3_000):
        found = nearest.of((f"key{number}", "x"))
        assert found is not None
        assert found[1] == number
    assert time.thread_time() - begun < 1.0  # it was ten seconds
    answers = [(found or ("", None))[1] for found in map(wild.of, PATHS)]
    assert answers == ["a", "wild", "wild", None]


PATHS: list[tuple[str, ...]] = [("a", "x"), ("a", "deep"), ("other", "deep", "x"), ("other", "x")]


def resigned(old: str, new: str) -> str:
    """Return a statement with another text in one line."""
    assert old in LINES
    return LINES.replace(old, new) + SIGNATURE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (resigned("keys: database", "keys: a..b"), "which is no key path"),
        (resigned("keys: database", "keys: "), "which is no key path"),
        (resigned("more", "\x1b[31mmore"), "control characters"),
        (resigned("more", "mo\u2028re"), "control characters"),
        (LINES + SIGNATURE + "to: c\n", "something that is no signature"),
        (LINES + "\n" + SIGNATURE, "eight lines"),
        (LINES.replace("\n", "\r\n") + SIGNATURE, "eight lines that end in LF"),
        ("\ufeff" + LINES + SIGNATURE, "its line `reloadcheck: …`"),
        (LINES + SIGNATURE * (MOST_SIGNATURES + 1), "more than 10 signatures"),
        (resigned("T00:00+", "T23:59:60+"), "is no time with an offset"),
        (resigned("2099", "99999"), "is no time with an offset"),
        (resigned("+00:00", ""), "is no time with an offset"),
    ],
)
def test_what_is_no_statement_says_why(text: str, reason: str) -> None:
    """In one sentence; a line break, a mark or a second more is no way around the eight lines."""
    with pytest.raises(UnsignedError, match=reason.replace("[", r"\[")):
        statement_of(text.encode())


def _text(text: str) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(text.encode("latin-1"))


def _device(file: Path) -> None:
    file.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "write",
    [
        _text(resigned("keys: database", "keys: a..b")),
        _text("\xff\x00" * 100_000),
        _text(LINES + SIGNATURE),
        Path.mkdir,
        _device,
        os.mkfifo,
    ],
)
@pytest.mark.parametrize("kind", ["approval", "override"])
def test_a_hostile_statement_leaves_an_edit_waiting(
    shop: Shop, write: Callable[[Path], object], kind: str
) -> None:
    """Whoever may write beside the file may let nothing through, and refuse nothing either."""
    shop.begin()
    write(shop.file.with_name(f"config.yaml.{kind}"))
    assert shop.edit("pool_max: 20", "pool_max: 21") is Outcome.WAITING
    waiting = shop.live.status().waiting
    assert waiting is not None
    assert waiting.why in ("window", "approval", "signature")


def test_a_statement_lies_in_a_config_map(shop: Shop) -> None:
    """Beside the file in the same volume, by which Kubernetes swaps both at once."""
    volume = shop.file.parent / "volume"
    shop.clock.set_wall(1_795_482_000.0)  # a Tuesday night, in the window

    def publish(number: int, config: str, approval: str | None) -> None:
        generation = volume / f"..gen{number}"
        generation.mkdir(parents=True)
        (generation / "config.yaml").write_text(config)
        if approval is not None:
            (generation / "config.yaml.approval").write_text(approval)
        (volume / "..tmp").symlink_to(generation.name)
        (volume / "..tmp").replace(volume / "..data")

    text = shop.file.read_text()
    publish(1, text, None)
    for name in ("config.yaml", "config.yaml.approval"):
        (volume / name).symlink_to(f"..data/{name}")
    live = shop.make(
        volume / "config.yaml", settle=0.0, verify=0.0, window=1.0, environment="production",
        contract=shop.contract,
    )  # fmt: skip
    begin(live)
    edited = text.replace("url: db.example.test", "url: new.example.test")
    publish(2, edited, None)
    assert live.check() is Outcome.WAITING
    waiting = live.status().waiting
    assert waiting is not None
    statement = shop.signers.statement(
        "dora@example.test", base=live.snapshot.digest, to=waiting.digest, keys="database.url"
    )
    publish(3, edited, statement)
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.database.url == "new.example.test"


@pytest.mark.parametrize("write", [os.mkfifo, _device])
def test_what_stands_in_the_place_of_the_contract_stops_no_reload(
    shop: Shop, write: Callable[[Path], object]
) -> None:
    """Neither a pipe nor a device: the contract in force goes on, and the change is told."""
    shop.begin()
    shop.contract.unlink()
    write(shop.contract)
    shop.clock.advance(11.0)
    assert shop.edit("api_key: abcabcabc", "api_key: xyzxyzxyz") is Outcome.RELOADED
    assert "contract.yaml" in shop.live.status().pending_restart


def test_a_working_directory_that_changes_changes_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may change it after the import; contract, signers and statements stay."""
    monkeypatch.chdir(shop.file.parent)
    live = shop.make(
        "config.yaml", settle=0.0, verify=0.0, environment="production", contract="contract.yaml"
    )
    monkeypatch.chdir("/")
    begin(live)
    shop.clock.set_wall(1_795_482_000.0)
    text = shop.file.read_text()
    shop.file.write_text(text.replace("url: db.example.test", "url: new.example.test"))
    assert live.check() is Outcome.WAITING
    waiting = live.status().waiting
    assert waiting is not None
    statement = shop.signers.statement(
        "dora@example.test", base=live.snapshot.digest, to=waiting.digest, keys="database.url"
    )
    shop.file.with_name("config.yaml.approval").write_text(statement)
    assert live.check() is Outcome.RELOADED
    assert live.check() is Outcome.UNCHANGED
    assert live.status().pending_restart == ()


def test_a_disk_that_hangs_is_told_as_that(
    make: Make, clock: FakeClock, text: Text, tmp_path: Path
) -> None:
    """Though the contract is due to be looked at again: that cannot be read either."""
    contract = tmp_path / "contract.yaml"
    contract.write_text(HEAD)
    live = make(contract=contract, settle=0.0, verify=0.0)
    begin(live)
    text.gate.clear()
    for _ in range(3):
        assert Call(live.check).result(clock, step=1.0) is Outcome.DEFERRED
        assert live.status().code in (None, "hanging")
        clock.advance(11.0)
    text.gate.set()

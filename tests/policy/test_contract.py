"""A contract is read once, whole, and every mistake in it is told at its line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck import ContractError
from reloadcheck.policy.contract import Contract, read_contract, terms_of
from reloadcheck.policy.sections import seconds_of
from reloadcheck.policy.terms import Terms

from .shop import SHOP

SIGNERS = """\
# who may sign
dora@example.test namespaces="reloadcheck" ssh-ed25519 AAAA
arno@example.test,ada@example.test ssh-ed25519 AAAA
otto@example.test ssh-ed25519 AAAA
"""

Read = Callable[[str], Terms]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a contract's text beside a file of signers."""
    (tmp_path / "allowed_signers").write_text(SIGNERS)

    def reading(text: str) -> Terms:
        path = str(tmp_path / "contract.yaml")
        return terms_of(
            text.encode(errors="surrogateescape"),
            path,
            lambda path: () if path[0] == "nowhere" else (path,),
        )

    return reading


def faults(read: Read, text: str) -> list[str]:
    """Return the places and reasons of all that is wrong with a contract."""
    with pytest.raises(ContractError) as caught:
        read(text)
    return [f"{one.line}:{one.column}: {one.reason}" for one in caught.value.problems]


def test_the_whole_format_is_read(read: Read) -> None:
    """Each word of the format arrives as a value."""
    terms = read(SHOP)
    assert terms.service == "shop"
    assert terms.said("restart", ("server", "bind")) is True
    assert terms.said("required_in", ("database", "url")) == ("staging", "production")
    limits = terms.said("range", ("database", "pool_max"))
    assert (limits.low, limits.high) == (1.0, 100.0)
    assert [limits.has(one) for one in (0.999, 1, 100, 100.001)] == [False, True, True, False]
    assert terms.said("approve", ("database", "pool_max")) == ("dba", "architect")
    assert terms.said("owner", ("database", "pool_max")) == "payments"
    assert terms.said("window", ("payment", "timeout")) == "office"
    assert terms.said("signal", ("payment", "timeout")) == "payment-failed"
    assert terms.said("approve", ("payment", "api_key")) == ()
    assert terms.secrets == {"api_key"}
    assert terms.said("trial", ("flags", "new")) == {"shares": (0.5,), "seconds": 30}
    assert terms.trial == {"shares": (0.01, 0.2), "seconds": 60, "watch": 60, "luck": 0.001}
    assert terms.rehearse == ("GET /healthz", "GET /products?limit=1")
    assert terms.override is not None
    assert (terms.override.roles, terms.override.at_most) == (("oncall",), 4 * 3600.0)
    assert terms.notify[0].on == ("rejected", "undone", "override")
    assert [rule.says for rule in terms.rules][1] == "a pool may at most double"
    assert terms.environments == {"staging", "production"}
    assert set(terms.windows) == {"office", "quiet"}


def test_the_nearest_key_wins(read: Read) -> None:
    """What is said of a section holds below it, until something nearer is said; wildcards too."""
    terms = read(
        "reloadcheck: 1\nwindows: {night: [mon-sun 01:00-02:00], day: [mon-sun 10:00-12:00]}\n"
        "keys:\n  services: {window: night}\n  services.*.timeout: {window: any}\n"
        "  services.pay.timeout: {window: day}\n  hosts[*].port: {owner: net}\n"
    )
    assert terms.said("window", ("services", "pay", "url")) == "night"
    assert terms.said("window", ("services", "mail", "timeout")) == "any"
    assert terms.said("window", ("services", "pay", "timeout")) == "day"
    assert terms.said("owner", ("hosts", 3, "port")) == "net"
    assert terms.said("window", ("other",)) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("service: shop\n", "1:1: begin with `reloadcheck: 1`"),
        ("reloadcheck: 2\n", "1:14: begin with `reloadcheck: 1`"),
        ("reloadcheck: 1\nkey: {}\n", "2:1: the contract knows no key"),
        ("reloadcheck: 1\nkeys: {a: {rang: 1..2}}\n", "2:12: key a knows no rang"),
        ("reloadcheck: 1\nkeys: {nowhere: {}}\n", "2:8: the schema has no key nowhere"),
        ("reloadcheck: 1\nkeys: {a: {range: 5}}\n", "2:19: write a range"),
        ("reloadcheck: 1\nkeys: {a: {range: 9..5}}\n", "2:19: the range ends before"),
        ("reloadcheck: 1\nkeys: {a: {range: few..}}\n", "2:19: write a range"),
        ("reloadcheck: 1\nkeys: {a: {range: ..nan}}\n", "2:19: write a range"),
        ("reloadcheck: 1\nkeys: {a: {trial: 5}}\n", "2:19: a trial is a mapping of shares"),
        ("reloadcheck: 1\nrules: [{key: [a], rule: self.a, says: x}]\n", "2:15: `key:` is one key"),
        (
            "reloadcheck: 1\nkeys: {a: {range: 1..5, baseline: 9}}\n",
            "2:35: the baseline is outside",
        ),
        ("reloadcheck: 1\nkeys: {a: {restart: maybe}}\n", "2:21: `restart:` is true or false"),
        ("reloadcheck: 1\nkeys: {a: {window: tea}}\n", "2:20: there is no window tea"),
        ("reloadcheck: 1\nkeys: {a: {approve: [dba]}}\n", "2:22: there is no role dba"),
        ("reloadcheck: 1\nkeys: {a: {not_baseline_in: [x]}}\n", "2:8: `not_baseline_in:` needs"),
        ("reloadcheck: 1\nkeys: {'a..b': {}}\n", "2:8: a..b is no key path"),
        ("reloadcheck: 1\nzone: Mars/Base\n", "2:7: there is no time zone Mars/Base"),
        (
            "reloadcheck: 1\nzone: europe/berlin\n",
            "2:7: there is no time zone europe/berlin; did you mean Europe/Berlin?",
        ),
        (
            "reloadcheck: 1\nwindows: {w: [mon 9-10]}\n",
            "2:15: window w: write a span as in mon-thu 10:00-16:00, not mon 9-10",
        ),
        (
            "reloadcheck: 1\nwindows: {w: [mon,tue 09:00-10:00]}\n",
            "2:15: window w: write a span as in mon-thu 10:00-16:00 "
            "(in quotes, where it has a comma), not mon",
        ),
        (
            "reloadcheck: 1\nkeys: {a: {window: ofice}}\nwindows: {office: [mon 09:00-10:00]}\n",
            "2:20: there is no window ofice; did you mean office?",
        ),
        (
            "reloadcheck: 1\nkeys: {a: {window: x}}\nwindows: {w: [], v: []}\n",
            "2:20: there is no window x; there is w, v",
        ),
        ("reloadcheck: 1\nwindows: {any: [mon 09:00-10:00]}\n", "2:11: `any` is no name"),
        ("reloadcheck: 1\nroles: {dba: []}\n", "2:9: role dba has no members"),
        ("reloadcheck: 1\nfreezes: [{from: 1, until: 2}]\n", "2:11: a freeze says `why:`"),
        (
            "reloadcheck: 1\nfreezes: [{from: 2026-02-02, until: 2026-02-01, why: x}]\n",
            "2:11: a freeze ends after it begins",
        ),
        (
            "reloadcheck: 1\nfreezes: [{from: 2026-02-01, until: 2026-02-02, why: 12}]\n",
            "2:54: `why:` must be a text: quote it",
        ),
        ("reloadcheck: 1\nrules: [{rule: self.a, says: yes}]\n", "2:30: `says:` must be a text"),
        ("reloadcheck: 1\nrules: [{says: x}]\n", "2:9: a rule needs `rule:`"),
        ("reloadcheck: 1\noverride: {at_most: 4h}\n", "2:11: `override:` needs `roles:`"),
        ("reloadcheck: 1\noverride: {at_most: soon}\n", "2:21: `at_most:` is a time"),
        ("reloadcheck: 1\nnotify: [{on: [rejected]}]\n", "2:10: name one of `url:`"),
        ("reloadcheck: 1\nnotify: [{url: x, on: [never]}]\n", "2:24: there is no state never"),
        ("reloadcheck: 1\nrehearse: [POST /]\n", "2:12: write a request"),
        ("reloadcheck: 1\napprovers: nobody\n", "2:12: the approvers cannot be read: "),
        ("reloadcheck: 1\nreloadcheck: 1\n", "2:1: the key reloadcheck stands here twice"),
        ("reloadcheck: 1\nkeys: &a {}\nwindows: *a\n", "2:7: anchors, aliases and tags"),
        ("reloadcheck: 1\nkeys: !!python/name:os.system {}\n", "2:7: anchors, aliases"),
        ("reloadcheck: 1\nkeys: [a\n", "2:7: the list that begins here is not closed"),
        ("reloadcheck: 1\nkeys: {a: {}\n", "2:7: the mapping that begins here is not closed"),
        ("reloadcheck: 1\nkeys:\n\ta: {}\n", "3:1: a tab may stand only in quotes"),
        ("reloadcheck: 1\nkeys\n", '2:1: expected "key: value" here'),
        ("reloadcheck: 1\nservice: 'shop\n", "2:10: the text that begins here in quotes"),
        ("reloadcheck: 1\nservice: @shop\n", "2:10: no value may begin with @; put it in"),
        ("reloadcheck: 1\nservice: a: b\n", "2:11: no key may stand here; put text with a"),
        ('reloadcheck: 1\nservice: "\\q"\n', "2:11: an escape that does not exist"),
        ("reloadcheck: 1\nkeys:\n  a: {}\n b: {}\n", "4:2: the indentation does not fit"),
        ("reloadcheck: 1\nkeys:\n  - a\n  b: {}\n", "4:3: the indentation does not fit"),
        ("reloadcheck: 1\nrules: [{rule: !self.a}]\n", "2:16: a tag that cannot be read; put"),
        ("reloadcheck: 1\nrules: [{rule: !self.a }]\n", "2:16: anchors, aliases and tags"),
        ("reloadcheck: 1\nservice: \x01\n", "2:10: the character U+0001 may be written"),
        ("reloadcheck: 1\nservice: \udcff\n", "2:10: is not UTF-8 from here"),
        ("- 1\n", "1:1: must be a mapping"),
        ("reloadcheck: 1\nkeys: " + "[" * 20 + "]" * 20, "2:18: is nested deeper"),
    ],
)
def test_a_mistake_is_told_at_its_place(read: Read, text: str, fault: str) -> None:
    """Line and column of what is wrong, and what to write."""
    assert any(found.startswith(fault) for found in faults(read, text)), faults(read, text)


def test_all_mistakes_are_told_at_once(read: Read) -> None:
    """In the order of the file."""
    text = "reloadcheck: 1\nkeys:\n  a: {range: x}\n  b: {window: tea}\nzone: Mars/Base\n"
    assert [found.split(":")[0] for found in faults(read, text)] == ["3", "4", "5"]


def test_a_member_who_cannot_sign_is_told(read: Read) -> None:
    """A role whose member is in no line of the signers' file could never give its leave."""
    text = (
        "reloadcheck: 1\napprovers: allowed_signers\n"
        "roles: {dba: [eve@example.test, ada@example.test]}\n"
    )
    assert faults(read, text) == [
        "3:9: role dba: eve@example.test is in no line of the approvers' file"
    ]


def test_signers_that_cannot_be_read_are_named(read: Read) -> None:
    """The file, and what is the matter with it: whoever mends it may not have written the name."""
    (fault,) = faults(read, "reloadcheck: 1\napprovers: nobody\n")
    assert fault.startswith("2:12: the approvers cannot be read: ")
    assert fault.endswith("/nobody: No such file or directory")


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        ("pipe", "it is no file"),
        ("link", "it is no file"),
        (b"#" * (2**20 + 1), "is larger than 1 MiB"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_signers_that_are_no_file_hold_no_start_up(
    tmp_path: Path, there: str | bytes, reason: str
) -> None:
    """A pipe would be waited for, and a device has no end."""
    path = tmp_path / "allowed_signers"
    if isinstance(there, bytes):
        path.write_bytes(there)
    elif there == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    (tmp_path / "contract.yaml").write_text("reloadcheck: 1\napprovers: allowed_signers\n")
    with pytest.raises(ContractError, match=reason):
        read_contract(Contract(tmp_path / "contract.yaml"))


def test_leave_needs_signers(read: Read) -> None:
    """`approve` without `approvers` could never be given."""
    text = "reloadcheck: 1\nroles: {dba: [d]}\nkeys: {a: {approve: dba}}\n"
    assert faults(read, text) == ["3:8: `approve` needs `approvers:`, a file of allowed signers"]


def test_a_contract_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and one that is too large are contract errors, too."""
    with pytest.raises(ContractError, match="the contract cannot be read: No such file"):
        read_contract(Contract(tmp_path / "contract.yaml"))
    (tmp_path / "contract.yaml").write_bytes(b"#" * (256 * 1024 + 1))
    with pytest.raises(ContractError, match="larger than 256 KiB"):
        read_contract(Contract(tmp_path / "contract.yaml"))
    (tmp_path / "contract.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ContractError, match="1:1: is UTF-16; it must be UTF-8"):
        read_contract(Contract(tmp_path / "contract.yaml"))


def test_constructing_reads_nothing(tmp_path: Path) -> None:
    """It may stand at module level."""
    assert repr(Contract(tmp_path / "missing.yaml")).startswith("Contract(")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("4h", 14_400.0), ("30m", 1_800.0), ("1.5 d", 129_600.0), ("90s", 90.0), ("4", None)],
)
def test_times(text: str, seconds: float | None) -> None:
    """A number and a unit."""
    assert seconds_of(text) == seconds


def test_without_zone_data_utc_still_works(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slim image a named zone is refused with the package to install; UTC needs none."""
    import zoneinfo

    def missing(name: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", missing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert read("reloadcheck: 1\n").zone_name == "UTC"
    assert faults(read, "reloadcheck: 1\nzone: Europe/Berlin\n") == [
        "2:7: this machine has no time zone data: install tzdata"
    ]

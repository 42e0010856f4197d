"""Whatever is wrong with a contract fails the start, at its place, in words; never a traceback."""

from pathlib import Path

import pytest

from reloadcheck.policy.key_reader import TRIAL_WORDS
from tests.policy.mutants import Reader, is_readable, line_mutants, word_mutants

from .shop import SHOP

WORDS = (
    *("reloadcheck", "service", "zone", "keys", "windows", "freezes", "rules", "trial"),
    *("rehearse", "approvers", "roles", "override", "notify", "restart", "required_in"),
    *("approve", "baseline", "range", "window", "owner", "signal", "secret", "not_baseline_in"),
    *("from", "until", "why", "key", "rule", "says", "at_most", "url_file", "on", *TRIAL_WORDS),
)  # fmt: skip


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Somebody who reads contracts as an engine does."""
    return Reader(tmp_path)


def test_the_contract_itself_is_taken(reader: Reader) -> None:
    """Word for word."""
    assert reader.faults(SHOP) == ()


def test_each_line_gone_twice_cut_or_moved_is_taken_or_told(reader: Reader) -> None:
    """With line and column, in a sentence of its own."""
    for name, text in line_mutants():
        assert all(is_readable(one) for one in reader.faults(text)), name


@pytest.mark.parametrize("kind", ["gone", "misspelt", "list", "long", "control"])
def test_each_word_spoilt_is_taken_or_told(reader: Reader, kind: str) -> None:
    """With line and column, in a sentence of its own."""
    for name, text in word_mutants([kind]):
        assert all(is_readable(one) for one in reader.faults(text)), name


def test_each_word_of_the_format_misspelt_is_told_on_its_line(reader: Reader) -> None:
    """None is passed over, so that nobody believes in a rule that is not there."""
    lines = SHOP.splitlines()
    seen: set[str] = set()
    for name, text in word_mutants(["misspelt"]):
        word, _, line = name.removesuffix(": misspelt").rpartition(" on line ")
        if word in WORDS and f"{word}:" in lines[int(line) - 1]:
            seen.add(word)
            assert int(line) in [one.line for one in reader.faults(text)], name
    assert seen >= set(WORDS) - set(TRIAL_WORDS)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("baseline: 20,", "baseline: [],", "7:33: `baseline:` is one value: a number, a text"),
        ("approve: none", "approve: []", "9:45: `approve:` names roles, or is none"),
        ("approve: [dba]", "approve: ['']", "6:69: a name of a role is missing here"),
        ("[staging, production]", "[]", "6:36: `required_in:` names environments"),
        ("[staging, production]", "['']", "6:37: a name of an environment is missing here"),
        ("in: [production]", "in: []", "10:40: `not_baseline_in:` names environments"),
        ("{key: log.level,", "{key: [],", "20:11: `key:` is one key path"),
        ("service: shop", "service: null", "2:10: `service:` is a text"),
        ("owner: payments", "owner: ", "7:101: `owner:` is a text"),
        ("[0.01, 0.2]", "[0.01, x]", "21:21: shares must be numbers between 0 and 1"),
        ("[0.5]", "[null]", "11:39: shares must be numbers between 0 and 1"),
        ("server.bind:", "'':", "5:3: '' is no key path"),
    ],
)  # fmt: skip
def test_what_would_be_passed_over_is_told(reader: Reader, old: str, new: str, fault: str) -> None:
    """A value of the wrong kind says nothing, so that it must not stand there."""
    assert old in SHOP
    found = [
        f"{one.line}:{one.column}: {one.reason}" for one in reader.faults(SHOP.replace(old, new, 1))
    ]
    assert any(one.startswith(fault) for one in found), found

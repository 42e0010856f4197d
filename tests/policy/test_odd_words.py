"""What a contract may hold that comes seldom, and how it is read, shown and judged."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

import math
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._config.freeze import freeze
from reloadcheck.exceptions import ContractError
from reloadcheck.policy.document import read_document
from reloadcheck.policy.forecast import soonest
from reloadcheck.policy.gate import ContractGate
from reloadcheck.policy.patterns import pattern_of
from reloadcheck.policy.reach import changed_paths, is_at, number_of
from reloadcheck.policy.schema_words import with_words
from reloadcheck.policy.siblings import kept_by_siblings
from reloadcheck.policy.terms import Terms
from reloadcheck.seams.feed import Loaded
from reloadcheck.seams.gates import Proposal
from reloadcheck.seams.store import Agreed
from reloadcheck.types import TIMER, Diff, KeyPath

from .test_contract import Read, read

__all__ = ["read"]


def _loaded(tree: dict[str, Any]) -> Loaded[Any]:
    frozen = freeze(tree, None)
    return Loaded(frozen, frozen, "d", "s", ())


# ------------------------------------------------------------------------- what keys reach


def test_a_baseline_is_compared_as_what_it_is() -> None:
    """A list and a mapping as such; what is nowhere has none."""
    loaded = _loaded({"a": [1, 2], "b": None, "c": 1})
    listed = loaded.tree["a"]
    assert is_at(listed, loaded, ("a",)) is True
    assert is_at(None, loaded, ("b",)) is True
    assert is_at((1, 2), loaded, ("a",)) is False
    assert is_at(True, loaded, ("c",)) is False
    assert is_at(1, loaded, ("nowhere",)) is False


def test_no_switch_is_a_number_and_a_length_of_time_is_its_seconds() -> None:
    """A range is about numbers."""
    assert number_of(True) is None
    assert number_of("x") is None
    assert number_of(timedelta(minutes=1)) == 60.0
    assert number_of(Decimal("1.5")) == 1.5


def test_a_change_at_a_key_that_a_tree_spells_otherwise_is_that_of_the_key() -> None:
    """No leaf below it can be told: the key itself is."""
    changes = Diff((("nowhere",),), (), (("gone", "x"),))
    proposal = Proposal(_loaded({"a": 1}), _loaded({"a": 1}), changes, (), TIMER, 0.0)
    found = [*changed_paths(proposal, [pattern_of("nowhere")])]
    assert set(found) == {("nowhere",), ("gone", "x")}


class _Beside:
    """A store in which siblings have written what they keep."""

    def __init__(self, agreed: Agreed) -> None:
        self._agreed = agreed

    def running(self, who: str) -> Agreed:
        """Return what they wrote."""
        return self._agreed


def test_a_worker_that_starts_keeps_what_its_siblings_keep_deep_inside() -> None:
    """In its place below other keys; what they left, and what lies below it, is not kept twice."""
    kept: Sequence[tuple[KeyPath, Any]] = (
        (("server", "bind"), "a:80"),
        (("server", "tls", "key"), "k"),
        (("left", "x"), 1),
    )
    beside: Any = _Beside(Agreed(tuple(kept), (("left", "x"),)))
    patterns = [pattern_of(text) for text in ("server.bind", "server.tls.key", "left.x")]
    new = _loaded({"server": {"bind": "b:80", "tls": {"key": "z"}}, "left": {"x": 2}})
    paths, values = kept_by_siblings(beside, "code", patterns, new)
    assert paths == (("server", "bind"), ("server", "tls", "key"))
    assert values == {"server": {"bind": "a:80", "tls": {"key": "k"}}}


# ---------------------------------------------------------------- what an editor is told


def _words(terms: Terms, document: dict[str, Any]) -> dict[str, Any]:
    return with_words({"$defs": {}, **document}, terms)


def test_an_editor_is_told_a_range_wherever_the_schema_has_the_key(read: Read) -> None:
    """In each member of a union, and below every key; an open end bounds nothing."""
    terms = read(
        "reloadcheck: 1\nkeys:\n  a.x: {range: 1..}\n  b.*: {range: ..9}\n  t: {range: 1..2}\n"
    )
    number = {"type": "integer", "minimum": 0}
    document: dict[str, Any] = {
        "properties": {
            "a": {"anyOf": [{"properties": {"x": dict(number)}}, {"type": "null"}, 5]},
            "b": {"properties": {"p": dict(number)}, "additionalProperties": dict(number)},
            "t": {"type": "string"},
            "r": {"$ref": "#/$defs/Nowhere"},
        }
    }
    told = _words(terms, document)["properties"]
    inner = told["a"]["anyOf"][0]["properties"]["x"]
    assert (inner["minimum"], "maximum" in inner) == (1, False)
    for one in (told["b"]["properties"]["p"], told["b"]["additionalProperties"]):
        assert (one["minimum"], one["maximum"]) == (0, 9)
    assert "minimum" not in told["t"]
    assert told["t"]["x-range"] == "1..2"


def test_a_definition_that_is_nowhere_or_used_up_is_left_out(read: Read) -> None:
    """A reference that leads nowhere stays; the last definition goes with its use."""
    terms = read("reloadcheck: 1\nkeys:\n  r.x: {owner: dba}\n  d.x: {owner: dba}\n")
    lost = {"properties": {"r": {"$ref": "#/$defs/Nowhere"}}}
    assert _words(terms, lost)["properties"]["r"] == {"$ref": "#/$defs/Nowhere"}
    part = {"properties": {"x": {"type": "string"}}}
    used = {"properties": {"d": {"$ref": "#/$defs/Part"}}, "$defs": {"Part": part}}
    told = with_words(used, terms)
    assert "$defs" not in told
    assert told["properties"]["d"]["properties"]["x"]["x-owner"] == "dba"


# --------------------------------------------------------------------- how it is read


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("reloadcheck: 1\nfreezes: [{from: 2026-02-01, til: x}]\n", "a freeze knows no til"),
        ("reloadcheck: 1\nrules: [{rul: x}]\n", "a rule knows no rul"),
        ("reloadcheck: 1\nnotify: [{to: x}]\n", "a notice knows no to"),
        ("reloadcheck: 1\nkeys: [a]\n", "`keys:` is a mapping"),
        ("reloadcheck: 1\nkeys: {a: [*x, {b: 1}, *y]}\n", "anchors, aliases and tags"),
        ("", "must be a mapping that begins with `reloadcheck: 1`"),
        ("# nothing\n", "must be a mapping that begins with `reloadcheck: 1`"),
    ],
)
def test_what_is_no_contract_is_told(read: Read, text: str, fault: str) -> None:
    """Each mistake in a sentence."""
    with pytest.raises(ContractError) as caught:
        read(text)
    assert fault in str(caught.value)


def test_a_contract_that_only_its_own_reader_refuses_is_refused() -> None:
    """In its own words then; bytes that are no text are told at their place."""
    with pytest.raises(ContractError, match="not"):
        read_document(b"reloadcheck: 1\nkeys: \xff\n", "contract.yaml")


def test_a_gate_that_has_not_been_opened_knows_nothing(tmp_path: Path) -> None:
    """It says so: nobody may take it for a contract that allows all."""
    (tmp_path / "c.yaml").write_text("a: 1\n")
    (tmp_path / "k.yaml").write_text("reloadcheck: 1\n")
    live = ReloadCheck(tmp_path / "c.yaml", contract=tmp_path / "k.yaml")
    (gate,) = [one for one in live._engine.gates if isinstance(one, ContractGate)]
    fresh = gate.by_itself()
    for ask in (lambda: fresh.terms, lambda: fresh._approval, lambda: fresh._judging):
        with pytest.raises(ContractError, match="has not been read yet"):
            ask()


def test_windows_that_never_open_together_have_no_soonest_time(read: Read) -> None:
    """The search ends, and says that nobody can tell."""
    terms = read(
        "reloadcheck: 1\nwindows: {day: [mon 10:00-12:00], night: [tue 01:00-02:00]}\n"
        "keys: {a: {window: day}, b: {window: night}, c: {window: any}}\n"
    )
    assert soonest(terms, [("a",), ("b",)], 0.0) is None
    first = soonest(terms, [("a",), ("c",)], 0.0)
    assert first is not None
    assert math.isfinite(first)
    assert soonest(terms, [("c",)], 5.0) == 5.0


def test_an_address_that_the_contract_has_itself_is_used(read: Read, tmp_path: Path) -> None:
    """No file is looked for."""
    terms = read("reloadcheck: 1\nnotify: [{url: 'https://example.test/hook'}]\n")
    assert terms.notify[0].address(str(tmp_path)) == "https://example.test/hook"

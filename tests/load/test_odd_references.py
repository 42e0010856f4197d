"""References of an application's own that answer as they should not: each ends as a reason."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

from collections.abc import Sequence
from typing import Any

import pytest

from reloadcheck._load.failed_build import _leaves
from reloadcheck._load.references import ReferenceSet, checked
from reloadcheck._load.resolved_layers import as_written
from reloadcheck.exceptions import ConfigError, OptionError, SourceError, TornError
from reloadcheck.types import Document, Layer, Origin, Problem, Stamp

NAME = ("vault", "db")
DOCUMENTS: Sequence[Sequence[Document]] = (
    (Document("x.yaml", b"a: ${vault:db}\nb: ${other:x}\n", "yaml"),),
)


class Vault:
    """References that answer what a test has them answer."""

    kind: Any = "vault"

    def __init__(self, text: object = "canary", stamps: Sequence[object] = (1,)) -> None:
        self.text = text
        self.stamps = list(stamps)

    def stamp(self, name: str) -> Stamp:
        """Return the next stamp, the last one for ever."""
        value = self.stamps.pop(0) if len(self.stamps) > 1 else self.stamps[0]
        return Stamp(value)

    def read(self, name: str, stamp: Stamp, max_bytes: int) -> Any:
        """Return the text, or raise it."""
        if isinstance(self.text, BaseException):
            raise self.text
        return self.text


def _set(vault: Vault) -> ReferenceSet:
    return ReferenceSet([vault], 100, lambda: 10**18)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ConfigError(Problem("is sealed")), "is sealed"),
        (ValueError("canary"), "its references raised ValueError"),
        (SystemExit(3), "its references raised SystemExit"),
        (b"canary", "its read() returned no text"),
        (None, "its read() returned no text"),
    ],
)
def test_a_reference_that_cannot_be_read_has_a_reason(text: object, reason: str) -> None:
    """In words that quote nothing; what kind another names is not ours to read."""
    for read in (_set(Vault(text)).now, _set(Vault(text)).refer):
        found = read(DOCUMENTS).found
        assert [*found] == [NAME]
        assert found[NAME].text is None
        assert str(found[NAME].reason).startswith(reason)
        assert "canary" not in str(found[NAME].reason)


def test_a_reference_that_changes_while_it_is_read_is_torn() -> None:
    """Before, in the middle, or by its own word; asked of this moment it is a reason."""
    torn = Vault(TornError(Problem("changed meanwhile")))
    with pytest.raises(TornError):
        _set(torn).refer(DOCUMENTS)
    found = _set(torn).now(DOCUMENTS).found[NAME]
    assert (found.text, bool(found.reason)) == (None, True)
    with pytest.raises(TornError):
        _set(Vault(stamps=(1, 2))).refer(DOCUMENTS)
    moving = _set(Vault(stamps=(1, 1, 1, 2)))
    moving.refer(DOCUMENTS)
    given = moving.stamp()
    with pytest.raises(TornError):
        moving.read(DOCUMENTS, given)
    assert issubclass(TornError, SourceError)


@pytest.mark.parametrize("kind", [5, "", "Vault", "a b", None])
def test_a_kind_of_references_is_a_word_in_lower_case(kind: object) -> None:
    """As it is written in a file: `${vault:…}`; a second one of the kind is refused."""
    vault = Vault()
    vault.kind = kind
    with pytest.raises(OptionError, match="references Vault: kind is a word in lower case"):
        checked([vault])
    with pytest.raises(OptionError, match="there are two of the kind 'vault'"):
        checked([Vault(), Vault()])


def test_a_tree_is_shown_with_its_references_as_they_are_written() -> None:
    """In lists, too; where a later layer has its own value, that stays."""
    below = Layer({}, lambda _: Origin("x"), referred={})
    tree = {"hosts": ["a", {"url": "canary"}], "b": "own"}
    first = Layer(
        {"hosts": ["a", {"url": "canary"}], "b": "canary"},
        lambda _: Origin("x"),
        referred={("hosts", 1, "url"): "${vault:url}", ("b",): "${vault:b}"},
    )
    second = Layer({"b": "own"}, lambda _: Origin("y"), referred={})
    assert as_written(tree, [below, first, second]) == {
        "hosts": ["a", {"url": "${vault:url}"}],
        "b": "own",
    }


def test_a_part_that_a_tree_spells_otherwise_has_no_leaves() -> None:
    """Nothing of it can be quoted where it is not."""
    assert [*_leaves({"a": {"b": 1}}, ("a", "c"))] == []
    assert [*_leaves({"a": 1}, ("a", "c"))] == []
    assert [*_leaves({"a": {"b": 1}}, ("a",))] == [(("a", "b"), 1)]

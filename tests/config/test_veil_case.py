"""A secret is hidden in whatever case it stands, also among letters that fold to two."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

import copy
import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck._config import untrack
from reloadcheck._config.freeze import freeze
from reloadcheck._config.mask import MASK
from reloadcheck._config.secret_looks import masked
from reloadcheck._config.veil import Veil

CANARY = "c4n4ry-Tr0ub4dor"


@pytest.mark.parametrize("around", ["", "straße", "STRAẞE", "İstanbul", "ŉ", "ﬁn", "ΐ"])
@pytest.mark.parametrize("secret", [CANARY, CANARY.upper(), CANARY.lower()])
def test_a_secret_is_hidden_beside_letters_that_fold_to_two(around: str, secret: str) -> None:
    """As in an error of a German program: the text around it stays as it is."""
    veil = Veil()
    veil.learn({"password": CANARY})
    assert veil.text(f"{around}: {secret} {around}") == f"{around}: {MASK} {around}"


@pytest.mark.parametrize(
    "spelled",
    ["Große-Straße-9d1c", "GROẞE-STRAẞE-9D1C", "grosse-strasse-9d1c", "große-straße-9D1C"],
)
def test_a_secret_that_has_such_letters_is_hidden(spelled: str) -> None:
    """In its own spelling, in capitals, and written out."""
    veil = Veil()
    veil.learn({"password": "Große-Straße-9d1c"})
    assert veil.text(f"it was {spelled}.") == f"it was {MASK}."


def test_a_secret_behind_percent_signs_is_hidden() -> None:
    """The whole text then: where in it the secret begins cannot be told."""
    veil = Veil()
    veil.learn({"password": CANARY})
    assert veil.text("x%63" + CANARY[1:]) == MASK


def test_a_mapping_under_a_key_that_hides_values_is_not_hidden_whole() -> None:
    """Its own keys say what of it is secret."""
    veil = Veil()
    shown: Any = veil.redacted({"auth": {"host": "a", "password": CANARY}})
    assert CANARY not in str(shown)
    assert "a" in str(shown)


def test_a_word_of_a_query_without_a_value_is_judged_by_its_length() -> None:
    """A long one may be a secret by itself."""
    assert masked("https://host/x?debug") == "https://host/x?debug"
    assert CANARY * 3 not in masked(f"https://host/x?{CANARY * 3}")


def test_what_is_frozen_is_its_own_copy() -> None:
    """Nobody can change it, so nobody needs another."""
    frozen: Any = freeze({"a": [1], "b": {1, 2}}, None)
    assert copy.copy(frozen["a"]) is frozen["a"]
    assert copy.copy(frozen["b"]) is frozen["b"]


def test_an_interpreter_that_does_not_let_go_of_containers_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is slower there, and nothing else."""
    monkeypatch.setattr(ctypes, "pythonapi", SimpleNamespace())
    assert untrack._found() is untrack._no_untracking

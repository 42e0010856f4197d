"""What the page shows that comes seldom: values of every kind, a trial's shadow, a store away."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

from dataclasses import replace
from datetime import date
from enum import Enum
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest

from reloadcheck._config.mask import MASK
from reloadcheck._config.veil import Veil
from reloadcheck._observe.status import ProbeStatus, ResourceStatus, Status
from reloadcheck._page import view
from reloadcheck._page.access import asked_for
from reloadcheck._page.html import _summary
from reloadcheck._page.html_tables import _probe
from reloadcheck._page.html_trial import trial
from reloadcheck._page.page import Wanted
from reloadcheck._page.values import _text
from reloadcheck.seams.store import StoreStatus
from reloadcheck.types import ProbeOutcome, ShadowStatus, TrialStatus


class Level(Enum):
    """A value that a schema makes of a text."""

    LOW = "low"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Level.LOW, '"low"'),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        (date(2026, 11, 30), '"2026-11-30"'),
        (b"canary", "<6 bytes>"),
        ({}, "{}"),
        ((), "[]"),
        (object(), "<object>"),
    ],
)
def test_a_value_is_shown_as_json_or_by_its_kind(value: object, shown: str) -> None:
    """Of what JSON has no word for, and of bytes, nothing is shown but what it is."""
    assert _text(value, Veil()) == shown


def test_a_number_that_is_hidden_elsewhere_is_hidden() -> None:
    """A PIN is one, wherever it stands."""
    veil = Veil()
    veil.learn({"password": 84629104})
    assert _text(84629104, veil) == MASK
    assert _text(84629105, veil) == "84629105"


TRIAL = TrialStatus("trying", "d", 8, 0.05, 30.0, 20, 400, (), None)


@pytest.mark.parametrize(
    ("shadow", "words"),
    [
        (ShadowStatus(40, 0, 0, 0), "40 requests made again on both versions: 0 differ</p>"),
        (
            ShadowStatus(40, 2, 0, 0, "status of /cart", "KeyError"),
            "2 differ, the first of them status of /cart; compare= raised KeyError</p>",
        ),
    ],
)
def test_requests_that_were_made_again_are_shown(shadow: ShadowStatus, words: str) -> None:
    """How many, how many differ, and what went wrong with the comparing."""
    shown = "".join(trial(replace(TRIAL, shadow=shadow), 7, running=True))
    assert words in shown


def test_a_trial_says_how_long_it_lasts() -> None:
    """For some seconds, or until enough has come by; one that has ended says how."""
    assert TRIAL.ends == "30 s left"
    assert replace(TRIAL, left=0.0, missing=3).ends == "it lasts until 3 more have come by"
    shown = "".join(trial(TRIAL, 7, running=False))
    assert "It ended without a verdict." in shown


def _said(**told: Any) -> tuple[str, str]:
    status = Status(state="serving", enabled=True, version=7, digest="d")
    return _summary(replace(status, **told))


def test_in_a_sentence_the_page_says_what_is_wrong() -> None:
    """A resource that is not built anew is no rejected edit; a store that is away is told."""
    title, word = _said(error="no such host", code="resource", is_edit=False)
    assert (title, word) == ("Version 7 is serving; a resource is not built anew", "resource")
    assert _said(error="x", is_edit=False)[1] == "rejected"
    store = StoreStatus(name="store.db", error="is locked")
    assert _said(store=store) == ("Version 7 is serving; the store is away", "store")
    frozen = StoreStatus(name="store.db", frozen="edits are frozen by dora")
    assert _said(store=frozen) == ("Version 7 is serving; edits are frozen", "frozen")


def test_a_resource_without_a_probe_says_so() -> None:
    """It is not shown as one that was not probed yet."""
    assert "has none" in _probe(ProbeStatus(ProbeOutcome.NOT_PROBED))
    assert "has none" not in _probe(ProbeStatus(ProbeOutcome.NOT_PROBED, error="no such host"))


def test_what_a_person_asks_for_who_may_see_all() -> None:
    """By the query, else by what is accepted; a query that nobody can read is told."""
    granted = asked_for("format=json", "text/html")
    assert granted is not None
    assert granted.wanted is Wanted.JSON
    html = asked_for("", "text/html")
    assert html is not None
    assert html.wanted is Wanted.HTML
    assert asked_for("&".join(f"a{number}=1" for number in range(10_000)), "") is None


def test_a_package_that_is_not_installed_has_no_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run from a checkout, the page says so."""

    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", version)
    assert view._release() == "(not installed)"


def test_the_old_name_of_the_state_warns() -> None:
    """And gives it for a release."""
    with pytest.warns(DeprecationWarning, match="status.phase is called status.state now"):
        assert Status(state="serving", enabled=True).phase == "serving"


def test_the_old_name_of_a_resources_key_paths_warns() -> None:
    """And gives them for a release."""
    one = ResourceStatus("db", 1, 1, 0, key_paths=("database",))
    with pytest.warns(DeprecationWarning, match="are called key_paths now"):
        assert one.paths == ("database",)

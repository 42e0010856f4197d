"""What commands answer in cases that come seldom: hidden, cut, foreign, unreachable."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import os
import ssl
import sys
from pathlib import Path
from socket import gaierror
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from reloadcheck.cli import _workers
from reloadcheck.cli._ask_http import UnreachableError, _reason
from reloadcheck.cli._excerpt import _window
from reloadcheck.cli._inputs import _set_up_django
from reloadcheck.cli._until_live import _seen
from reloadcheck.cli._workers import all_workers
from reloadcheck.cli._yaml_versions import core_value
from reloadcheck.cli.explain import contributions
from reloadcheck.cli.watch import ReloadEvent, _said
from reloadcheck.exceptions import UsageError
from reloadcheck.types import Diff, Layer, Origin, Outcome

from .conftest import Run


def _not_secure() -> ssl.SSLError:
    error = ssl.SSLError(1, "quoted")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "no answer within 5 s"),
        (_not_secure(), "the connection is not secure (WRONG_VERSION_NUMBER)"),
        (gaierror(-2, "quoted"), "there is no such host"),
        (ConnectionRefusedError(111, "quoted"), os.strerror(111).lower()),
        (ValueError("quoted"), "what answers speaks no HTTP (ValueError)"),
    ],
)
def test_why_nobody_answers_is_said_in_words_of_ours(error: Exception, said: str) -> None:
    """A foreign message may quote a header, and a header has the token."""
    assert _reason(error, 5.0) == said


def test_workers_are_asked_until_nobody_new_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of an older version, which names no process, counts as one worker."""
    told: list[dict[str, Any]] = [{"process": {"host": "a", "pid": 1}}, {"state": "serving"}]
    asked = iter(told * 100)
    monkeypatch.setattr(_workers, "asked", lambda *_: next(asked))
    found = all_workers(urlsplit("http://127.0.0.1:1/"), None, 60.0, None)
    assert (found.complete, found.told) == (True, [told[1], told[0]])


def test_an_address_where_nobody_answers_is_not_asked_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One round, and the reason."""
    calls: list[int] = []

    def asked(*_: object) -> dict[str, Any]:
        calls.append(1)
        raise UnreachableError("connection refused")

    monkeypatch.setattr(_workers, "asked", asked)
    found = all_workers(urlsplit("http://127.0.0.1:1/"), None, 60.0, 4)
    assert (found.told, found.complete, str(found.error)) == ([], False, "connection refused")
    assert len(calls) == 8


def test_until_live_waits_on_while_another_edit_serves() -> None:
    """Also where the one that was undone was not ours; ours undone is the end."""
    told = {"state": "serving", "standing": "ok", "version": 6, "digest": "b" * 64}
    assert _seen(told, "a" * 64) == (1, "not yet", "version 6 serves")
    undone = {"outcome": Outcome.UNDONE, "last_trial": {"digest": "c" * 64}, "error": "too slow"}
    assert _seen({**told, **undone}, "a" * 64) == (1, "not yet", "version 6 serves")
    assert _seen({**told, **undone}, "c" * 64) == (1, "undone", "too slow")


@pytest.mark.parametrize(
    ("text", "value"),
    [(".inf", float("inf")), ("-.INF", -float("inf")), ("+.Inf", float("inf")), ("~", None)],
)
def test_numbers_without_an_end_are_read_as_yaml_1_2_has_them(text: str, value: object) -> None:
    """A point before their name, and a sign."""
    assert core_value(text) == value
    assert str(core_value(".nan")) == "nan"


def test_a_long_line_is_cut_on_both_sides_of_the_caret() -> None:
    """With a mark where it goes on; the caret stays under its column."""
    line = "".join(chr(ord("a") + place % 26) for place in range(300))
    shown, caret = _window(line, 150)
    assert (shown[0], shown[-1]) == ("…", "…")
    assert shown[caret] == line[150]


def test_what_is_put_back_is_told_by_watch() -> None:
    """An edit that was undone in the file is no edit."""
    event = ReloadEvent(Outcome.UNCHANGED, 3, "a" * 64, Diff())
    assert _said(event) == "what runs has been put back"
    assert _said(ReloadEvent(Outcome.RELOADED, 4, "b" * 64, Diff())) == "no key changed"


def test_a_django_site_that_cannot_be_set_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wrong usage with its reason; a module that is no site is left alone."""
    site: Any = ModuleType("django")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    monkeypatch.setitem(sys.modules, "django", site)
    monkeypatch.setitem(sys.modules, "django.conf", ModuleType("django.conf"))
    done = list[str]()
    site.setup = lambda: done.append("set up")
    _set_up_django("--app shop:live")
    assert done == ["set up"]

    def broken() -> None:
        raise RuntimeError("no database")

    site.setup = broken
    with pytest.raises(UsageError, match="--app shop:live: setting Django up"):
        _set_up_django("--app shop:live")


def test_a_mapping_with_very_many_values_is_cut(run: Run, here: Path) -> None:
    """`explain` shows the first, and says how many more there are."""
    lines = [f"  key{number}: {number}" for number in range(300)]
    (here / "many.yaml").write_text("\n".join(["a:", *lines]) + "\n")
    done = run("explain", "many.yaml", "a")
    assert done.status == 0
    shown = [line for line in done.lines if line.lstrip().startswith("a.key")]
    assert f"  and {300 - len(shown)} more" in done.lines


def test_a_value_under_one_that_replaced_its_parents_is_overridden() -> None:
    """Two mappings add up until a layer below has a plain value: what is under that is gone."""
    trees: tuple[dict[str, Any], ...] = ({"a": {"b": 1}}, {"a": 5}, {"a": {"c": 2}})
    layers = [Layer(tree, lambda _: Origin("")) for tree in trees]
    found = [(one.effect, one.value) for one in contributions(layers, ("a",))]
    assert found == [("sets", {"c": 2}), ("adds", 5), ("overridden", {"b": 1})]


def test_init_leaves_a_project_that_names_its_engine(run: Run, here: Path) -> None:
    """Our section in pyproject.toml stays as it is."""
    (here / "pyproject.toml").write_text("[tool.reloadcheck]\napp = 'mine:live'\n")
    done = run("init", "flask")
    assert done.status == 0
    assert "it has [tool.reloadcheck] already" in " ".join(done.out.split())
    assert (here / "pyproject.toml").read_text() == "[tool.reloadcheck]\napp = 'mine:live'\n"


def test_digest_of_a_file_that_has_nothing_to_do_with_the_application(run: Run, app: str) -> None:
    """Of two sources nobody knows which it stands for: it is told by itself."""
    Path("other.yaml").write_text("a: 1\n")
    alone = run("digest", "other.yaml", "--no-app").lines
    assert run("digest", "other.yaml", "--app", app).lines == alone
    done = run("approve", "other.yaml", "--app", app, "--why", "x")
    assert done.status == 2


def test_a_digest_that_cannot_be_had_is_told_as_json(run: Run, here: Path) -> None:
    """A pipeline that reads it gets an object, and why there is none."""
    (here / "bad.yaml").write_text("a: [\n")
    done = run("digest", "bad.yaml", "--json")
    assert (done.status, done.document["digest"]) == (1, None)
    assert done.document["problems"][0]["line"] == 1

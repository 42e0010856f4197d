"""Options that are words, and what surrounds an engine; what is wrong is refused by its name."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

import logging
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from reloadcheck import (
    DirectorySource,
    FileReferences,
    FileSource,
    HTTPSource,
    OptionError,
    RegistrationError,
    ReloadCheck,
    Together,
    UsageError,
    reload_check,
)
from reloadcheck._engine import exit_hooks
from reloadcheck._engine.api import engine_of
from reloadcheck._engine.options import Options, options_from, switch_of
from reloadcheck._engine.uwsgi import HOOKS, warn_before_forks
from reloadcheck._engine.whole_modules import whole_modules
from reloadcheck._observe import identity
from reloadcheck.exceptions import BlockingCallError, InterpreterError
from reloadcheck.stores import EtcdStore, PostgresStore
from reloadcheck.testing import MemoryStore
from tests.support.rig import Text


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("BOOT", " Last-Good ", "boot", "last-good"),
        ("APP", " shop ", "app", "shop"),
        ("TOGETHER", "quorum", "together", Together("quorum")),
        ("TOGETHER", "ALL", "together", Together("all")),
        ("TOGETHER", "off", "together", None),
    ],
)
def test_words_in_the_environment_win(variable: str, text: str, name: str, value: object) -> None:
    """Whatever their case, with blanks around them."""
    found = options_from(Options(), None, {f"RELOAD_CHECK_{variable}": text})
    assert getattr(found, name) == value


@pytest.mark.parametrize(
    ("variable", "text", "wanted"),
    [
        ("BOOT", "newest", "one of file, last-good"),
        ("APP", " ", "a name"),
        ("TOGETHER", "most", "one of all, quorum, off"),
    ],
)
def test_a_wrong_word_in_the_environment_is_refused(variable: str, text: str, wanted: str) -> None:
    """By the variable, with what is wanted."""
    with pytest.raises(OptionError) as caught:
        options_from(Options(), None, {f"RELOAD_CHECK_{variable}": text})
    said = f"environment variable RELOAD_CHECK_{variable}: must be {wanted}, not '{text}'"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unknown": "shout"}, "unknown must be one of warn, reject, ignore"),
        ({"boot": "newest"}, "boot must be one of file, last-good"),
        ({"app": " shop"}, "app must be a name, or None"),
        ({"release": 7}, "release must be a name, or None"),
        ({"together": "most", "store": MemoryStore()}, "together must be one of all, quorum"),
        ({"together": 5, "store": MemoryStore()}, "together must be one of all, quorum"),
        ({"together": Together(deadline=0), "store": MemoryStore()}, "together: deadline must be"),
        ({"together": "all"}, "together needs a store that the workers share"),
        ({"fallback": "x.yaml"}, "fallback is served by an order, which needs a store"),
        ({"trial": 5}, "trial must be"),
    ],
)
def test_a_wrong_option_is_refused_when_the_engine_is_made(
    options: dict[str, Any], said: str
) -> None:
    """By its name; a type checker would say so before."""
    with pytest.raises(OptionError, match=said.replace("(", r"\(")):
        ReloadCheck(Text("a: 1"), environ={}, **options)


def test_a_store_that_the_environment_takes_away_leaves_each_worker_alone() -> None:
    """What was to be decided together is decided alone, which is a remark."""
    environ = {"RELOAD_CHECK_STORE": ""}
    live = ReloadCheck(Text("a: 1"), environ=environ, together="all", store=MemoryStore())
    assert any("together" in remark for remark in live.status().remarks)


def test_a_switch_of_a_variable_is_one_of_some_words() -> None:
    """And refused by the variable's name."""
    assert (switch_of("X", "on"), switch_of("X", "0")) == (True, False)
    with pytest.raises(OptionError, match="environment variable X: must be one of 1 true"):
        switch_of("X", "perhaps")


def test_a_key_that_waits_for_a_restart_is_a_key_of_the_schema() -> None:
    """A misspelt one would keep nothing; of several calls each adds."""
    from tests.schema.models import Settings

    live: ReloadCheck[Any] = ReloadCheck(Text("a: 1"), schema=Settings, environ={})
    with pytest.raises(RegistrationError, match="the schema has no key datbase"):
        live.restart_only("datbase")
    live.restart_only("database")
    gates = list(engine_of(live).gates)
    live.restart_only("services")
    assert list(engine_of(live).gates) == gates


@pytest.mark.parametrize("word", ["promote", "undo"])
def test_where_nothing_is_tried_nothing_can_be_ended(word: str) -> None:
    """It is said, and no silent success."""
    live: ReloadCheck[Any] = ReloadCheck(Text("a: 1"), environ={}, window=0)
    with pytest.raises(UsageError):
        getattr(live, word)()


# ------------------------------------------------------------------------ what surrounds it


def _uwsgi(**told: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "worker_id": lambda: 0,
        "opt": dict[str, object](),
        "masterpid": lambda: 1,
        "numproc": 4,
    }
    return {"uwsgi": SimpleNamespace(**{**known, **told})}


@pytest.mark.parametrize(
    ("modules", "warns"),
    [
        ({}, False),
        (_uwsgi(), True),
        (_uwsgi(worker_id=lambda: 2), False),
        (_uwsgi(opt={HOOKS: True}), False),
        (_uwsgi(masterpid=lambda: 0, numproc=1), False),
        (_uwsgi(masterpid=lambda: 0), True),
        ({"uwsgi": SimpleNamespace()}, False),
    ],
)
def test_an_engine_that_starts_before_uwsgi_forks_is_warned_of(
    modules: dict[str, Any], warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker's threads would be missing; in a worker, or with the hooks, nothing is said."""
    with caplog.at_level(logging.WARNING, "reloadcheck"):
        warn_before_forks(modules)
    assert [HOOKS in record.getMessage() for record in caplog.records] == [True] * warns


def test_an_import_that_a_sub_interpreter_refuses_says_what_to_do() -> None:
    """Where to start the engine instead."""
    with pytest.raises(InterpreterError, match="start it in the main interpreter"), whole_modules():
        raise ImportError("module x does not support loading in subinterpreters")


def test_an_import_that_a_signal_handler_interrupted_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A module of ours that is half there will be whole when the handler has returned."""
    with pytest.raises(ImportError, match="no module"), whole_modules():
        raise ImportError("no module")
    half: Any = ModuleType("reloadcheck._half")
    half.__spec__ = SimpleNamespace(name="reloadcheck._half", _initializing=True)
    monkeypatch.setitem(sys.modules, "reloadcheck._half", half)
    with pytest.raises(BlockingCallError, match="a signal handler called this"), whole_modules():
        raise ImportError("cannot import name")


def test_a_system_that_does_not_tell_of_forks_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /proc, or another one."""

    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError

    assert exit_hooks._was_forked() is False
    monkeypatch.setattr("builtins.open", refuse)
    assert exit_hooks._was_forked() is False


def test_a_forked_child_closes_before_it_exits_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the status given, and also where closing fails; a grandchild closes nothing of it."""
    import os

    told: list[object] = []
    monkeypatch.setattr(os, "_exit", os._exit)
    monkeypatch.setattr(exit_hooks, "_real_exit", told.append)
    exit_hooks._wrap_exit(lambda: told.append("closed"))
    leave: Any = os._exit
    leave(3)
    assert told == ["closed", 3]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    leave(4)
    assert told == ["closed", 3, 4]


def test_a_worker_of_uwsgi_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a process whose directory was removed has none."""
    import os

    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(worker_id=lambda: 7))
    assert identity._worker() == "uwsgi-7"

    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert identity._directory() == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: ReloadCheck(Text("a: 1"), environ={}, store=cast("Any", 3)), "a store is a path"),
        (lambda: ReloadCheck(Text("a: 1"), environ={}, contract=cast("Any", 3)), "a contract is"),
        (lambda: FileSource(cast("Any", b"c.yaml")), "a FileSource is a path.*not bytes"),
        (lambda: FileSource("c.yaml", within=cast("Any", 3)), "within is a path"),
        (lambda: DirectorySource(cast("Any", None)), "a DirectorySource is a path"),
        (lambda: FileReferences(cast("Any", 3)), "FileReferences is a path"),
        (lambda: HTTPSource("http://h/c.yaml", last_good=cast("Any", 3)), "last_good is a path"),
        (lambda: PostgresStore("postgresql://h/d", mirror=cast("Any", 3)), "mirror is a path"),
        (lambda: EtcdStore("http://h:1", mirror=cast("Any", 3)), "mirror is a path"),
    ],
)
def test_what_is_no_path_is_refused_by_its_name(given: Callable[[], object], said: str) -> None:
    """With an error of the tree, as every other option, and at once."""
    with pytest.raises(OptionError, match=said):
        given()


def test_what_is_no_function_is_not_decorated() -> None:
    """With an error of the tree, where it is written."""
    with pytest.raises(UsageError, match="decorates a function, not int"):
        reload_check(Text("a: 1"), environ={})(cast("Any", 3))

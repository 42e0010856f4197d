"""The front door: what is exported, and what importing it does not do."""

import inspect
import pickle
import re
import subprocess
import sys
from typing import Any

import pytest

import reloadcheck
from reloadcheck import exceptions, types

FACE = [
    "Attempt",
    "BlockingCallError",
    "Clock",
    "Code",
    "ConfigError",
    "ConfigSyntaxError",
    "ContractError",
    "CopyError",
    "Decorating",
    "Diff",
    "DirectorySource",
    "Document",
    "DotenvSource",
    "DrainError",
    "Draining",
    "EnvReferences",
    "EnvironSource",
    "EtcdSource",
    "FactoryError",
    "FactoryKind",
    "FileReferences",
    "FileSource",
    "FrozenDict",
    "HTTPSource",
    "HangingError",
    "InternalError",
    "InterpreterError",
    "JSONSchema",
    "Layer",
    "Lease",
    "LeaseUsedError",
    "MergeError",
    "NoSnapshotError",
    "OptionError",
    "OrderRefusedError",
    "Orders",
    "Origin",
    "Outcome",
    "OutsideWorkError",
    "Override",
    "Phase",
    "ProbeError",
    "ProbeOutcome",
    "ProbeStatus",
    "Problem",
    "References",
    "RefusedError",
    "Registering",
    "RegistrationError",
    "ReloadCheck",
    "ReloadCheckError",
    "ReloadEvent",
    "Resource",
    "ResourceClosedError",
    "ResourceError",
    "ResourceStatus",
    "ResourceTimeoutError",
    "Resources",
    "RoundStatus",
    "SchemaClassError",
    "SchemaError",
    "ShadowStatus",
    "SignalStatus",
    "Snapshot",
    "Source",
    "SourceError",
    "Stamp",
    "Standing",
    "Status",
    "StillRunningError",
    "StoreError",
    "StoreLostError",
    "StoreRefusedError",
    "StoreStatus",
    "StoreUnsureError",
    "Together",
    "TornError",
    "TrialStatus",
    "Trigger",
    "UnitOfWork",
    "UnknownResourceError",
    "UnsettledError",
    "UsageError",
    "Waiting",
    "WrongLoopError",
    "current_snapshot",
    "plain",
    "reload_check",
]

FRAMEWORKS = {
    "aiohttp", "anyio", "celery", "django", "fastapi", "flask", "httpx", "httpx2", "msgspec",
    "psycopg", "pydantic", "starlette", "uvicorn", "werkzeug",
}  # fmt: skip


def imported(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has after running the code."""
    report = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split("\n")[-2].split())


def test_the_names_are_pinned() -> None:
    """`__all__` is a contract: explicit, sorted, each name there and documented."""
    assert reloadcheck.__all__ == FACE
    assert sorted(FACE) == FACE
    for name in FACE:
        assert getattr(reloadcheck, name).__doc__


def test_the_decorator_says_every_option_that_the_engine_has() -> None:
    """At run time too, as `help()` and notebooks ask: each by its name, its default, its type."""
    said, *_ = inspect.signature(reloadcheck.reload_check).parameters.values()
    options = list(inspect.signature(reloadcheck.reload_check).parameters.values())[1:]
    assert (said.name, said.kind) == ("sources", inspect.Parameter.VAR_POSITIONAL)
    assert options == list(inspect.signature(reloadcheck.ReloadCheck).parameters.values())[1:]
    assert len(options) > 20


def test_the_error_tree_is_whole() -> None:
    """Every error that a user can meet is in `exceptions`, drawn in its docstring, exported."""
    errors = {
        name
        for name, one in vars(exceptions).items()
        if isinstance(one, type) and issubclass(one, exceptions.ReloadCheckError)
    }
    assert sorted(errors) == exceptions.__all__
    assert errors <= set(FACE)
    for name in errors:
        assert re.search(rf"\b{name}\b", exceptions.__doc__ or ""), name


@pytest.mark.parametrize("module", [reloadcheck, exceptions])
def test_an_old_name_warns(module: Any) -> None:
    """What an error was called before still catches it, and says what it is called now."""
    with pytest.warns(DeprecationWarning, match="is called NoSnapshotError now"):
        old = module.NotStartedError
    assert old is reloadcheck.NoSnapshotError


def test_importing_loads_no_framework() -> None:
    """`import reloadcheck` brings in no framework and no schema library."""
    assert set() == imported("import reloadcheck") & FRAMEWORKS


def test_importing_starts_and_touches_nothing() -> None:
    """Importing, and constructing an engine, start no thread, install no hook, open no file."""
    code = """
import os, signal, sys, threading, atexit
before = len(os.listdir("/proc/self/fd")), threading.active_count(), atexit._ncallbacks()
handlers = [signal.getsignal(n) for n in range(1, 32)]
import reloadcheck
live = reloadcheck.ReloadCheck("missing.yaml")
@live.resource("a")
def pool(a): raise SystemExit
live.subscribe(print)
after = len(os.listdir("/proc/self/fd")), threading.active_count()
assert after == before[:2], (before, after)
assert handlers == [signal.getsignal(n) for n in range(1, 32)]
"""
    imported(code)


@pytest.mark.parametrize(
    ("door", "foreign"), [("asgi", {"werkzeug"}), ("wsgi", {"starlette", "asgiref"})]
)
def test_a_door_loads_nothing_of_the_other_stack(door: str, foreign: set[str]) -> None:
    """An ASGI application never imports werkzeug, a WSGI application never starlette."""
    assert set() == imported(f"import reloadcheck.{door}") & (foreign | {"pydantic", "msgspec"})


def test_serving_loads_nothing_of_the_other_stack(tmp_path: object) -> None:
    """Also while serving, each door stays with its own stack, and without a schema with neither."""
    code = f"""
import pathlib
from reloadcheck import ReloadCheck
from reloadcheck.wsgi import ReloadCheckMiddleware
path = pathlib.Path({str(tmp_path)!r}) / "app.yaml"
path.write_text("a: 1")
live = ReloadCheck(path, settle=0)
app = ReloadCheckMiddleware(lambda environ, start: [b"x"], live)
assert app({{"PATH_INFO": "/"}}, None) == [b"x"]
live.close()
"""
    assert set() == imported(code) & (FRAMEWORKS - {"werkzeug"})


def test_the_version_is_the_projects() -> None:
    """The version that users see is the one that was built."""
    from importlib.metadata import version

    assert reloadcheck.__version__ == version("reloadcheck")


def test_words_are_called_by_where_they_are_imported_from() -> None:
    """In reprs, pickles and documentation: `reloadcheck.types`, loaded at once or later."""
    found = {name: getattr(types, name) for name in types.__all__}
    classes = {name: one for name, one in found.items() if isinstance(one, type)}
    assert len(classes) > 20
    homes = {name: one.__module__ for name, one in classes.items()}
    assert homes == dict.fromkeys(classes, "reloadcheck.types")
    for value in (types.Stamp(1), types.Board(1, {}), types.SignalStatus("failed", 1, 2, 0.5)):
        assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(AttributeError, match="nothing"):
        getattr(types, "nothing")  # noqa: B009 - no name that a type checker would know

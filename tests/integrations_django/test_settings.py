"""`RELOAD_CHECK`: what it may say, what the checks say of it, and how they name the line."""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.cache import caches
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import override_settings

from reloadcheck import EnvironSource, UsageError
from reloadcheck.integrations import django as adapter
from reloadcheck.integrations.django.settings import Part
from reloadcheck.integrations.django.settings import declared as read
from tests.support.servers import ROOT

from .site import APP, MIDDLEWARE, declared, site, write

HERE = __name__
OTHER = "django.middleware.common.CommonMiddleware"


@dataclass
class Mutable:
    """A schema that requests could change."""

    number: int


@dataclass(frozen=True)
class Frozen:
    """A schema as it should be."""

    number: int
    end: int


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration file with the number 1."""
    file = tmp_path / "config.yaml"
    write(file, 1)
    return file


def found(file: Path, **given: Any) -> list[tuple[str | None, str, str]]:
    """Run Django's checks on a site; give what ours say."""
    with declared(file, **given):
        messages = run_checks(tags=["reloadcheck"])
    return [(one.id, one.msg, one.hint or "") for one in messages]


def test_a_good_site_has_nothing_to_hear_of(file: Path) -> None:
    """Checks are silent where all is well, and start nothing."""
    assert found(file, schema=f"{HERE}.Frozen") == []


CASES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "a missing file": (
        *("E001", "missing.yaml", "create it, or change RELOAD_CHECK['SOURCES']"),
        {"sources": ["missing.yaml"]},
    ),
    "another middleware above": (
        *("E002", "middlewares above", f"to the top of MIDDLEWARE, above '{OTHER}'"),
        {"MIDDLEWARE": [OTHER, MIDDLEWARE]},
    ),
    "the middleware twice": (
        *("E003", "twice", f"take '{MIDDLEWARE}' out of MIDDLEWARE, where it is number 3"),
        {"MIDDLEWARE": [MIDDLEWARE, OTHER, MIDDLEWARE]},
    ),
    "a mutable schema": (
        *("E004", "Mutable", "@dataclass(frozen=True)"),
        {"schema": f"{HERE}.Mutable"},
    ),
    "a schema that is not there": (
        *("E004", f"{HERE}.Absent", '"SCHEMA": "mysite.config.Settings"'),
        {"schema": f"{HERE}.Absent"},
    ),
    "no settings": (
        *("E005", "RELOAD_CHECK is not in the settings", 'RELOAD_CHECK = {"SOURCES": ['),
        {"RELOAD_CHECK": None},
    ),
    "a key that does not exist": (
        *("E005", "'widnow'] is none of", "RELOAD_CHECK"),
        {"widnow": 1},
    ),
    "an impossible option": (
        *("E005", "window must be a number of seconds", "change RELOAD_CHECK"),
        {"window": -1},
    ),
    "no middleware": (
        *("E006", "is missing", f"make '{MIDDLEWARE}' the first of MIDDLEWARE"),
        {"MIDDLEWARE": [OTHER]},
    ),
    "an alias that Django does not know": (
        *("E007", "'replica': not in DATABASES", 'add "replica": {…} to DATABASES'),
        {"databases": {"replica": "number"}},
    ),
    "a path that the schema does not have": (
        *("E007", "the schema has no field cash", 'change "default": "cash" in RELOAD_CHECK'),
        {"caches": {"default": "cash"}, "schema": f"{HERE}.Frozen"},
    ),
}


@pytest.mark.parametrize(("number", "message", "hint", "given"), CASES.values(), ids=CASES.keys())
def test_a_check_names_what_is_wrong_and_the_line_to_change(
    file: Path, number: str, message: str, hint: str, given: dict[str, Any]
) -> None:
    """Each mistake is one error with its own id, and its hint says what to write where."""
    ((identity, said, hinted),) = (
        one for one in found(file, **given) if one[0] == f"reloadcheck.{number}"
    )
    assert identity == f"reloadcheck.{number}"
    assert message in said
    assert hint in hinted


@pytest.mark.parametrize(
    ("setting", "handler", "part"),
    [("DATABASES", connections, "databases"), ("CACHES", caches, "caches")],
)
@pytest.mark.parametrize("what", ["the one of this thread", "the ones of the next threads"])
def test_a_check_sees_that_a_connection_does_not_follow(
    file: Path, what: str, setting: str, handler: Any, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody has put in place of ours is looked at where it is: in the thread that asks."""
    given = {part: {"default": "number"}}
    plain = partial(cast("Any", type(handler)).create_connection, handler)
    with declared(file, **given):
        assert run_checks(tags=["reloadcheck"]) == []
        if what == "the one of this thread":
            handler["default"] = plain("default")
        else:
            monkeypatch.setattr(handler, "create_connection", plain)
        ((identity, said, hint),) = [
            (one.id, one.msg, one.hint) for one in run_checks(tags=["reloadcheck"])
        ]
    del handler["default"]
    assert identity == "reloadcheck.E008"
    assert f"RELOAD_CHECK['{setting}'] names 'default', but " in said
    assert "does not follow: it is a django." in said
    assert f"once '{APP}' is installed" in str(hint)


def test_a_site_that_is_declared_wrong_does_not_serve(file: Path) -> None:
    """What the checks report stops the application from being made, by the same sentence."""
    mistakes: dict[str, dict[str, Any]] = {
        "none of": {"widnow": 1},
        "can be changed": {"schema": f"{HERE}.Mutable"},
        "not in DATABASES": {"databases": {"replica": "number"}},
        "the schema has no field cash": {"caches": {"default": "cash"}, "schema": f"{HERE}.Frozen"},
        f"add '{APP}'": {"INSTALLED_APPS": []},
    }
    for words, given in mistakes.items():
        with declared(file, **given), pytest.raises(Exception, match=words) as raised:
            get_wsgi_application()
        assert isinstance(raised.value, ImproperlyConfigured | UsageError)


def test_the_engine_is_one_and_is_made_of_the_settings(file: Path) -> None:
    """`live` is the same engine for all that import it, with the schema and options given."""
    with site(file, schema=f"{HERE}.Frozen", enabled=False) as live:
        assert live is adapter.live
        live.start()
        assert Frozen(1, 1) == live.snapshot.config
        assert not live.status().enabled
        live.close()


def test_resource_modules_are_imported_before_the_start(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that registers resources on `live` is imported when Django is set up."""
    module = "tests.integrations_django.resources"
    monkeypatch.delitem(sys.modules, module, raising=False)
    with site(file, resources=[module]) as live:
        live.start()
        assert dict(live.snapshot.resources) == {"doubled": 2}
        live.close()


def test_a_resource_module_that_is_not_there_is_named_by_its_key(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelled module is told as a setting; what a module fails to import stays its own."""
    wanted = r"RELOAD_CHECK\['RESOURCES'\] names 'nowhere.resources': there is no module nowhere"
    with (
        pytest.raises(ImproperlyConfigured, match=wanted),
        site(file, resources="nowhere.resources"),
    ):
        pass
    (tmp_path / "wanting.py").write_text("import nowhere_either")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with (
        pytest.raises(ModuleNotFoundError, match="nowhere_either"),
        site(file, resources="wanting"),
    ):
        pass


@pytest.mark.parametrize(
    "given",
    [
        *({"sources": []}, {"sources": 7}, {"resources": 7}, {"resources": [7]}),
        *(
            {"databases": ["default"]},
            {"caches": {"default": 7}},
            {"caches": {"default": []}},
            {"caches": {"a": ("b", "c", "d")}},
            {"Sources": "a", "SOURCES": "b"},
        ),
    ],
    ids=str,
)
def test_a_value_of_the_wrong_kind_is_named(given: dict[str, Any]) -> None:
    """What cannot be meant is refused by its key, in capitals as in the settings."""
    word = next(iter(given)).upper()
    with pytest.raises(ImproperlyConfigured, match=rf"(?i)RELOAD_CHECK.*{word}"):
        read({"sources": ["config.yaml"]} | given if word != "SOURCES" else given)


def test_setting_apps_up_again_registers_nothing_twice(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests that change INSTALLED_APPS have Django call `ready` again, on the same engine."""
    module = "tests.integrations_django.resources"
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(caches, "create_connection", caches.create_connection)  # put back then
    with site(file, resources=[module], caches={"default": "number"}) as live:
        with override_settings(INSTALLED_APPS=[APP, "django.contrib.contenttypes"]):
            get_wsgi_application()
        assert live is adapter.live


ALONE = """
import sys
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.core.asgi import get_asgi_application
settings.configure(
    INSTALLED_APPS=["reloadcheck.integrations.django"],
    MIDDLEWARE=["reloadcheck.integrations.django.middleware.ReloadCheckMiddleware"],
    RELOAD_CHECK={"SOURCES": ["config.yaml"], "CACHES": {"default": "cache"}},
)
get_wsgi_application(), get_asgi_application()
print(sorted({"starlette", "werkzeug", "redis", "psycopg", "flask"} & set(sys.modules)))
"""


def test_a_site_imports_no_other_stack() -> None:
    """Setting up a site loads neither another framework nor a driver that it does not use."""
    command = [sys.executable, "-W", "error", "-c", ALONE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def dsn(value: str) -> dict[str, str]:
    """Put a part into Django's words."""
    return {"name": value}


def test_a_function_may_put_a_part_into_djangos_words() -> None:
    """An alias follows the value at a path, as it is or as a function of the site gives it."""
    given = {"default": "database", "replica": ("replica.url", f"{HERE}.dsn")}
    parts = read({"sources": "a.yaml", "databases": given}).databases
    assert {"default": Part("database"), "replica": Part("replica.url", dsn)} == parts
    assert parts["replica"].read("x") == {"name": "x"}
    assert parts["default"].read("x") == "x"
    absent = {"sources": "a.yaml", "caches": {"default": ("cache", f"{HERE}.absent")}}
    with pytest.raises(ImproperlyConfigured, match=r"'CACHES'.*absent"):
        read(absent)


def test_sources_may_be_one_or_several() -> None:
    """One path, one source, or a list of both."""
    environ = EnvironSource("APP")
    assert read({"SOURCES": "a.yaml"}).sources == ("a.yaml",)
    assert (environ,) == read({"SOURCES": environ}).sources
    assert ("a.yaml", environ) == read({"SOURCES": ["a.yaml", environ]}).sources


def test_a_schema_module_that_imports_live_is_told_so(file: Path) -> None:
    """The one circle that can be written is refused by name, not by a recursion error."""
    path = "tests.integrations_django.circular.Settings"
    with pytest.raises(ImproperlyConfigured, match="module of its own"), site(file, schema=path):
        pass

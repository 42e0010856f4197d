"""Options: from code and from the environment, each bad value named, never a silent default."""

import inspect
import re
import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import reloadcheck
from reloadcheck import OptionError, ReloadCheck, Snapshot
from reloadcheck._engine.api import set_options
from reloadcheck._engine.options import VARIABLES, Options, options_from
from reloadcheck._runtime.clock import SystemClock
from tests.support.rig import Text

TIMES = ("window", "settle", "verify", "patience", "drain")


def test_the_defaults() -> None:
    """The defaults are those of the contract."""
    assert options_from(Options(), None, {}) == Options(
        window=1.0,
        settle=0.25,
        verify=30.0,
        patience=5.0,
        drain=30.0,
        max_bytes=4 * 2**20,
        enabled=True,
    )


@pytest.mark.parametrize("name", TIMES)
def test_the_environment_wins(name: str) -> None:
    """An operator's word wins over the code's, for each option."""
    changes: dict[str, Any] = {name: 7.0}
    given = replace(Options(), **changes)
    assert getattr(options_from(given, None, {}), name) == 7.0
    found = options_from(given, None, {f"RELOAD_CHECK_{name.upper()}": "2.5"})
    assert getattr(found, name) == 2.5
    assert getattr(options_from(given, None, {f"RELOAD_CHECK_{name.upper()}": "0"}), name) == 0


@pytest.mark.parametrize("text", ["", "fast", "-1", "nan", "inf", "1s", "1,5", "true"])
@pytest.mark.parametrize("name", TIMES)
def test_a_bad_time_in_the_environment_names_its_variable(name: str, text: str) -> None:
    """A value that does not parse is an error that names the variable and what is wanted."""
    variable = f"RELOAD_CHECK_{name.upper()}"
    with pytest.raises(OptionError, match=variable) as caught:
        ReloadCheck(Text("a: 1"), environ={variable: text})
    assert str(caught.value).endswith(f", not '{text}'")


def test_a_long_value_is_not_quoted_whole() -> None:
    """What is no number may be anything: it is cut and escaped."""
    with pytest.raises(OptionError) as caught:
        ReloadCheck(Text("a: 1"), environ={"RELOAD_CHECK_WINDOW": "\x1b" + "x" * 1000})
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


def test_a_misspelt_variable_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """It is named at the start, in the log and in the status, with what was meant; once."""
    environ = {
        "RELOAD_CHECK_WINDW": "s3cret",
        "RELOAD_CHECK_WINDOW": "2",
        "RELOAD_CHECK_STATUS_TOKEN": "x",
        "RELOAD_CHECK": "off",
        "RELOADCHECK_TRIAL": "off",
        "RELOAD_CHECK_ZZ\n": "",
        "PATH": "/bin",
    }
    said = (
        "environment variable RELOADCHECK_TRIAL is not known: did you mean RELOAD_CHECK_TRIAL?",
        "environment variable RELOAD_CHECK is not known: did you mean RELOAD_CHECK_ENABLED?",
        "environment variable RELOAD_CHECK_WINDW is not known: did you mean RELOAD_CHECK_WINDOW?",
        "environment variable RELOAD_CHECK_ZZ\\n is not known",
    )
    live = ReloadCheck(Text("a: 1"), environ=environ)
    assert said == live.status().remarks
    assert caplog.messages == []
    live.start()
    live.check()
    assert list(said) == [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert (said, "warn") == (live.status().remarks, live.status().standing)
    live.close()


def test_every_variable_that_is_read_is_known() -> None:
    """What the package reads by name anywhere is no stranger to it."""
    package = Path(reloadcheck.__file__).parent
    found: set[str] = set()
    for path in package.rglob("*.py"):
        found.update(re.findall(r"RELOAD_CHECK_[A-Z_]*[A-Z]", path.read_text()))
    assert found <= set(VARIABLES)


@pytest.mark.parametrize("text", ["none", "None", " NONE "])
def test_verify_may_be_none(text: str) -> None:
    """`verify` alone may be switched off by name."""
    assert options_from(Options(), None, {"RELOAD_CHECK_VERIFY": text}).verify is None
    with pytest.raises(OptionError, match="RELOAD_CHECK_WINDOW"):
        options_from(Options(), None, {"RELOAD_CHECK_WINDOW": text})


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        *((word, True) for word in ("1", "true", "YES", "On", " true ")),
        *((word, False) for word in ("0", "false", "NO", "Off")),
    ],
)
@pytest.mark.parametrize("given", [True, False, None])
def test_the_switch(given: bool | None, text: str, enabled: bool) -> None:
    """The switch takes eight words in any case, and wins over the code."""
    live = ReloadCheck(Text("a: 1"), enabled=given, environ={"RELOAD_CHECK_ENABLED": text})
    assert live.status().enabled is enabled


@pytest.mark.parametrize("text", ["", "2", "maybe", "t", "disabled"])
def test_a_bad_switch_names_its_variable(text: str) -> None:
    """What is neither on nor off is an error, not a guess."""
    with pytest.raises(OptionError, match="RELOAD_CHECK_ENABLED"):
        ReloadCheck(Text("a: 1"), environ={"RELOAD_CHECK_ENABLED": text})


@pytest.mark.parametrize("given", [True, False, None])
def test_without_a_variable_the_code_decides(given: bool | None) -> None:
    """With no word of an operator the code decides; silent code means on."""
    live = ReloadCheck(Text("a: 1"), enabled=given, environ={})
    assert live.status().enabled is (given is not False)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "1", True, None, [1]])
@pytest.mark.parametrize("name", TIMES)
def test_a_bad_time_in_code_names_its_option(name: str, value: Any) -> None:
    """Impossible options are refused at construction, each by its name."""
    if name == "verify" and value is None:
        assert options_from(Options(verify=None), None, {}).verify is None
        return
    options: dict[str, Any] = {name: value}
    with pytest.raises(OptionError, match=name):
        ReloadCheck(Text("a: 1"), environ={}, **options)


@pytest.mark.parametrize("value", ["license", None, 7, [""], [b"license"], [7]])
def test_names_of_secrets_are_a_list_of_texts(value: Any) -> None:
    """A lone text would be taken for its letters."""
    with pytest.raises(OptionError, match="secrets must be names"):
        ReloadCheck(Text("a: 1"), environ={}, secrets=value)


@pytest.mark.parametrize("value", [0, -1, 1.5, "4", True, None])
def test_a_bad_size_is_refused(value: Any) -> None:
    """`max_bytes` is a positive whole number."""
    with pytest.raises(OptionError, match="max_bytes"):
        ReloadCheck(Text("a: 1"), environ={}, max_bytes=value)


@pytest.mark.parametrize("value", ["yes", 1, 0])
def test_a_switch_in_code_is_a_boolean(value: Any) -> None:
    """`enabled` in code is True, False or None; a word that looks like one is refused."""
    with pytest.raises(OptionError, match="enabled"):
        ReloadCheck(Text("a: 1"), environ={}, enabled=value)


def test_an_unknown_option_names_the_known_ones() -> None:
    """A misspelt option is an error at once; a framework's setting is told what there is."""
    options: dict[str, Any] = {"windows": 1.0}
    with pytest.raises(TypeError, match="windows"):
        ReloadCheck(Text("a: 1"), environ={}, **options)
    with pytest.raises(OptionError, match=r"windows.*settle"):
        set_options(ReloadCheck(Text("a: 1"), environ={}), options)


def test_the_signature_is_the_declaration() -> None:
    """Each option stands in the signature with its default, so that an editor shows it."""
    shown = inspect.signature(vars(ReloadCheck)["__init__"]).parameters
    for option in fields(Options):
        declared = {"enabled": None, "secrets": (), "public": ()}.get(option.name, option.default)
        assert shown[option.name].default == declared
    spelled = set(shown) - {"self", "sources"}
    assert {
        "schema",
        "clock",
        "contract",
        "environ",
        "trial",
        "store",
        "references",
        "fallback",
        *(one.name for one in fields(Options)),
    } == spelled


def test_the_variables_are_pinned() -> None:
    """Every variable that is looked at is known by name."""
    assert sorted(VARIABLES) == [
        "RELOAD_CHECK_APP",
        "RELOAD_CHECK_BOOT",
        "RELOAD_CHECK_CONTRACT",
        "RELOAD_CHECK_DRAIN",
        "RELOAD_CHECK_ENABLED",
        "RELOAD_CHECK_ENVIRONMENT",
        "RELOAD_CHECK_HEALTH_PATH",
        "RELOAD_CHECK_PATIENCE",
        "RELOAD_CHECK_RELEASE",
        "RELOAD_CHECK_SETTLE",
        "RELOAD_CHECK_STATUS_PATH",
        "RELOAD_CHECK_STATUS_TOKEN",
        "RELOAD_CHECK_STATUS_URL",
        "RELOAD_CHECK_STORE",
        "RELOAD_CHECK_TOGETHER",
        "RELOAD_CHECK_TRIAL",
        "RELOAD_CHECK_VERIFY",
        "RELOAD_CHECK_WINDOW",
    ]


def test_no_source_is_an_error() -> None:
    """An engine without a source says which line is missing."""
    none: Any = ()
    wrong: Any = 5
    with pytest.raises(OptionError, match=r'ReloadCheck\("config\.yaml"\)'):
        ReloadCheck(*none)
    with pytest.raises(OptionError, match="not a int"):
        ReloadCheck(wrong)


def test_construction_looks_at_nothing() -> None:
    """Constructing an engine touches no source and starts no thread: safe at import."""
    text = Text("a: [broken")
    live = ReloadCheck(text, environ={})
    assert text.stamped == text.was_read == 0
    assert live.status().state == "idle"
    assert "app.yaml" in repr(live)


def test_the_environment_is_read_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument the process's own environment is meant."""
    monkeypatch.setenv("RELOAD_CHECK_ENABLED", "off")
    assert not ReloadCheck(Text("a: 1")).status().enabled
    monkeypatch.setenv("RELOAD_CHECK_WINDOW", "soon")
    with pytest.raises(OptionError, match="RELOAD_CHECK_WINDOW"):
        ReloadCheck(Text("a: 1"))


def test_max_bytes_bounds_the_file(tmp_path: Any) -> None:
    """A file larger than `max_bytes` is never held in memory; the last good one serves."""
    path = tmp_path / "app.yaml"
    path.write_text("a: 1")
    live: ReloadCheck[Any] = ReloadCheck(path, settle=0, max_bytes=100, environ={})
    live.start()
    snapshot: Snapshot[Any] = live.snapshot
    path.write_text("a: " + "1" * 200)
    live.check()
    assert "max_bytes (100 bytes)" in str(live.status().error)
    assert live.snapshot is snapshot
    live.close()


def test_a_time_may_be_longer_than_a_lock_can_wait() -> None:
    """An option of three hundred years, which means never, makes no wait fail."""
    condition = threading.Condition()

    def notify() -> None:
        with condition:
            condition.notify_all()

    with condition:
        threading.Thread(target=notify).start()
        SystemClock().wait(condition, 1e10)


def test_a_store_that_is_none_names_its_variable() -> None:
    """An operator learns which of the two said it."""
    with pytest.raises(OptionError, match=r"^a store is the path of a file, "):
        ReloadCheck("app.yaml", store="mysql://host/x", environ={})
    with pytest.raises(OptionError, match=r"^environment variable RELOAD_CHECK_STORE: a store is "):
        ReloadCheck("app.yaml", environ={"RELOAD_CHECK_STORE": "mysql://host/x"})

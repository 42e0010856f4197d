"""A secret goes through every failing path of the package, and is looked for wherever one reads.

In the log at every level, in the status, in events, in each error with all that it was raised from,
in tracebacks, and in what a traceback tells of local variables of our own functions.
"""

import base64
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import psycopg
import pydantic
import pytest

from reloadcheck import (
    ConfigError,
    DirectorySource,
    EnvironSource,
    FrozenDict,
    ReloadCheck,
    ReloadEvent,
    Source,
)
from reloadcheck._page import Wanted, page
from reloadcheck._redact import is_secret, redact
from reloadcheck._view import view_of
from reloadcheck.cli import main
from reloadcheck.demo.postgres import PostgresServer
from tests.core.rig import until
from tests.hazards.rig import engine, options

SECRET = "c4n4ry/p4ss w0rd"
SPELLINGS = (SECRET, quote(SECRET, safe=""), SECRET.encode().hex(), "c4n4ry", "w0rd")
GOOD = f"password: {SECRET}\nn: 1\n"
PACKAGE = str(Path(is_secret.__code__.co_filename).parent)


class ByPydantic(pydantic.BaseModel):
    """A schema by pydantic, with a check of its own that quotes."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    password: str
    n: int

    @pydantic.model_validator(mode="after")
    def check(self) -> "ByPydantic":
        """Refuse 13, in words that quote."""
        if self.n == 13:
            raise ValueError(f"{self.password} and 13 bring bad luck")
        return self


class ByMsgspec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schema by msgspec, with a check of its own that quotes."""

    password: str
    n: int

    def __post_init__(self) -> None:
        """Refuse 13, in words that quote."""
        if self.n == 13:
            raise ValueError(f"{self.password} and 13 bring bad luck")


@dataclass(frozen=True)
class ByDataclass:
    """A schema as a dataclass."""

    password: str
    n: int


def by_callable(tree: dict[str, Any]) -> FrozenDict:
    """Convert, or raise with the value in the message and in the cause."""
    if tree["n"] == 13:
        try:
            raise KeyError(tree["password"])
        except KeyError as error:
            raise ValueError(f"{tree!r}") from error
    return FrozenDict(tree)


@dataclass
class Path_:
    """One way to fail: what is written last, the options, and what resources do with 13."""

    last: str | bytes = GOOD.replace("1", "13", 1).replace("n: 1\n", "n: 13\n")
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    place: str = ""


def with_n(number: object) -> str:
    """Give the good text with another number."""
    return f"password: {SECRET}\nn: {number}\n"


BAD = with_n(13)
FAILING = {
    "quote": Path_(f"password: '{SECRET}\n"),
    "twice": Path_(f"password: {SECRET}\npassword: {SECRET}\n"),
    "alias": Path_("password: *c4n4ry\n"),
    "tag": Path_("password: !c4n4ry\n"),
    "core tag": Path_("password: !!c4n4ry x\n"),
    "tag of Python": Path_("password: !!python/name:c4n4ry\n"),
    "anchor twice": Path_("password: &c4n4ry a\nother: &c4n4ry b\n"),
    "a key": Path_(f"password: {{x: 1, ? [{SECRET}] : 2}}\n"),
    "a number": Path_(f"password: {SECRET}\nn: 1{'0' * 30}\n"),
    "no UTF-8": Path_(GOOD.encode() + b"\xff"),
    "a NUL": Path_(GOOD + "\0"),
    "max_bytes": Path_(GOOD + "#" * 2000, {"max_bytes": 1000}),
    "empty": Path_(f"# {SECRET}\n"),
    "pydantic": Path_(f"password: [{SECRET}]\nn: {SECRET}\n", {"schema": ByPydantic}),
    "pydantic, extra": Path_(f"{GOOD}more: {SECRET}\n", {"schema": ByPydantic}),
    "pydantic, own check": Path_(BAD, {"schema": ByPydantic}),
    "msgspec": Path_(f"password: [{SECRET}]\nn: {SECRET}\n", {"schema": ByMsgspec}),
    "msgspec, extra": Path_(f"{GOOD}more: {SECRET}\n", {"schema": ByMsgspec}),
    "msgspec, own check": Path_(BAD, {"schema": ByMsgspec}),
    "dataclass": Path_(f"password: [{SECRET}]\nn: {SECRET}\n", {"schema": ByDataclass}),
    "callable": Path_(BAD, {"schema": by_callable}),
    "factory": Path_(BAD, place="factory"),
    "factory, base": Path_(BAD, place="factory, base"),
    "probe": Path_(BAD, place="probe"),
    "closer": Path_(with_n(2), place="closer"),
    "listener": Path_(with_n(2), place="listener"),
}


def raising(kind: type[BaseException] = ConnectionError) -> None:
    """Raise as a driver does: the secret in the text, in an attribute, in the cause."""
    try:
        raise LookupError(SECRET)
    except LookupError as cause:
        error = kind(f"could not log in with {SECRET} ({quote(SECRET, safe='')})")
        error.add_note(SECRET)
        raise error from cause


def build(place: str) -> Callable[[str, int], Iterator[str]]:
    """Give a factory that fails in the given place."""

    def login(password: str, n: int) -> Iterator[str]:
        if n == 13 and place == "factory":
            raising()
        if n == 13 and place == "factory, base":
            raising(SystemExit)
        yield password if n == 13 and place == "probe" else ""
        if place == "closer":
            raising()

    return login


def probe(value: str) -> None:
    """Fail if it was told to."""
    if value:
        raising()


@pytest.mark.parametrize("way", FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("first", [False, True], ids=["edit", "start"])
def test_no_failing_path_shows_it(
    way: Path_, first: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever it fails, at the first start and in an edit of a running engine."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "app.yaml"
    live: ReloadCheck[Any] = ReloadCheck(path, **way.options, **options())
    events: list[ReloadEvent] = []

    def listen(event: ReloadEvent) -> None:
        events.append(event)
        if way.place == "listener":
            raising()

    if way.place not in ("", "listener"):
        live.resource("password", "n", probe=probe, name="login")(build(way.place))
    live.subscribe(listen)
    seen: list[object] = [live]
    write(path, way.last if first else GOOD)
    try:
        live.start()
        seen += [live.snapshot, live.snapshot.resources]
        write(path, way.last)
        live.check()
        live.check()
    except ConfigError as error:
        seen.append(error)
    seen.append(live.status())
    live.close()
    seen += [live.status(), *events]
    failed = way.place in ("closer", "listener")
    assert failed or any(isinstance(one, ConfigError) or _error(one) for one in seen)
    assert found_in(seen, caplog) == []


def test_a_driver_that_is_refused_shows_nothing(
    postgres: PostgresServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A real one: with a wrong password, and with a connection string that it cannot read."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "app.yaml"
    write(path, f"dsn: {postgres.url()}\n")
    live = ReloadCheck(path, **options())
    events: list[ReloadEvent] = []

    @live.resource("dsn", timeout=30.0)
    def database(dsn: str) -> Iterator[object]:
        with psycopg.connect(dsn) as connection:
            connection.execute("select 1")
            yield connection

    live.subscribe(events.append)
    live.start()
    seen: list[object] = [live.snapshot[database] is not None]
    for dsn in (
        postgres.url(password=SECRET),
        postgres.url(user=SECRET),
        postgres.url(dbname=SECRET),
        f"host=127.0.0.1 password {SECRET}",
        f"postgresql://user:{SECRET.replace(' ', '')}@[::1:5432/x",
    ):
        write(path, f"dsn: {dsn!r}\n")
        live.check()
        assert live.status().code == "factory"
        seen.append(live.status())
    until(lambda: len(events) == 6)
    live.close()
    assert found_in([*seen, *events], caplog) == []


def test_sources_beside_files_show_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Variables and key files: clashes, bad bytes, contradictions."""
    caplog.set_level(logging.DEBUG)
    path, keys = tmp_path / "app.yaml", tmp_path / "keys"
    write(path, GOOD)
    keys.mkdir()
    (keys / "password").write_bytes(SECRET.encode() + b"\xff")
    broken: list[Source] = [
        EnvironSource("APP", {"APP_PASSWORD__X": SECRET}),
        EnvironSource("APP", {"APP_PASSWORD": f"{SECRET}\udc80"}),
        EnvironSource("APP", {"APP_A": SECRET, "APP_A__B": SECRET}),
        EnvironSource("APP", {"APP_PASSWORD": "9" * 500 + SECRET[:0]}),
        DirectorySource(keys),
    ]
    seen: list[object] = []
    for source in broken:
        live = ReloadCheck(path, source, schema=ByPydantic, **options())
        with pytest.raises(ConfigError) as caught:
            live.start()
        seen += [live, source, caught.value, live.status()]
        live.close()
    assert found_in(seen, caplog) == []


def write(path: Path, content: str | bytes) -> None:
    """Write, as text or as bytes."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _error(one: object) -> object:
    return getattr(one, "error", None)


def found_in(seen: list[object], caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give each line of all that can be read in which the secret is, in some spelling."""
    shown: list[str] = caplog.text.splitlines()
    for record in caplog.records:
        shown += [repr(record.args), str(record.exc_info)]
    for one in seen:
        shown += repr(one).splitlines() + str(one).splitlines()
        error = one if isinstance(one, BaseException) else _error(one)
        while isinstance(error, BaseException):
            shown += told_by(error)
            error = error.__cause__ or error.__context__
    spellings = (*SPELLINGS, base64.b64encode(SECRET.encode()).decode())
    return [line for line in shown if any(spelling in line for spelling in spellings)]


def told_by(error: BaseException) -> list[str]:
    """Give all that an error tells: its data, its traceback, and our functions' variables."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    variables = [
        f"{name}={value}"
        for frame in trace.stack
        if frame.filename.startswith(PACKAGE)
        for name, value in (frame.locals or {}).items()
    ]
    return [
        repr(error.args),
        repr(vars(error)),
        repr(getattr(error, "__notes__", None)),
        *"".join(traceback.format_exception(error)).splitlines(),
        *variables,
    ]


NAMED = {"pin_code": "Pin", "doorPin": "pin", "vendor-license-code": "license code",
         "licenseCode": "LICENSE_CODE", "пароль": "Пароль"}  # fmt: skip


@pytest.mark.parametrize(("key", "name"), NAMED.items())
def test_an_application_can_name_its_own_secrets(key: str, name: str) -> None:
    """Further names count like ours, as words of a key, in any case and at any depth."""
    assert not is_secret(("door", key))
    assert is_secret(("door", key), also={name})
    assert not is_secret(("door", "spinning", "license"), also={"pin", "license code"})
    tree = {"door": [{key: 1, "size": 2}]}
    assert redact(tree, also=[name]) == {"door": [{key: "***", "size": 2}]}


APP = """
from reloadcheck import ReloadCheck
live = ReloadCheck("app.yaml", secrets=["license"], environ={})
"""


def test_what_the_application_names_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not on the status page in any format, nor where the same text stands elsewhere.

    Nor by the commands that know the application.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    (tmp_path / "naming_app.py").write_text(APP)
    path = tmp_path / "app.yaml"
    text = f"vendor: {{license: {SECRET}, name: visible}}\n"
    write(path, f"{text}copy: {SECRET}\n")
    with engine(path, secrets=["license"]) as live:
        pages = [page_of(live, wanted) for wanted in Wanted]
    assert any("visible" in page for page in pages)
    write(path, text)
    write(tmp_path / "new.yaml", text.replace(SECRET, f"{SECRET} 2"))
    for command in (
        ["explain", "vendor"],
        ["explain", "vendor.license"],
        ["explain", "vendor", "--json"],
        ["diff", "app.yaml", "new.yaml"],
        ["diff", "app.yaml", "new.yaml", "--json"],
    ):
        assert main([*command, "--app", "naming_app:live"]) == 0
        pages.append(capsys.readouterr().out)
    assert [page for page in pages if "c4n4ry" in page] == []


def page_of(live: ReloadCheck[Any], wanted: Wanted) -> str:
    """Give the status page in a format."""
    return page(view_of(live, live.status(), wanted), wanted).body.decode()


def test_a_secret_of_pydantic_stays_one_in_a_live_config(tmp_path: Path) -> None:
    """The repr of the model is pydantic's own, which hides it, as ours hides everything."""

    class Settings(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(frozen=True)
        password: pydantic.SecretStr

    path = tmp_path / "app.yaml"
    write(path, f"password: {SECRET}\n")
    live = ReloadCheck(path, schema=Settings, **options())
    live.start()
    config = live.snapshot.config
    assert config.password.get_secret_value() == SECRET
    assert SECRET not in f"{config!r} {live.snapshot!r} {live.status()!r}"
    assert redact(config) == {"password": "***"}
    live.close()

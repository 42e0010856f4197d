"""A secret goes through every failing path of the package, and is looked for wherever one reads.

See `canary` for where that is.

Long because one list of failing paths is gone through in each way that a path can fail.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import psycopg
import pydantic
import pytest

from reloadcheck import ConfigError, DirectorySource, EnvironSource, FrozenDict, ReloadCheck, Source
from reloadcheck.cli import main
from reloadcheck.demo.postgres import PostgresServer
from tests.hazards.canary import SECRET, SPELLINGS, Watch, found_in, pages_of
from tests.hazards.rig import engine, options
from tests.support.rig import until
from tests.support.veiled import is_secret, redact

GOOD = f"password: {SECRET}\nn: 1\n"
GOODS = {
    "yaml": GOOD,
    "json": json.dumps({"password": SECRET, "n": 1}),
    "toml": f'password = "{SECRET}"\nn = 1\n',
}


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
    suffix: str = "yaml"


def with_n(number: object) -> str:
    """Return the good text with another number."""
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
    "JSON, quote": Path_(f'{{"password": "{SECRET}', suffix="json"),
    "JSON, twice": Path_(f'{{"password": 1, "password": "{SECRET}"}}', suffix="json"),
    "JSON, no quotes": Path_('{"password": c4n4ry}', suffix="json"),
    "TOML, quote": Path_(f'password = "{SECRET}\n', suffix="toml"),
    "TOML, twice": Path_(f'password = "{SECRET}"\npassword = "{SECRET}"\n', suffix="toml"),
    "TOML, no quotes": Path_(f"password = {SECRET}\n", suffix="toml"),
    "TOML, escape": Path_(f'password = "{SECRET}\\q"\n', suffix="toml"),
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
    """Return a factory that fails in the given place."""

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
    path = tmp_path / f"app.{way.suffix}"
    live: ReloadCheck[Any] = ReloadCheck(path, **way.options, **options())
    watch = Watch(live)
    if way.place == "listener":
        live.subscribe(lambda _: raising())
    elif way.place:
        live.resource("password", "n", probe=probe, name="login")(build(way.place))
    write(path, way.last if first else GOODS[way.suffix])
    seen: list[object] = []
    try:
        live.start()
        seen += [live.snapshot, live.snapshot.resources]
        write(path, way.last)
        live.check()
        live.check()
    except ConfigError as error:
        seen.append(error)
    failed = way.place in ("closer", "listener")
    assert failed or any(isinstance(one, ConfigError) for one in seen) or live.status().error
    seen += watch.look()
    live.close()
    seen += [*watch.look(), *watch.end()]
    assert found_in(seen, caplog) == []


FILES = {name: way for name, way in FAILING.items() if not way.place}


@pytest.mark.parametrize("way", FILES.values(), ids=FILES)
def test_no_command_shows_it(
    way: Path_, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with a file is shown with its line, in which everything is masked."""
    bad, good = (tmp_path / f"{name}.{way.suffix}" for name in ("bad", "good"))
    write(bad, way.last)
    write(good, GOODS[way.suffix])
    schema = way.options.get("schema")
    more = [] if schema is None else ["--schema", f"{__name__}:{schema.__name__}"]
    shown = ""
    for command in (["validate", bad], ["diff", good, bad], ["explain", bad, "password"]):
        for form in ([], ["--json"]):
            words = more if command[0] != "explain" else []
            main([*map(str, command), *form, *words])
            output = capsys.readouterr()
            shown += output.out + output.err
    assert "bad" in shown
    assert [line for line in shown.splitlines() if any(word in line for word in SPELLINGS)] == []


@pytest.mark.parametrize("place", ["factory", "probe", "closer"])
def test_no_async_failure_shows_it(
    place: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In a task of the event loop it is as in a thread."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "app.yaml"
    write(path, GOOD)
    live = ReloadCheck(path, **options())
    watch = Watch(live)

    async def asking(_: object) -> None:
        if place == "probe" and failing:
            raising()

    async def login(password: str, n: int) -> AsyncIterator[str]:
        if place == "factory" and failing:
            raising()
        yield password
        if place == "closer":
            raising()

    async def main() -> list[object]:
        await live.astart()
        failing.append(1)
        write(path, with_n(2))
        await live.acheck()
        seen = await asyncio.to_thread(watch.look)
        assert place == "closer" or live.status().code == place
        await live.aclose()
        return seen

    failing: list[int] = []
    live.resource("password", "n", probe=asking, name="login")(login)
    seen = asyncio.run(main())
    assert found_in([*seen, *watch.look(), *watch.end()], caplog) == []


def test_a_driver_that_is_refused_shows_nothing(
    postgres: PostgresServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A real one: with a wrong password, and with a connection string that it cannot read."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "app.yaml"
    write(path, f"dsn: {postgres.url()}\n")
    live = ReloadCheck(path, **options())
    watch = Watch(live)

    @live.resource("dsn", timeout=30.0)
    def database(dsn: str) -> Iterator[object]:
        with psycopg.connect(dsn) as connection:
            connection.execute("select 1")
            yield connection

    live.start()
    seen: list[object] = [live.snapshot[database] is not None]
    for dsn in (
        postgres.url(password=SECRET),
        postgres.url(user=SECRET),
        f"host=127.0.0.1 password {SECRET}",
        f"postgresql://user:{SECRET.replace(' ', '')}@[::1:5432/x",
    ):
        write(path, f"dsn: {dsn!r}\n")
        live.check()
        assert live.status().code == "factory"
        seen += watch.look()
    until(lambda: len(watch.events) == 5)
    live.close()
    assert found_in([*seen, *watch.end()], caplog) == []


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
        EnvironSource("APP", {"APP_N": SECRET}),
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


NAMED = {"box_number": "Box", "doorCode": "code", "vendor-license-code": "license code",
         "licenseCode": "LICENSE_CODE", "пароль": "Пароль"}  # fmt: skip


@pytest.mark.parametrize(("key", "name"), NAMED.items())
def test_an_application_can_name_its_own_secrets(key: str, name: str) -> None:
    """Further names count like ours, as words of a key, in any case and at any depth."""
    assert not is_secret(("door", key))
    assert is_secret(("door", key), also={name})
    assert not is_secret(("door", "decoding", "license"), also={"code", "license code"})
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
    text = f"vendor: {{license: {SECRET}, name: visible}}\nothers: [{{license: {SECRET}}}]\n"
    write(path, f"{text}copy: {SECRET}\n")
    with engine(path, secrets=["license"]) as live:
        pages = pages_of(live)
    assert any("visible" in page for page in pages)
    write(path, text)
    write(tmp_path / "new.yaml", text.replace(SECRET, f"{SECRET} 2"))
    for command in (
        ["explain", "vendor"],
        ["explain", "vendor.license"],
        ["explain", "others"],
        ["explain", "vendor", "--json"],
        ["diff", "app.yaml", "new.yaml"],
        ["diff", "app.yaml", "new.yaml", "--json"],
    ):
        assert main([*command, "--app", "naming_app:live"]) == 0
        pages.append(capsys.readouterr().out)
    assert [page for page in pages if "c4n4ry" in page] == []


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

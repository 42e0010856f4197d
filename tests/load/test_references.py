"""Values that stand elsewhere: `${file:db/password}` is what is read there, watched and hidden.

Long because a reference can stand, be read and fail in many ways, and each has its sentence.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from reloadcheck import (
    ConfigSyntaxError,
    EnvReferences,
    FileReferences,
    OptionError,
    Outcome,
    ReloadCheck,
    SourceError,
    Stamp,
)
from reloadcheck._config.mask import MASK
from reloadcheck._engine.api import engine_of
from reloadcheck._page.values import leaves_of
from reloadcheck.testing import FakeClock
from reloadcheck.types import References

OLD_NS = 1_700_000_000 * 10**9


class Vault:
    """References of a test's own, whose texts are set; `fault` is raised by the next looks."""

    kind = "vault"

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.fault: BaseException | None = None

    def stamp(self, name: str) -> Stamp:
        """Return the text as stamp, which only a test may do."""
        if self.fault is not None:
            raise self.fault
        return Stamp(self.texts[name])

    def read(self, name: str, stamp: Stamp, max_bytes: int) -> str:
        """Return the text."""
        return self.texts[name]


class Rig:
    """A file that refers to a directory of secrets."""

    def __init__(self, root: Path) -> None:
        self.file, self.secrets = root / "config.yaml", root / "secrets"
        self.secrets.mkdir()
        self.engines: list[ReloadCheck[Any]] = []
        self.secret("db/password", "tr0ub4dor&3")
        self.write("database:\n  host: db\n  password: ${file:db/password}\n")

    def secret(self, name: str, text: str) -> None:
        """Put a secret in place, long enough ago to count as quiet."""
        path = self.secrets / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(text + "\n")
        os.utime(beside, ns=(OLD_NS, OLD_NS))
        beside.replace(path)

    def write(self, text: str) -> None:
        """Write the configuration."""
        self.file.write_text(text)

    def engine(self, *references: References, **options: Any) -> ReloadCheck[Any]:
        """Return a started engine that settles at once."""
        given: dict[str, Any] = {"settle": 0.0, "verify": None, "patience": 2.0, "environ": {}}
        named = references or (FileReferences(self.secrets),)
        live: ReloadCheck[Any] = ReloadCheck(self.file, references=named, **(given | options))
        self.engines.append(live)
        live.start()
        assert live.check() is Outcome.UNCHANGED
        return live


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """The rig; files of this test are old enough, whatever their change time says."""
    monkeypatch.setattr("reloadcheck._load.references.YOUNG_NS", 0)
    made = Rig(tmp_path)
    yield made
    for live in made.engines:
        live.close()


def test_a_reference_is_what_is_read_there(rig: Rig) -> None:
    """The value is the file's text less its final newline; the rest of the file is untouched."""
    config = rig.engine().snapshot.config
    assert config.to_dict() == {"database": {"host": "db", "password": "tr0ub4dor&3"}}


def test_a_rotation_is_an_edit(rig: Rig) -> None:
    """Another text in the secret's file goes live though the configuration's file is untouched."""
    live = rig.engine()
    rig.secret("db/password", "correct horse")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.database.password == "correct horse"
    assert live.check() is Outcome.UNCHANGED


def test_a_secret_that_is_touched_rebuilds_nothing(rig: Rig) -> None:
    """The same text under another stamp is no edit."""
    live = rig.engine()
    rig.secret("db/password", "tr0ub4dor&3")
    assert live.check() is Outcome.UNCHANGED
    assert live.snapshot.version == 1


@pytest.mark.parametrize("how", ["missing", "empty", "directory", "not UTF-8"])
def test_what_cannot_be_read_holds_the_last_good(rig: Rig, how: str) -> None:
    """The error names file, line, column and key, and why; it heals by itself."""
    live = rig.engine()
    path = rig.secrets / "db" / "password"
    path.unlink()
    if how == "empty":
        path.write_text("\n")
    elif how == "directory":
        path.mkdir()
    elif how == "not UTF-8":
        path.write_bytes(b"\xff")
    assert live.check() is Outcome.DEFERRED
    error = str(live.status().error)
    assert error.startswith(f"{rig.file}:3:13: database.password: refers to file:db/password: ")
    assert str(path) in error
    assert live.snapshot.config.database.password == "tr0ub4dor&3"
    if how == "directory":
        path.rmdir()
    rig.secret("db/password", "correct horse")
    assert live.check() is Outcome.RELOADED
    assert live.status().error is None


def test_a_first_load_waits_for_its_secret(rig: Rig) -> None:
    """A start without the secret fails with the place of the value that wants it."""
    rig.write("a: 1\nkey: ${file:absent}\n")
    with pytest.raises(SourceError) as caught:
        rig.engine(patience=0.0)
    assert str(caught.value).startswith(f"{rig.file}:2:6: key: refers to file:absent: ")


@pytest.mark.parametrize("name", ["../config.yaml", "/etc/passwd", "db/../../x", "./db", "db//p"])
def test_a_name_never_leads_out_of_its_directory(rig: Rig, name: str) -> None:
    """A name is relative to the directory of the references, whatever file says it."""
    rig.write(f"key: ${{file:{name}}}\n")
    with pytest.raises(SourceError, match="must be a path below that directory"):
        rig.engine(patience=0.0)


def test_nothing_reads_an_unknown_kind(rig: Rig) -> None:
    """A kind that is not there is an error that says what to do, not a password of its text."""
    rig.write("key: ${vault:a}\n")
    with pytest.raises(ConfigSyntaxError) as caught:
        rig.engine()
    assert str(caught.value) == (
        f"{rig.file}:1:6: key: refers to vault:a, and nothing here reads vault: name it in "
        "references=[…], or write $${vault:… for the text itself"
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$${file:db/password}", "${file:db/password}"),
        ("${HOME}", "${HOME}"),
        ("$ {file:x}", "$ {file:x}"),
        ("postgresql://app:${file:db/password}@db", "postgresql://app:tr0ub4dor&3@db"),
        ("${file:db/password}${file:db/password}", "tr0ub4dor&3tr0ub4dor&3"),
    ],
)
def test_a_reference_may_stand_in_a_text(rig: Rig, written: str, value: str) -> None:
    """A part of a text is replaced too; `$$` writes the text itself, other braces are nobody's."""
    rig.write(f'key: "{written}"\n')
    assert rig.engine().snapshot.config.key == value


def test_a_reference_that_is_repeated_for_ever_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of four megabytes could stand for terabytes; what is used once has its own limit."""
    monkeypatch.setattr("reloadcheck._load.resolved_layers.MOST_REPEATED", 2_000)
    rig.secret("large", "x" * 1_500)
    rig.write("a: ${file:large}\nb: [0, '${file:large}']\nc: ${file:db/password}\n")
    live = rig.engine()
    assert live.snapshot.config.b[1] == live.snapshot.config.a
    rig.write("a: ${file:large}\nb: [0, '${file:large}']\nc: '" + "${file:large}" * 500 + "'\n")
    assert live.check() is Outcome.REJECTED
    told = "3:4: c: refers to file:large: with what is repeated, too much text would stand here"
    assert str(live.status().error).endswith(told)


def test_a_reference_that_does_not_end_is_told(rig: Rig) -> None:
    """A forgotten brace would be a password; it is an error at its place."""
    rig.write('key: "${file:db/password"\n')
    with pytest.raises(ConfigSyntaxError, match=r":1:6: key: has a \$\{file:… that no \} closes"):
        rig.engine()


def test_a_comment_refers_to_nothing(rig: Rig) -> None:
    """What only a comment names need not be there."""
    rig.write("# password: ${file:absent}\nkey: 1\n")
    assert rig.engine().snapshot.config.key == 1


def test_a_text_that_was_read_refers_to_nothing(rig: Rig) -> None:
    """A secret whose text looks like a reference is that text."""
    rig.secret("db/password", "${file:other}")
    assert rig.engine().snapshot.config.database.password == "${file:other}"


def test_variables_are_typed_by_their_fields(rig: Rig) -> None:
    """A variable's text becomes what its field says, and its prefix is put before its name."""

    class Settings(BaseModel):
        model_config = ConfigDict(frozen=True)
        port: int
        name: str

    rig.write("port: ${env:PORT}\nname: ${env:NAME}\n")
    environ = {"APP_PORT": "5432", "APP_NAME": "007", "PORT": "1"}
    config = rig.engine(EnvReferences("APP_", environ), schema=Settings).snapshot.config
    assert (config.port, config.name) == (5432, "007")


def test_a_variable_that_is_not_set_is_named(rig: Rig) -> None:
    """The whole name of the variable is told, so that nobody looks for another."""
    rig.write("port: ${env:PORT}\n")
    with pytest.raises(SourceError, match="refers to env:PORT: variable APP_PORT: is not set"):
        rig.engine(EnvReferences("APP_", {}), patience=0.0)


def test_references_of_ones_own(rig: Rig) -> None:
    """Whatever has a kind, a stamp and a text will do; what it raises quotes nothing."""
    vault = Vault(a="hunter2222")
    rig.write("key: ${vault:a}\n")
    live = rig.engine(vault)
    assert live.snapshot.config.key == "hunter2222"
    vault.texts["a"] = "hunter3333"
    assert live.check() is Outcome.RELOADED
    vault.fault = RuntimeError("hunter3333")
    assert live.check() is Outcome.DEFERRED
    assert "its references raised RuntimeError" in str(live.status().error)
    assert "hunter" not in str(live.status().error)
    vault.fault = None
    assert live.check() is Outcome.UNCHANGED
    assert live.status().error is None


def test_no_secret_is_shown_anywhere(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Neither page, nor log, nor a factory's or a rule's error shows what a reference stands for.

    Though the key's name says nothing of a secret.
    """
    caplog.set_level(logging.DEBUG)
    rig.secret("word", "sesame-opens")
    rig.write("database: {title: '${file:word}', number: 1}\n")
    live: ReloadCheck[Any] = ReloadCheck(
        rig.file,
        references=[FileReferences(rig.secrets)],
        settle=0.0, verify=None, environ={},
    )  # fmt: skip
    rig.engines.append(live)
    angry = False

    @live.resource("database")
    def database(part: Any) -> object:
        if angry:
            raise ValueError(f"cannot log in with {part.title}")
        return object()

    live.start()
    assert live.check() is Outcome.UNCHANGED
    checker = engine_of(live).running().reload.checker
    running = checker.running
    assert running is not None
    leaves = leaves_of(running, checker.places).shown
    assert {one.path: one.value for one in leaves} == {
        "database.title": MASK,
        "database.number": "1",
    }
    angry = True
    rig.write("database: {title: '${file:word}', number: 2}\n")
    assert live.check() is Outcome.REJECTED
    assert "sesame" not in str(live.status())
    assert "sesame" not in caplog.text


def test_a_young_secret_must_first_be_quiet(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is named for the first time and was written just now is looked at again."""
    monkeypatch.setattr("reloadcheck._load.references.YOUNG_NS", 10 * 10**9)
    live = rig.engine(settle=0.2, patience=5.0)
    (rig.secrets / "new").write_text("half")
    rig.write("key: ${file:new}\n")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.key == "half"


def test_a_volume_is_swapped_as_a_whole(rig: Rig) -> None:
    """In a Kubernetes Secret the names lead through `..data`; a swap is a rotation."""
    for number, word in enumerate(("one", "two")):
        generation = rig.secrets / f"..gen{number}"
        generation.mkdir()
        (generation / "token").write_text(f"{word}-token")
    (rig.secrets / "..data").symlink_to("..gen0")
    (rig.secrets / "token").symlink_to("..data/token")
    rig.write("key: ${file:token}\n")
    live = rig.engine()
    assert live.snapshot.config.key == "one-token"
    (rig.secrets / "..tmp").symlink_to("..gen1")
    (rig.secrets / "..tmp").replace(rig.secrets / "..data")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.key == "two-token"


def test_json_may_write_a_slash_with_an_escape(rig: Rig, tmp_path: Path) -> None:
    """Some programs write `\\/` in JSON; the reference is the same."""
    file = tmp_path / "config.json"
    file.write_text('{"key": "${file:db\\/password}"}')
    live: ReloadCheck[Any] = ReloadCheck(
        file, references=[FileReferences(rig.secrets)], settle=0.0, environ={}
    )
    rig.engines.append(live)
    live.start()
    assert live.snapshot.config.key == "tr0ub4dor&3"


def test_an_override_keeps_the_references(rig: Rig) -> None:
    """Values that a test lays over the sources leave what they refer to as it is."""
    live = rig.engine()
    with live.override({"database": {"host": "other"}}):
        assert live.snapshot.config.database.password == "tr0ub4dor&3"
        assert live.snapshot.config.database.host == "other"


@pytest.mark.parametrize(
    "given", ["secrets", ["secrets"], [FileReferences("a"), FileReferences("b")]]
)
def test_what_is_no_reference_is_told(given: Any) -> None:
    """A path, a list of paths, or two of one kind is a mistake in the code."""
    with pytest.raises(OptionError, match="references"):
        ReloadCheck("config.yaml", references=given)


def test_without_references_nothing_is_replaced(rig: Rig) -> None:
    """A text with braces is that text where nobody asked for references."""
    live: ReloadCheck[Any] = ReloadCheck(rig.file, settle=0.0, environ={}, clock=FakeClock())
    rig.engines.append(live)
    live.start()
    assert live.snapshot.config.database.password == "${file:db/password}"
